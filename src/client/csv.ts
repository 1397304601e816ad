/**
 * Parses CSV text as CnosDB's HTTP API writes it (comma, `"` doubled inside quotes, `\n`) into rows keyed by the header.
 * For small answers only; table data never passes here.
 */
export function parseCsvRows(text: string): Record<string, string>[] {
  const [header, ...records] = parseCsvRecords(text)
  if (!header) return []
  return records.map((record) => Object.fromEntries(header.map((name, i) => [name, record[i] ?? ''])))
}

/** The same, as rows of values in their order, the header among them. */
export function parseCsvRecords(text: string): string[][] {
  const records: string[][] = []
  let record: string[] = []
  let position = 0
  while (position < text.length) {
    const { value, end } = readField(text, position)
    record.push(value)
    const delimiter = text[end]
    position = end + 1
    if (delimiter !== ',') {
      if (delimiter === '\r' && text[position] === '\n') position += 1
      records.push(record)
      record = []
    } else if (position === text.length) {
      record.push('')
    }
  }
  if (record.length > 0) records.push(record)
  return records
}

function readField(text: string, start: number): { readonly value: string; readonly end: number } {
  if (text[start] !== '"') {
    let end = start
    while (end < text.length && text[end] !== ',' && text[end] !== '\n' && text[end] !== '\r') end += 1
    return { value: text.slice(start, end), end }
  }
  let value = ''
  let from = start + 1
  for (;;) {
    const quote = text.indexOf('"', from)
    if (quote < 0) return { value: value + text.slice(from), end: text.length }
    value += text.slice(from, quote)
    if (text[quote + 1] !== '"') return { value, end: quote + 1 }
    value += '"'
    from = quote + 2
  }
}
