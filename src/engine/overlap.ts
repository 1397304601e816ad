import { type Batch, type BatchLayout, tagColumnsOf, timeColumnOf } from './batch.ts'
import type { BatchFacts } from './batch-facts.ts'
import type { Session } from './engine.ts'
import { betweenSql, type TimeRange } from './merge-sql.ts'
import { quoteIdentifier } from './quote.ts'
import { type StoredTable, tableReference } from './table.ts'
import type { TableState } from './table-lock.ts'

/** Below this, asking whether the series differ costs more than merging. */
const SERIES_CHECK_ROWS = 10_000n
const NO_ROWS_AT_ALL = -(2n ** 63n)

export interface TargetTable {
  readonly table: StoredTable
  readonly layout: BatchLayout
  readonly state: TableState
}

export interface Newcomers {
  readonly batch: Batch
  readonly facts: BatchFacts
  /** A condition on `target` that says which of its rows count; all by default. */
  readonly among?: string
}

/** No row is newer. Asked once: afterwards every append raises it first. */
export async function newestTime(session: Session, { table, layout, state }: TargetTable): Promise<bigint> {
  if (state.newest === undefined) {
    const time = quoteIdentifier(timeColumnOf(layout).name)
    const newest = (await session.all(`SELECT max(${time}) AS newest FROM ${tableReference(table)}`))[0]?.newest
    state.newest = typeof newest === 'bigint' ? newest : NO_ROWS_AT_ALL
  }
  return state.newest
}

/** Before the rows are there: the bound must hold even when they come and the answer is lost. */
export function raiseNewest(state: TableState, time: bigint): void {
  if (state.newest !== undefined && time > state.newest) state.newest = time
}

/** Whether the table has rows between two times. */
export async function hasRowsBetween(
  session: Session,
  target: TargetTable,
  range: TimeRange,
  among = 'true',
): Promise<boolean> {
  if (range.from > (await newestTime(session, target))) return false
  const condition = `${among} AND ${betweenTimes(target, range)}`
  const near = await session.all(`SELECT 1 FROM ${tableReference(target.table)} AS target WHERE ${condition} LIMIT 1`)
  return near.length > 0
}

function betweenTimes({ layout }: TargetTable, range: TimeRange): string {
  return betweenSql(`target.${quoteIdentifier(timeColumnOf(layout).name)}`, layout, range)
}

/** Whether a row of the batch may have the key of a row of the table; false is certain. */
export async function overlapsTable(
  session: Session,
  target: TargetTable,
  { batch, facts, among = 'true' }: Newcomers,
): Promise<boolean> {
  const range = { from: facts.minTime, to: facts.maxTime }
  if (!(await hasRowsBetween(session, target, range, among))) return false
  if (facts.rows < SERIES_CHECK_ROWS) return true
  const condition = `${among} AND ${betweenTimes(target, range)}`
  const table = tableReference(target.table)
  const isCommon = async (from: string) =>
    (await session.all(commonSeriesSql(table, target.layout, { from }, condition))).length > 0
  // The series of the first rows mostly tell, and there are fewer of them to look for.
  return (await isCommon(`(SELECT * FROM ${batch.from} LIMIT ${SERIES_CHECK_ROWS})`)) || (await isCommon(batch.from))
}

/** One row when a series of the batch has rows in the same stretch of time: files of one host each often have none. */
function commonSeriesSql(table: string, layout: BatchLayout, { from }: Batch, range: string): string {
  const tags = tagColumnsOf(layout)
  const cells = tags.map(({ cell }) => cell)
  const series =
    cells.length === 0 ? `SELECT 1 FROM ${from} LIMIT 1` : `SELECT DISTINCT ${cells.join(', ')} FROM ${from}`
  const matches = [
    ...tags.map(({ name, cell }) => `target.${quoteIdentifier(name)} IS NOT DISTINCT FROM batch.${cell}`),
    ...layout.absentTags.map((name) => `target.${quoteIdentifier(name)} IS NULL`),
  ]
  const condition = matches.length === 0 ? 'true' : matches.join(' AND ')
  return `SELECT 1 FROM ${table} AS target SEMI JOIN (${series}) AS batch ON ${condition} WHERE ${range} LIMIT 1`
}
