import type { BatchLayout } from './batch.ts'
import { type ColumnBatch, vectorColumnsOf } from './column-batch.ts'
import { type ConnectionSession, connectionOf, inTransaction } from './duckdb-connection.ts'
import type { Engine } from './engine.ts'
import { insertVectors, insertVectorsInParts, type VectorRows } from './load-vectors.ts'
import type { TimeRange } from './merge-sql.ts'
import { hasRowsBetween, newestTime, raiseNewest } from './overlap.ts'
import { SeriesBounds, type SeriesSpan } from './series-bounds.ts'
import type { AppendOptions, StoredTable } from './table.ts'
import { type TableState, withTurn } from './table-lock.ts'
import type { VectorColumn } from './vector-fill.ts'

/** Rows that one transaction may take along; more wait for the next. */
const MAX_GROUP_ROWS = 30_000

/** Rows on their way into one table, checked. */
export interface ColumnWrite {
  readonly engine: Engine
  readonly table: StoredTable
  readonly layout: BatchLayout
  readonly batch: ColumnBatch
  readonly options: AppendOptions
  /** From the first time to the last; undefined when two rows may have the same key, or DuckDB must look at them. */
  readonly range: TimeRange | undefined
  readonly spans: readonly SeriesSpan[]
  /** Whether no two of the series that have rows have the same tags. */
  readonly areDistinct: boolean
}

interface Waiting {
  readonly write: ColumnWrite
  /** Never rejects: another write took this one along into its transaction, which ends then. */
  attempt: Promise<void> | undefined
  isStored: boolean
}

const waitingOf = new WeakMap<Engine, Map<string, Set<Waiting>>>()

function queueOf({ engine, table }: ColumnWrite): Set<Waiting> {
  const tables = waitingOf.get(engine) ?? new Map<string, Set<Waiting>>()
  waitingOf.set(engine, tables)
  const queue = tables.get(table.name) ?? new Set<Waiting>()
  tables.set(table.name, queue)
  return queue
}

/**
 * Waits for the table, then stores this write and those that came after it, as far as each is new to the table and to
 * the others, in one transaction: durable for all of them, or stored for none. Then, or when this write is not new,
 * `appendAlone` does it by itself, and so do the others when it is their turn: none fails because of another, and the
 * result is that of one after another. A write that another took along cannot be aborted until that has ended.
 */
export async function appendInTurn(
  write: ColumnWrite,
  appendAlone: (write: ColumnWrite, state: TableState) => Promise<void>,
): Promise<void> {
  const queue = queueOf(write)
  const own: Waiting = { write, attempt: undefined, isStored: false }
  queue.add(own)
  const takeTurn = async (state: TableState) => {
    queue.delete(own)
    if (own.attempt === undefined && write.range !== undefined) await storeGroup(own, queue, state)
    if (own.isStored) return
    state.bounds?.raise(write.spans)
    await appendAlone(write, state)
  }
  try {
    await withTurn(write.engine, write.table, takeTurn, { signal: write.options.signal })
  } catch (error) {
    await own.attempt
    if (!own.isStored) throw error
  } finally {
    queue.delete(own)
  }
}

/** Tries to. Whoever is not stored afterwards goes alone, and learns why it cannot be, if it cannot. */
async function storeGroup(own: Waiting, queue: Set<Waiting>, state: TableState): Promise<void> {
  const { engine, options } = own.write
  const store = async (session: ConnectionSession) => {
    const group = await groupOf(session, own, queue, state)
    const attempt = storeNewRows(
      session,
      state,
      group.map(({ write }) => write),
    )
    for (const waiting of group) {
      queue.delete(waiting)
      waiting.attempt = attempt.then(
        () => {
          waiting.isStored = true
        },
        () => {},
      )
    }
    await attempt
  }
  await Promise.allSettled([engine.withSession((session) => store(connectionOf(session)), { signal: options.signal })])
}

/** The write whose turn it is and those behind it, up to the first that must wait for one before it. */
async function groupOf(
  session: ConnectionSession,
  own: Waiting,
  queue: Set<Waiting>,
  state: TableState,
): Promise<readonly Waiting[]> {
  const bounds = await boundsOf(session, own.write, state)
  const group: Waiting[] = []
  let rows = 0
  for (const waiting of [own, ...queue]) {
    const { range, batch, spans } = waiting.write
    rows += batch.rowCount
    if (range === undefined || (rows > MAX_GROUP_ROWS && waiting !== own)) break
    const isNew = bounds.areNewer(spans) || (group.every(isApart(range)) && (await isVacant(session, waiting, state)))
    if (!isNew) break
    group.push(waiting)
    bounds.raise(spans)
  }
  return group.filter((waiting) => waiting === own || queue.has(waiting))
}

async function boundsOf(session: ConnectionSession, write: ColumnWrite, state: TableState): Promise<SeriesBounds> {
  state.bounds ??= new SeriesBounds(await newestTime(session, { ...write, state }))
  return state.bounds
}

const isApart =
  (range: TimeRange) =>
  ({ write }: Waiting) =>
    write.range === undefined || range.from > write.range.to || write.range.from > range.to

async function isVacant(session: ConnectionSession, { write }: Waiting, state: TableState): Promise<boolean> {
  return write.range !== undefined && !(await hasRowsBetween(session, { ...write, state }, write.range))
}

/** Adds rows that the table does not have, in a transaction; for the holder of the lock. */
async function storeNewRows(
  session: ConnectionSession,
  state: TableState,
  writes: readonly ColumnWrite[],
): Promise<void> {
  const [first] = writes
  if (first === undefined) return
  for (const { range } of writes) if (range) raiseNewest(state, range.to)
  await inTransaction(session, () =>
    first.batch.rowCount > MAX_GROUP_ROWS
      ? insertVectorsInParts(session, first.table, vectorRowsOf(first))
      : insertVectors(session, first.table, writes.map(vectorRowsOf)),
  )
}

function vectorRowsOf({ batch, layout }: ColumnWrite): VectorRows {
  const columns = vectorColumnsOf(batch, layout)
  return {
    columns: new Map(layout.columns.map(({ name }, index) => [name, columns[index] as VectorColumn])),
    rowCount: batch.rowCount,
  }
}
