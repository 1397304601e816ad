import {
  type Batch,
  type BatchLayout,
  cellsOf,
  fieldColumnsOf,
  keyCells,
  keyHash,
  namesOf,
  tagColumnsOf,
  timeColumnOf,
} from './batch.ts'
import { quoteIdentifier } from './quote.ts'
import { tableReference } from './table.ts'
import { timeUnitOf } from './time-ticks.ts'

/** Times from `from` to `to`, both included, as ticks of the table's precision. */
export interface TimeRange {
  readonly from: bigint
  readonly to: bigint
}

export interface MergeInput {
  /** The physical table's name. */
  readonly table: string
  readonly layout: BatchLayout
  readonly batch: Batch
  readonly repeatedKeys: boolean
}

export function betweenSql(expression: string, layout: BatchLayout, { from, to }: TimeRange): string {
  const { fromTicks } = timeUnitOf(timeColumnOf(layout).type)
  return `${expression} BETWEEN ${fromTicks(from)} AND ${fromTicks(to)}`
}

/** Adds rows whose keys the table does not have. */
export function insertSql({ table, layout, batch, repeatedKeys }: MergeInput): string {
  return `INSERT INTO ${tableReference({ name: table })} (${namesOf(layout)}) ${batchSelect(layout, batch, repeatedKeys)}`
}

/** Adds rows, and merges those whose keys the table has; `range` covers the batch, so that zone maps can help. */
export function mergeSql({ table, layout, batch, repeatedKeys }: MergeInput, range: TimeRange): string {
  const time = timeColumnOf(layout)
  const target = (name: string) => `target.${quoteIdentifier(name)}`
  const matches = [
    betweenSql(target(time.name), layout, range),
    `${target(time.name)} = batch.${time.cell}`,
    ...tagColumnsOf(layout).map(({ name, cell }) => `${target(name)} IS NOT DISTINCT FROM batch.${cell}`),
    ...layout.absentTags.map((name) => `${target(name)} IS NULL`),
  ]
  const sets = fieldColumnsOf(layout).map(
    ({ name, cell }) => `${quoteIdentifier(name)} = coalesce(batch.${cell}, ${target(name)})`,
  )
  return [
    `MERGE INTO ${tableReference({ name: table })} AS target`,
    `USING (${batchSelect(layout, batch, repeatedKeys)}) AS batch ON ${matches.join(' AND ')}`,
    ...(sets.length === 0 ? [] : [`WHEN MATCHED THEN UPDATE SET ${sets.join(', ')}`]),
    `WHEN NOT MATCHED THEN INSERT (${namesOf(layout)}) VALUES (${layout.columns.map(({ cell }) => `batch.${cell}`).join(', ')})`,
  ].join(' ')
}

function batchSelect(layout: BatchLayout, batch: Batch, repeatedKeys: boolean): string {
  return repeatedKeys ? lastValuesSelect(layout, batch) : `SELECT ${cellsOf(layout)} FROM ${batch.from}`
}

/**
 * One row a key, each field the last that is not NULL. Only rows whose hash occurs twice are grouped by their key:
 * grouping all of them by their tag strings costs as much as storing them.
 */
function lastValuesSelect(layout: BatchLayout, batch: Batch): string {
  const values = layout.columns.map(({ kind, cell }) =>
    kind === 'field' ? `arg_max(${cell}, ${batch.row}) AS ${cell}` : cell,
  )
  return [
    `WITH keyed AS NOT MATERIALIZED (SELECT *, ${keyHash(layout, batch)} AS key_hash FROM ${batch.from}),`,
    'repeated AS MATERIALIZED (SELECT key_hash FROM keyed GROUP BY key_hash HAVING count(*) > 1)',
    `SELECT ${cellsOf(layout)} FROM keyed ANTI JOIN repeated USING (key_hash)`,
    `UNION ALL SELECT ${values.join(', ')} FROM keyed SEMI JOIN repeated USING (key_hash) GROUP BY ${keyCells(layout)}`,
  ].join(' ')
}
