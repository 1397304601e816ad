import type { Abortable } from '../../async/abort.ts'
import type { RowsResult } from '../../database.ts'
import { CnosError } from '../../errors/cnos-error.ts'
import { csv, tsv } from './csv.ts'
import { json, ndJson } from './json.ts'
import { table } from './table.ts'

/** One way to write rows as text. */
export interface ResultFormat {
  /** What may follow `text/` or `application/` in Accept. */
  readonly subtype: string
  readonly contentType: string
  /** The whole document in pieces, none empty; rows are computed while it is read. Throws PLANNING before the first piece. */
  render(rows: RowsResult, options?: Abortable): AsyncIterable<string>
}

/** Every format `Accept` can ask for; the first is what `*` stands for. */
const resultFormats: readonly ResultFormat[] = [csv, tsv, json, ndJson, table]

/** The format of an Accept header: exactly one value, without parameters. Throws BAD_HEADER for anything else. */
export function resultFormatOf(accept: string | undefined): ResultFormat {
  if (accept === undefined || accept === '' || accept === '*/*' || accept === 'application/*') return csv
  const [, subtype] = /^(?:text|application)\/([\w-]+)$/.exec(accept) ?? []
  const format = resultFormats.find((f) => f.subtype === subtype?.toLowerCase())
  if (format) return format
  throw new CnosError('BAD_HEADER', `Invalid header: Invalid header: accept type not support: ${accept}`, {
    hint: `send exactly one of ${resultFormats.map((f) => f.contentType).join(', ')}`,
  })
}
