import { isCnosError } from '../errors/cnos-error.ts'
import { type AppendContext, type AppendOutcome, appendInPlace } from './append-batch.ts'
import { appendOnce, appendUnordered } from './append-in-transaction.ts'
import { type Batch, cellName, layoutOf } from './batch.ts'
import { type ConnectionSession, connectionOf } from './duckdb-connection.ts'
import type { Engine } from './engine.ts'
import { commitMerge, type MergePlan, runMerge } from './merge-journal.ts'
import { raiseNewest } from './overlap.ts'
import type { AppendOptions, ArrivingRows, RowSource, StoredTable } from './table.ts'
import { type TableState, withTableLock } from './table-lock.ts'

/** Bulk work moves to the database file at once: a long log makes the next start slow. */
const CHECKPOINT_ROWS = 100_000n

/**
 * Adds rows as CnosDB does: rows of one time and one set of tags are one row, whose fields are merged one by one; NULL
 * never overwrites, and of several rows in the source the last wins. All or nothing: everything is checked before the
 * table is touched, and what a crash interrupts is finished at the next open. Resolves with the rows of the source.
 * Rejects with TIME_IS_NULL, FIELDS_EMPTY, TIMESTAMP_OVERFLOW, QUERIED_INVALID_GEOMETRY, OPERATION_NOT_SUPPORTED (rows
 * beyond the TTL), or what reading the source rejects with. Appends to one table take turns. An import that is being
 * merged in slices is past the point where `signal` could stop it.
 */
export function append(
  engine: Engine,
  table: StoredTable,
  source: RowSource,
  options: AppendOptions = {},
): Promise<{ readonly rows: bigint }> {
  return appendWith(engine, table, source.columns, options, async (session, context) => {
    const batch = batchOf(source.columns, source.from)
    try {
      const appendRows = source.cheapToReread ? appendInPlace : appendOnce
      return await appendRows(session, context, batch)
    } catch (error) {
      options.signal?.throwIfAborted()
      throw source.explain && isReadingError(error) ? await source.explain(error, session) : error
    }
  })
}

/**
 * The same for rows that come in parts: what is there is stored while the next part is on its way. Undefined, and the
 * table as it was, when they cannot be stored that way: rows that must be merged in the order of the source, and faults
 * whose message names a row of it. Rejects with what asking for the next part rejects with, as well. The table is held
 * from the first part to the end.
 */
export async function appendParts(
  engine: Engine,
  table: StoredTable,
  { columns, parts }: ArrivingRows,
  options: AppendOptions = {},
): Promise<{ readonly rows: bigint } | undefined> {
  let isStored = true
  const { rows } = await appendWith(engine, table, columns, options, async (session, context) => {
    const outcome = await appendUnordered(session, context, batchesOf(columns, parts(session)))
    isStored = outcome !== undefined
    return outcome ?? { rows: 0n }
  })
  return isStored ? { rows } : undefined
}

function batchOf(columns: readonly string[], from: string): Batch {
  return { from: `${from} AS source(${columns.map((_, index) => cellName(index)).join(', ')})` }
}

async function* batchesOf(columns: readonly string[], parts: AsyncIterable<string>): AsyncIterable<Batch> {
  for await (const from of parts) yield batchOf(columns, from)
}

/** Errors that a source can explain: what was in the rows, not what the machine lacked. */
function isReadingError(error: unknown): boolean {
  return isCnosError(error, 'BAD_FILE', 'CAST_FAILED', 'PLANNING', 'UNSUPPORTED', 'SQL_SYNTAX', 'INTERNAL')
}

/** The frame of every append: the lock, a session, the journal for what is too large for one transaction. */
async function appendWith(
  engine: Engine,
  table: StoredTable,
  columns: readonly string[],
  options: AppendOptions,
  work: (session: ConnectionSession, context: AppendContext) => Promise<AppendOutcome>,
): Promise<{ readonly rows: bigint }> {
  const layout = layoutOf(table.schema, columns)
  return withTableLock(
    engine,
    table,
    async (state) => {
      const { rows } = await appendLocked({ engine, table, layout, state, options }, work)
      if (rows >= CHECKPOINT_ROWS) await engine.checkpoint().catch(ignoreCommitted)
      return { rows }
    },
    { signal: options.signal },
  )
}

/** As `appendWith`, for the holder of the lock; the log moves to the database file when it has become long. */
export async function appendLocked(
  context: AppendContext,
  work: (session: ConnectionSession, context: AppendContext) => Promise<AppendOutcome>,
): Promise<{ readonly rows: bigint }> {
  const { engine, state, options } = context
  const { signal } = options
  const { rows, merge } = await engine.withSession((session) => work(connectionOf(session), context), { signal })
  if (merge) await mergeSlices(engine, state, merge, options)
  return { rows }
}

/** The rows are stored; a log that could not be moved now is moved later, or replayed. */
function ignoreCommitted(): void {}

async function mergeSlices(
  engine: Engine,
  state: TableState,
  plan: MergePlan,
  { signal, onProgress }: AppendOptions,
): Promise<void> {
  const merge = await commitMerge(engine, plan, { signal })
  raiseNewest(state, plan.slices.at(-1)?.to ?? 0n)
  try {
    await runMerge(
      engine,
      merge,
      onProgress && (({ percent, rows }) => onProgress({ percent: 50 + percent / 2, rows })),
    )
  } catch (error) {
    state.unfinished.push(merge)
    throw error
  }
}
