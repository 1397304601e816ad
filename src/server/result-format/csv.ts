import type { Abortable } from '../../async/abort.ts'
import type { ResultColumn, RowsResult } from '../../database.ts'
import { columnReferences } from '../../engine/relation.ts'
import { csvField } from '../../engine/value-text.ts'
import { refuseNested } from './nested-columns.ts'
import type { ResultFormat } from './result-format.ts'

export const csv: ResultFormat = {
  subtype: 'csv',
  contentType: 'text/csv',
  render: (rows, options) => renderDelimited(rows, ',', options),
}

export const tsv: ResultFormat = {
  subtype: 'tsv',
  contentType: 'text/tsv',
  render: (rows, options) => renderDelimited(rows, '\t', options),
}

async function* renderDelimited(rows: RowsResult, delimiter: string, options?: Abortable): AsyncIterable<string> {
  refuseNested(rows.columns, delimiter === ',' ? 'CSV' : 'TSV')
  yield `${rows.columns.map((column) => quoteHeading(column.name, delimiter)).join(delimiter)}\n`
  for await (const lines of rows.lines(recordExpression(rows.columns, delimiter), options))
    yield `${lines.join('\n')}\n`
}

/** A record of one column whose value is NULL or empty is `""`: an empty line would be no record. */
function recordExpression(columns: readonly ResultColumn[], delimiter: string): string {
  const references = columnReferences(columns)
  const fields = columns.map(({ type }, at) => csvField(references[at] as string, type, delimiter))
  const [only] = fields
  if (fields.length === 1) return `coalesce(nullif(${only}, ''), '""')`
  return `concat(${fields.join(`, '${delimiter}', `)})`
}

function quoteHeading(name: string, delimiter: string): string {
  const isPlain = name !== '' && !name.includes(delimiter) && !/["\r\n]/.test(name)
  return isPlain ? name : `"${name.replaceAll('"', '""')}"`
}
