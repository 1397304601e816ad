import { appendLocked } from './append.ts'
import { appendInPlace } from './append-batch.ts'
import { appendInTurn, type ColumnWrite } from './append-group.ts'
import { type Batch, type BatchLayout, layoutOf, timeColumnOf } from './batch.ts'
import { type ColumnBatch, checkTimes, rangeOfPlainBatch, seriesColumnOf, vectorColumnsOf } from './column-batch.ts'
import type { ConnectionSession } from './duckdb-connection.ts'
import type { Engine } from './engine.ts'
import { loadTemporaryTable } from './load-vectors.ts'
import type { TimeRange } from './merge-sql.ts'
import { type BatchSpans, spansOf } from './series-spans.ts'
import { type AppendOptions, engineTypeOf, type StoredTable } from './table.ts'
import type { TableState } from './table-lock.ts'
import { timeUnitOf } from './time-ticks.ts'

/**
 * As `append`, for rows in memory. Arrays may be longer than `rowCount`. Rows that are new to the table, as mostly all
 * are, go into DuckDB's storage without a statement that reads them, together with what else waits for the table.
 */
export async function appendColumns(
  engine: Engine,
  table: StoredTable,
  batch: ColumnBatch,
  options: AppendOptions = {},
): Promise<{ readonly rows: bigint }> {
  if (batch.rowCount === 0) return { rows: 0n }
  const time = table.schema.columns.find((column) => column.kind === 'time')?.name ?? 'time'
  const layout = layoutOf(table.schema, [
    time,
    ...batch.tags.map((tag) => tag.name),
    ...batch.fields.map((field) => field.name),
  ])
  const series = spansOf(batch)
  checkTimes(batch, series.spans, timeColumnOf(layout).type)
  const range = plainRange(batch, series, layout, options)
  await appendInTurn({ engine, table, layout, batch, options, range, ...series }, appendAlone)
  return { rows: BigInt(batch.rowCount) }
}

/** Undefined also for rows beyond the TTL: those are refused where every batch is. */
function plainRange(
  batch: ColumnBatch,
  spans: BatchSpans,
  layout: BatchLayout,
  { minTimeNs }: AppendOptions,
): TimeRange | undefined {
  const range = rangeOfPlainBatch(batch, spans, layout)
  if (range === undefined || minTimeNs === undefined) return range
  return range.from * timeUnitOf(timeColumnOf(layout).type).nanoseconds < minTimeNs ? undefined : range
}

/** Any rows, merged where they must be; for the holder of the lock. */
async function appendAlone(write: ColumnWrite, state: TableState): Promise<void> {
  await appendLocked({ ...write, state }, async (session, context) =>
    appendInPlace(session, context, await loadBatch(session, write)),
  )
}

/** When the sets of tags are distinct, the number of one stands for it, and looking for repeated keys is cheap. */
async function loadBatch(session: ConnectionSession, { batch, layout, areDistinct }: ColumnWrite): Promise<Batch> {
  const cells = layout.columns.map(({ cell, type }) => `${cell} ${engineTypeOf(type)}`)
  await session.run(`CREATE TEMP TABLE batch_rows (${[...cells, 'series UINTEGER'].join(', ')})`)
  const columns = [...vectorColumnsOf(batch, layout), seriesColumnOf(batch)]
  await loadTemporaryTable(session, 'batch_rows', columns, batch.rowCount)
  return {
    from: `(SELECT *, rowid AS source_row FROM temp.batch_rows)`,
    row: 'source_row',
    ...(areDistinct ? { keys: `series, ${timeColumnOf(layout).cell}` } : {}),
  }
}
