import { mkdir, readdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { DuckDBInstance, type DuckDBVarCharVector } from '@duckdb/node-api'
import type { Abortable } from '../async/abort.ts'
import { Limit } from '../async/limit.ts'
import { CnosError, isCnosError } from '../errors/cnos-error.ts'
import { claimDataDirectory, dataDirectoryError } from './data-directory.ts'
import { ConnectionSession, inTransaction } from './duckdb-connection.ts'
import { isFatal, parseFault } from './duckdb-errors.ts'
import type { BulkSettings, CopyToOptions, Engine, EngineOptions, EngineRow, EngineTuple, Session } from './engine.ts'
import { hasRoomForLog, lengthOf } from './log-room.ts'
import { createJournal, recoverMerges } from './merge-journal.ts'
import { quoteString } from './quote.ts'
import type { RelationColumn } from './relation.ts'

const DEFAULT_SLICE_ROWS = 1_000_000

/**
 * Opens or creates the database file and finishes what a crash left half done. Rejects with DATA_DIRECTORY, and
 * touches nothing, when another process holds the file, it cannot be read, or a newer version wrote it.
 */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const release = await claimDataDirectory(options.path)
  let engine: DuckDbEngine | undefined
  try {
    engine = new DuckDbEngine(await openInstance(options), release, options)
    await removeSpilled(options.tempDirectory)
    for (const setting of settingsOf(options)) await engine.run(setting)
    await engine.watchRoom()
    await createJournal(engine)
    await recoverMerges(engine)
    return engine
  } catch (error) {
    if (engine) await engine.close()
    else release()
    throw error
  }
}

async function openInstance({ path }: EngineOptions): Promise<DuckDBInstance> {
  try {
    return await DuckDBInstance.create(path, {
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
    })
  } catch (error) {
    throw openError(path, error)
  }
}

function openError(path: string, error: unknown): CnosError {
  const { message } = parseFault(error instanceof Error ? error.message : String(error))
  const directory = dirname(path)
  if (/could not set lock|being used by another process/i.test(message)) {
    const holder = /PID (\d+)/.exec(message)?.[1]
    const reason = `is in use by another process${holder ? ` (PID ${holder})` : ''}`
    return dataDirectoryError(directory, reason, 'Stop that process, or choose another data directory.', error)
  }
  if (/version number|storage version|newer version/i.test(message)) {
    const hint = 'Start the version that wrote it, or choose another data directory.'
    return dataDirectoryError(directory, `was written by a newer version: ${message}`, hint, error)
  }
  const hint = 'Check permissions and disk, restore the directory from a backup, or choose another data directory.'
  return dataDirectoryError(directory, `cannot be opened: ${message}`, hint, error)
}

/** DuckDB does not tidy up after a process that was killed. */
async function removeSpilled(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true })
  for (const name of await readdir(directory)) {
    if (name.startsWith('duckdb_temp_')) await rm(join(directory, name), { force: true })
  }
}

const MIB = 1024 * 1024

/**
 * Bytes of log at which a COMMIT writes the table file as well. DuckDB's own 16 MiB makes every fourth commit of 20 000
 * rows do so, which doubles what commits cost; a log of 135 MB is replayed in two seconds at the next start. What waits
 * is held in memory, so a small budget gets a small log.
 */
const logBytes = (memoryBytes: number) => Math.floor(Math.min(Math.max(memoryBytes / 4, 16 * MIB), 128 * MIB))
const NEVER_BYTES = 2 ** 50
const LOOK_FOR_ROOM_EVERY_MS = 1000

/** Insertion order is kept everywhere but in COPY TO, which says PRESERVE_ORDER itself. */
function settingsOf({ memoryBytes, tempDirectory, tempBytes, threads }: EngineOptions): string[] {
  return [
    'SET GLOBAL errors_as_json = true',
    `SET GLOBAL memory_limit = '${memoryBytes}B'`,
    `SET GLOBAL temp_directory = ${quoteString(tempDirectory)}`,
    `SET GLOBAL max_temp_directory_size = '${tempBytes}B'`,
    ...(threads === undefined ? [] : [`SET GLOBAL threads = ${threads}`]),
    "SET GLOBAL TimeZone = 'UTC'",
    'SET GLOBAL preserve_insertion_order = true',
  ]
}

class DuckDbEngine implements Engine {
  readonly bulk: BulkSettings
  readonly #instance: DuckDBInstance
  readonly #release: () => void
  readonly #slots: Limit
  readonly #closing = new AbortController()
  readonly #running = new Set<Promise<unknown>>()
  readonly #path: string
  readonly #directory: string
  readonly #logBytes: number
  readonly #onBroken: ((error: CnosError) => void) | undefined
  #looking: NodeJS.Timeout | undefined
  #movesLog: boolean | undefined
  #isBroken = false

  /** `release` lets the data directory go once the file is closed. */
  constructor(instance: DuckDBInstance, release: () => void, options: EngineOptions) {
    this.#instance = instance
    this.#release = release
    this.#slots = new Limit(options.maxQueries)
    this.#path = options.path
    this.#directory = dirname(options.path)
    this.#logBytes = logBytes(options.memoryBytes)
    this.#onBroken = options.onBroken
    this.bulk = {
      stagingDirectory: join(this.#directory, 'staging'),
      sliceRows: options.sliceRows ?? DEFAULT_SLICE_ROWS,
    }
  }

  /** Keeps DuckDB from moving the log by itself while the disk has no room for it. */
  async watchRoom(): Promise<void> {
    await this.#lookForRoom()
    this.#looking = setInterval(() => this.#lookForRoom().catch(() => {}), LOOK_FOR_ROOM_EVERY_MS).unref()
  }

  async #lookForRoom(): Promise<void> {
    const movesLog = await hasRoomForLog(this.#directory, this.#logBytes)
    if (movesLog === this.#movesLog) return
    await this.run(`SET GLOBAL checkpoint_threshold = '${movesLog ? this.#logBytes : NEVER_BYTES}B'`)
    this.#movesLog = movesLog
  }

  run(sql: string, options: Abortable = {}): Promise<bigint> {
    return this.withSession((session) => session.run(sql), options)
  }

  all(sql: string, options: Abortable = {}): Promise<readonly EngineRow[]> {
    return this.withSession((session) => session.all(sql), options)
  }

  values(sql: string, options: Abortable = {}): Promise<readonly EngineTuple[]> {
    return this.withSession((session) => session.values(sql), options)
  }

  describe(select: string, options: Abortable = {}): Promise<readonly RelationColumn[]> {
    return this.withSession((session) => session.describe(select), options)
  }

  copyTo(select: string, target: string, copyOptions: string, options: CopyToOptions = {}): Promise<bigint> {
    const sql = `COPY (${select}\n) TO ${quoteString(target)} (${copyOptions})`
    return this.#lease((session) => session.run(sql, { onProgress: options.onProgress }), options)
  }

  withSession<T>(work: (session: Session) => Promise<T>, options: Abortable = {}): Promise<T> {
    return this.#lease(work, options)
  }

  transaction<T>(work: (session: Session) => Promise<T>, options: Abortable = {}): Promise<T> {
    return this.#lease((session) => inTransaction(session, () => work(session)), options)
  }

  async *lines(select: string, options: Abortable = {}): AsyncIterable<readonly string[]> {
    let finish = () => {}
    const finished = new Promise<void>((resolve) => {
      finish = resolve
    })
    let lease: Promise<void> = Promise.resolve()
    const opened = new Promise<ConnectionSession>((resolve, reject) => {
      lease = this.#lease((session) => {
        resolve(session)
        return finished
      }, options)
      lease.catch(reject)
    })
    try {
      const session = await opened
      yield* fetchLines(session, select)
    } finally {
      finish()
      await lease
    }
  }

  async checkpoint(): Promise<void> {
    if (!(await hasRoomForLog(this.#directory, await lengthOf(`${this.#path}.wal`)))) return
    try {
      await this.run('CHECKPOINT')
    } catch (error) {
      if (!isCnosError(error, 'META_CONFLICT')) throw error
    }
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return
    clearInterval(this.#looking)
    this.#closing.abort(new CnosError('INTERNAL', 'The database is being closed.'))
    await Promise.allSettled([...this.#running])
    this.#instance.closeSync()
    this.#release()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #lease<T>(work: (session: ConnectionSession) => Promise<T>, { signal }: Abortable): Promise<T> {
    const closing = this.#closing.signal
    const linked = signal ? AbortSignal.any([signal, closing]) : closing
    const task = this.#slots.run(() => this.#connected(work, linked), { signal: linked })
    this.#running.add(task)
    try {
      return await task
    } finally {
      this.#running.delete(task)
    }
  }

  /** Connecting costs a quarter of a millisecond, and a connection of one's own never sees another's state. */
  async #connected<T>(work: (session: ConnectionSession) => Promise<T>, signal: AbortSignal): Promise<T> {
    const connection = await this.#instance.connect()
    try {
      return await work(new ConnectionSession(connection, signal))
    } catch (error) {
      if (isFatal(error)) this.#reportBroken(error)
      throw error
    } finally {
      connection.disconnectSync()
    }
  }

  #reportBroken(error: CnosError): void {
    if (this.#isBroken) return
    this.#isBroken = true
    this.#onBroken?.(error)
  }
}

async function* fetchLines(session: ConnectionSession, select: string): AsyncIterable<readonly string[]> {
  await session.run('BEGIN TRANSACTION')
  const result = await session.stream(select)
  for (;;) {
    const chunk = await session.interruptible(() => result.fetchChunk())
    if (chunk === null || chunk.rowCount === 0) break
    const vector = chunk.getColumnVector(0) as DuckDBVarCharVector
    const lines = new Array<string>(chunk.rowCount)
    for (let row = 0; row < lines.length; row += 1) lines[row] = vector.getItem(row) ?? ''
    yield lines
  }
  if (await isTransactionAborted(session)) throw await errorOf(session, select)
}

/**
 * A stream that fails after its first chunks ends as if it were complete: DuckDB's C API would tell, but its Node
 * binding does not ask. What the failure leaves behind is an aborted transaction, in which nothing more can run.
 */
async function isTransactionAborted(session: ConnectionSession): Promise<boolean> {
  try {
    await session.run('SELECT 1')
    return false
  } catch (error) {
    if (!(error instanceof CnosError)) throw error
    return true
  }
}

/** Computes the rows once more, without a stream, only to learn why they cannot be computed. */
async function errorOf(session: ConnectionSession, select: string): Promise<unknown> {
  try {
    await session.run('ROLLBACK')
    await session.run(`SELECT max(columns(*)) FROM (${select}\n) AS lines`)
  } catch (error) {
    return error
  }
  return new CnosError('INTERNAL', 'The rows broke off before their end, and could be computed the second time.', {
    hint: 'send the statement again',
  })
}
