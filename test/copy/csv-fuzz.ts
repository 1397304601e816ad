import type { CsvRecord } from '../../src/format/csv-record.ts'

/**
 * CSV by the rules COPY INTO promises, in the plainest way: records of exactly `width` fields, a quote means something
 * only where a field begins, blank lines are nothing. As DuckDB has it, blanks around a quoted field are not part of it,
 * and empty fields too many at the end of a line are nothing. Undefined for text that must be refused.
 */
export function parseStrictly(text: string, width: number): readonly (readonly (string | null)[])[] | undefined {
  const records: (readonly (string | null)[])[] = []
  let position = 0
  while (position < text.length) {
    if (text[position] === '\n' || text[position] === '\r') {
      position += 1
      continue
    }
    const record = parseOne(text, position)
    if (!record || record.fields.length < width) return undefined
    if (record.fields.slice(width).some((field) => field !== null)) return undefined
    records.push(record.fields.slice(0, width))
    position = record.next
  }
  return records
}

type Parsed = Pick<CsvRecord, 'next'> & { readonly fields: readonly (string | null)[] }

function parseOne(text: string, from: number): Parsed | undefined {
  const fields: (string | null)[] = []
  let position = from
  for (;;) {
    let field: string | null = ''
    const quote = /^ *"/.exec(text.slice(position, position + 50))?.[0]
    if (quote !== undefined) {
      position += quote.length
      for (;;) {
        if (position >= text.length) return undefined
        if (text[position] !== '"') field += text[position]
        else if (text[position + 1] === '"') {
          field += '"'
          position += 1
        } else break
        position += 1
      }
      position += 1
      while (text[position] === ' ') position += 1
      if (position < text.length && !',\n\r'.includes(text[position] as string)) return undefined
    } else {
      while (position < text.length && !',\n\r'.includes(text[position] as string)) {
        field += text[position]
        position += 1
      }
      if (field === '') field = null
    }
    fields.push(field)
    if (text[position] !== ',') return { fields, next: position + 1 }
    position += 1
  }
}
