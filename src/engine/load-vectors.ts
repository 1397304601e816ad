import { setImmediate } from 'node:timers/promises'
import type { DuckDBAppender, DuckDBType } from '@duckdb/node-api'
import { CnosError } from '../errors/cnos-error.ts'
import type { ConnectionSession } from './duckdb-connection.ts'
import type { StoredTable } from './table.ts'
import { tableReference } from './table.ts'
import { CHUNK_ROWS, fillChunk, fillNulls, newChunk, type VectorColumn } from './vector-fill.ts'

/** Rows moved before other work gets a turn on the event loop: about 5 ms. */
const ROWS_A_TURN = 4 * CHUNK_ROWS
/** Rows that become one statement when they are many: a row group of DuckDB's storage. */
const PART_ROWS = 60 * CHUNK_ROWS

/** Rows in memory, by the names of the table's columns; what is left out is NULL. */
export interface VectorRows {
  readonly columns: ReadonlyMap<string, VectorColumn>
  readonly rowCount: number
}

/** Fills a temporary table, whose columns are these. */
export function loadTemporaryTable(
  session: ConnectionSession,
  name: string,
  columns: readonly VectorColumn[],
  rowCount: number,
): Promise<void> {
  return session.interruptible(async () => {
    const appender = await session.connection.createAppender(name, 'main', 'temp')
    await closing(appender, async () => {
      await appendRange(appender, columns, 0, rowCount)
      appender.flushSync()
    })
  })
}

/**
 * Adds rows to a table, inside a transaction, without a look at them. The columns are those the table has now, whatever
 * its schema said before. Throws META_CONFLICT when it lacks one or has it with another type.
 */
export async function insertVectors(
  session: ConnectionSession,
  table: StoredTable,
  batches: readonly VectorRows[],
): Promise<void> {
  const present = await presentColumns(session, table)
  await session.interruptible(async () => {
    const appender = await session.connection.createAppender(table.name, 'data')
    await closing(appender, async () => {
      for (const { columns, rowCount } of batches) {
        await appendRange(appender, arranged(columns, present), 0, rowCount)
        appender.flushSync()
      }
    })
  })
}

/**
 * As `insertVectors`, for many rows: while DuckDB stores one part with all its threads, the next is made ready here.
 * Row groups that are full go to disk before the transaction ends.
 */
export async function insertVectorsInParts(
  session: ConnectionSession,
  table: StoredTable,
  { columns, rowCount }: VectorRows,
): Promise<void> {
  const vectors = arranged(columns, await presentColumns(session, table))
  let inserting: Promise<unknown> = Promise.resolve()
  let part: Part | undefined = await openPart(session, table, 0)
  try {
    for (let start = 0; part !== undefined; start += PART_ROWS) {
      const { name, appender }: Part = part
      const end = Math.min(start + PART_ROWS, rowCount)
      await appendRange(appender, vectors, start, end)
      await inserting
      await session.interruptible(async () => appender.flushSync())
      appender.closeSync()
      part = end < rowCount ? await openPart(session, table, end) : undefined
      inserting = insertPart(session, table, name)
      inserting.catch(ignoreUntilAwaited)
    }
    await inserting
  } finally {
    await Promise.allSettled([inserting])
    if (part) discard(part.appender)
  }
}

/** A statement may fail while the next part is filled: whoever awaits it learns of it, and Node need not end the process. */
function ignoreUntilAwaited(): void {}

/** A temporary table like `table`, and its appender, which needs the connection only when it flushes. */
interface Part {
  readonly name: string
  readonly appender: DuckDBAppender
}

async function openPart(session: ConnectionSession, table: StoredTable, start: number): Promise<Part> {
  const name = `part_${start}`
  await session.run(`CREATE TEMP TABLE ${name} AS FROM ${tableReference(table)} LIMIT 0`)
  return { name, appender: await session.interruptible(() => session.connection.createAppender(name, 'main', 'temp')) }
}

async function insertPart(session: ConnectionSession, table: StoredTable, name: string): Promise<void> {
  await session.run(`INSERT INTO ${tableReference(table)} FROM temp.${name}`)
  await session.run(`DROP TABLE temp.${name}`)
}

/** In the order of the table. */
async function presentColumns(
  session: ConnectionSession,
  table: StoredTable,
): Promise<readonly (readonly [string, DuckDBType])[]> {
  return session.interruptible(async () => {
    const result = await session.connection.run(`FROM ${tableReference(table)} LIMIT 0`)
    const types = result.columnTypes()
    return result.columnNames().map((name, index) => [name, types[index] as DuckDBType] as const)
  })
}

function arranged(
  columns: VectorRows['columns'],
  present: readonly (readonly [string, DuckDBType])[],
): readonly VectorColumn[] {
  const known = present.filter(([name, { typeId }]) => columns.get(name)?.type.typeId === typeId)
  if (known.length < columns.size) {
    throw new CnosError('META_CONFLICT', 'The columns of the table changed while rows were on their way', {
      hint: 'send them again',
    })
  }
  return present.map(([name, type]) => columns.get(name) ?? { type, fill: fillNulls })
}

async function appendRange(
  appender: DuckDBAppender,
  columns: readonly VectorColumn[],
  from: number,
  to: number,
): Promise<void> {
  const chunk = newChunk(columns)
  for (let start = from; start < to; start += CHUNK_ROWS) {
    fillChunk(chunk, columns, start, Math.min(CHUNK_ROWS, to - start))
    appender.appendDataChunk(chunk)
    if ((start - from) % ROWS_A_TURN === ROWS_A_TURN - CHUNK_ROWS) await setImmediate()
  }
}

/** Rows an appender still holds when it is closed would go into the table: after a failure they are dropped first. */
async function closing(appender: DuckDBAppender, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    discard(appender)
    throw error
  }
  appender.closeSync()
}

/** Silent: the error that led here matters more, and a connection that is gone takes the rows with it. */
function discard(appender: DuckDBAppender): void {
  try {
    appender.clear()
    appender.closeSync()
  } catch {}
}
