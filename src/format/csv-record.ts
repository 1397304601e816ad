/** How a line ends. */
export type LineEnd = 'LF' | 'CRLF' | 'CR'

export interface CsvRecord {
  readonly fields: readonly string[]
  /** Where the next record begins. */
  readonly next: number
  /** Undefined at the end of the text. */
  readonly end: LineEnd | undefined
}

/** The record that begins at `from`; undefined when the text stops inside it and `isWhole` does not make that its end. */
export function parseRecord(
  text: string,
  from: number,
  { delimiter, isWhole }: { readonly delimiter: string; readonly isWhole: boolean },
): CsvRecord | undefined {
  const fields: string[] = []
  let field = ''
  let position = from
  for (;;) {
    if (text[position] === '"' && field === '') {
      const close = closingQuote(text, position + 1)
      if (close === undefined) {
        return isWhole ? { fields: [...fields, text.slice(position)], next: text.length, end: undefined } : undefined
      }
      field = text.slice(position + 1, close).replaceAll('""', '"')
      position = close + 1
    }
    const character = text[position]
    if (character === undefined || (character === '\r' && position + 1 === text.length && !isWhole)) {
      return isWhole ? { fields: [...fields, field], next: position, end: undefined } : undefined
    }
    const end = lineEndAt(text, position)
    if (end) return { fields: [...fields, field], next: position + (end === 'CRLF' ? 2 : 1), end }
    if (character === delimiter) {
      fields.push(field)
      field = ''
    } else field += character
    position += 1
  }
}

function closingQuote(text: string, from: number): number | undefined {
  for (let at = text.indexOf('"', from); at >= 0; at = text.indexOf('"', at + 2)) {
    if (text[at + 1] !== '"') return at
  }
  return undefined
}

/** The line end that begins at a position of the text, if any. */
export function lineEndAt(text: string, position: number): LineEnd | undefined {
  if (text[position] === '\n') return 'LF'
  if (text[position] !== '\r') return undefined
  return text[position + 1] === '\n' ? 'CRLF' : 'CR'
}
