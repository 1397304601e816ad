import type { Abortable } from '../../async/abort.ts'
import type { ResultColumn, RowsResult } from '../../database.ts'
import { columnReferences } from '../../engine/relation.ts'
import { jsonValue } from '../../engine/value-text.ts'
import { CnosError } from '../../errors/cnos-error.ts'
import type { ResultFormat } from './result-format.ts'

/** One array, keys sorted, nulls and non-finite numbers left out; no rows are an empty body, not `[]`. */
export const json: ResultFormat = {
  subtype: 'json',
  contentType: 'application/json',
  async *render(rows: RowsResult, options?: Abortable): AsyncIterable<string> {
    let opening = '['
    for await (const lines of rows.lines(objectExpression(rows.columns), options)) {
      yield `${opening}${lines.join(',')}`
      opening = ','
    }
    if (opening === ',') yield ']'
  },
}

export const ndJson: ResultFormat = {
  subtype: 'nd-json',
  contentType: 'application/nd-json',
  async *render(rows: RowsResult, options?: Abortable): AsyncIterable<string> {
    for await (const lines of rows.lines(objectExpression(rows.columns), options)) yield `${lines.join('\n')}\n`
  },
}

/** One row as a JSON object; keys in the order of their UTF-8 bytes, those of one name in the order of the SELECT. */
function objectExpression(columns: readonly ResultColumn[]): string {
  const references = columnReferences(columns)
  const located = columns.map((column, at) => ({ ...column, reference: references[at] as string }))
  const sorted = located.toSorted((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)))
  const members = sorted.map((column) => {
    refuseBinary(column)
    const key = `${JSON.stringify(column.name)}:`.replaceAll("'", "''")
    return `'${key}' || (${jsonValue(column.reference, column.type)})`
  })
  return `concat('{', concat_ws(',', ${members.join(', ')}), '}')`
}

function refuseBinary({ name, type }: ResultColumn): void {
  if (!/^(BLOB|BIT)\b/.test(type)) return
  throw new CnosError('PLANNING', `Column '${name}' of type ${type} cannot be written as JSON`, {
    context: { column: name },
  })
}
