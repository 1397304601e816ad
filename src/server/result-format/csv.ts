import type { Abortable } from '../../async/abort.ts'
import type { ResultColumn, RowsResult } from '../../database.ts'
import type { EngineTuple } from '../../engine/engine.ts'
import { columnReferences } from '../../engine/relation.ts'
import { canSpell, spellCsv } from '../../engine/spelt-value.ts'
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

type Delimiter = ',' | '\t'

/** Rows that are spelt here, one by one: the engine would take longer to bind the expressions that spell them. */
const FEW_ROWS = 1000

const isFew = ({ columns, maxRows = Number.POSITIVE_INFINITY }: RowsResult) =>
  maxRows <= FEW_ROWS && columns.every(({ type }) => canSpell(type))

function spellRecord(tuple: EngineTuple, columns: readonly ResultColumn[], delimiter: Delimiter): string {
  const fields = columns.map(({ type }, at) => spellCsv(tuple[at] ?? null, type, delimiter))
  return fields.length === 1 && fields[0] === '' ? '""' : fields.join(delimiter)
}

async function* renderDelimited(rows: RowsResult, delimiter: Delimiter, options?: Abortable): AsyncIterable<string> {
  refuseNested(rows.columns, delimiter === ',' ? 'CSV' : 'TSV')
  yield `${rows.columns.map((column) => quoteHeading(column.name, delimiter)).join(delimiter)}\n`
  if (isFew(rows)) {
    for (const tuple of await rows.values(options)) yield `${spellRecord(tuple, rows.columns, delimiter)}\n`
    return
  }
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
