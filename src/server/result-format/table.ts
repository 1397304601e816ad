import stringWidth from 'string-width'
import type { Abortable } from '../../async/abort.ts'
import type { RowsResult } from '../../database.ts'
import { columnReferences } from '../../engine/relation.ts'
import { tableText } from '../../engine/value-text.ts'
import { refuseNested } from './nested-columns.ts'
import type { ResultFormat } from './result-format.ts'

type Cells = readonly (string | null)[]

/** Text held to find the widths of one frame; a longer answer continues in a further frame, as CnosDB's chunks do. */
const FRAME_CHARACTERS = 16 * 1024 * 1024

/** A frame of `+---+`, without a final newline. */
export const table: ResultFormat = {
  subtype: 'table',
  contentType: 'text/table',
  async *render(rows: RowsResult, options?: Abortable): AsyncIterable<string> {
    refuseNested(rows.columns, 'a table')
    const headings = rows.columns.map((column) => column.name)
    const references = columnReferences(rows.columns)
    const cells = rows.columns.map(({ type }, at) => `(${tableText(references[at] as string, type)})`)
    let frame: Cells[] = []
    let characters = 0
    let separator = ''
    for await (const lines of rows.lines(`to_json([${cells.join(', ')}])::VARCHAR`, options)) {
      for (const line of lines) {
        frame.push(JSON.parse(line) as Cells)
        characters += line.length
      }
      if (characters < FRAME_CHARACTERS) continue
      yield separator + drawTable(headings, frame)
      separator = '\n'
      frame = []
      characters = 0
    }
    if (frame.length > 0 || separator === '') yield separator + drawTable(headings, frame)
  },
}

/** Draws rows below headings; a cell may have several lines. */
export function drawTable(headings: readonly string[], rows: readonly Cells[]): string {
  const records = [headings, ...rows].map((cells) => cells.map((cell) => showControls(cell ?? '').split('\n')))
  const widthOfColumn = (i: number) =>
    records.reduce((widest, record) => Math.max(widest, ...(record[i] ?? []).map(widthOf)), 0)
  const widths = headings.map((_, i) => widthOfColumn(i))
  const rule = `+${widths.map((width) => '-'.repeat(width + 2)).join('+')}+`
  const [heading, ...body] = records.map((record) => drawRecord(record, widths))
  return [rule, heading, rule, ...body, ...(body.length > 0 ? [rule] : [])].join('\n')
}

function drawRecord(record: readonly string[][], widths: readonly number[]): string {
  const height = Math.max(...record.map((lines) => lines.length))
  return Array.from({ length: height }, (_, row) => {
    const cells = widths.map((width, i) => {
      const text = record[i]?.[row] ?? ''
      return ` ${text}${' '.repeat(width - widthOf(text))} `
    })
    return `|${cells.join('|')}|`
  }).join('\n')
}

const isAscii = (text: string) => /^[\x20-\x7e]*$/.test(text)
const widthOf = (text: string) => (isAscii(text) ? text.length : stringWidth(text))

/** A value must not move the reader's cursor or colour the terminal. */
function showControls(text: string): string {
  if (isAscii(text)) return text
  return text
    .replaceAll('\r\n', '\n')
    .replace(/\p{Cc}/gu, (control) => (control === '\n' ? control : escapeOf(control)))
}

const NAMED_ESCAPES: Readonly<Record<string, string>> = { '\t': '\\t', '\r': '\\r' }
const escapeOf = (control: string) =>
  NAMED_ESCAPES[control] ?? `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`
