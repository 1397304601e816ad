import {
  type DuckDBConnection,
  type DuckDBMaterializedResult,
  type DuckDBResult,
  ResultReturnType,
} from '@duckdb/node-api'
import type { Abortable } from '../async/abort.ts'
import { Limit } from '../async/limit.ts'
import { fromDuckDbError } from './duckdb-errors.ts'
import { rowsOf, tuplesOf } from './duckdb-values.ts'
import type { CopyProgress, EngineRow, EngineTuple, Session } from './engine.ts'
import type { RelationColumn } from './relation.ts'

/** Interrupts are repeated: DuckDB forgets one that arrives before the statement has begun. */
const INTERRUPT_EVERY_MS = 20
const PROGRESS_EVERY_MS = 200

export interface StatementOptions extends Abortable {
  readonly onProgress?: ((progress: CopyProgress) => void) | undefined
}

/** One DuckDB connection: statements one after another, each of which can be aborted. */
export class ConnectionSession implements Session {
  readonly connection: DuckDBConnection
  readonly #turn = new Limit(1)
  readonly #outer: AbortSignal | undefined

  /** `outer` aborts every statement of the session. */
  constructor(connection: DuckDBConnection, outer?: AbortSignal) {
    this.connection = connection
    this.#outer = outer
  }

  async run(sql: string, options: StatementOptions = {}): Promise<bigint> {
    return changedRows(await this.#execute(() => this.connection.run(sql), options))
  }

  async all(sql: string, options: Abortable = {}): Promise<readonly EngineRow[]> {
    return this.#execute(async () => {
      const result = await this.connection.run(sql)
      const names = result.columnNames()
      const rows: EngineRow[] = []
      for (const chunk of await result.fetchAllChunks()) rows.push(...rowsOf(chunk, names))
      return rows
    }, options)
  }

  async values(sql: string, options: Abortable = {}): Promise<readonly EngineTuple[]> {
    return this.#execute(async () => {
      const result = await this.connection.run(sql)
      return (await result.fetchAllChunks()).flatMap(tuplesOf)
    }, options)
  }

  async describe(select: string, options: Abortable = {}): Promise<readonly RelationColumn[]> {
    const rows = await this.all(`DESCRIBE ${select}`, options)
    return rows.map((row) => ({ name: String(row.column_name), type: String(row.column_type) }))
  }

  /** Starts a result that is fetched chunk by chunk; nothing else may run on this connection until it is read. */
  stream(select: string, options: Abortable = {}): Promise<DuckDBResult> {
    return this.#execute(() => this.connection.stream(select), options)
  }

  /** Runs `work`, which uses the connection, so that an abort interrupts it. */
  interruptible<T>(work: () => Promise<T>, options: Abortable = {}): Promise<T> {
    return this.#execute(work, options)
  }

  async #execute<T>(work: () => Promise<T>, { signal, onProgress }: StatementOptions): Promise<T> {
    const linked = linkSignals(this.#outer, signal)
    return this.#turn.run(
      async () => {
        linked?.throwIfAborted()
        if (onProgress) await this.#enableProgress()
        const stopWatching = this.#watch(linked, onProgress)
        try {
          return await work()
        } catch (error) {
          linked?.throwIfAborted()
          throw fromDuckDbError(error)
        } finally {
          stopWatching()
        }
      },
      { signal: linked },
    )
  }

  async #enableProgress(): Promise<void> {
    await this.connection.run(
      'SET enable_progress_bar = true; SET enable_progress_bar_print = false; SET progress_bar_time = 0',
    )
  }

  #watch(signal: AbortSignal | undefined, onProgress: ((progress: CopyProgress) => void) | undefined): () => void {
    let interrupting: NodeJS.Timeout | undefined
    const onAbort = () => {
      this.connection.interrupt()
      interrupting = setInterval(() => this.connection.interrupt(), INTERRUPT_EVERY_MS)
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    const reporting = onProgress && setInterval(() => onProgress(this.#progress()), PROGRESS_EVERY_MS)
    return () => {
      signal?.removeEventListener('abort', onAbort)
      clearInterval(interrupting)
      clearInterval(reporting)
    }
  }

  #progress(): CopyProgress {
    const { percentage, rows_processed: rows } = this.connection.progress
    return { percent: percentage, rows: percentage < 0 ? 0n : rows }
  }
}

function linkSignals(first: AbortSignal | undefined, second: AbortSignal | undefined): AbortSignal | undefined {
  return first && second ? AbortSignal.any([first, second]) : (first ?? second)
}

/** What the statement says it changed; CREATE TABLE AS and COPY say it only in a row named Count. */
async function changedRows(result: DuckDBMaterializedResult): Promise<bigint> {
  if (result.returnType === ResultReturnType.QUERY_RESULT || result.columnCount !== 1) return 0n
  const count = (await result.getRows())[0]?.[0]
  return typeof count === 'bigint' ? count : 0n
}

/** The connection behind a session of this engine. */
export function connectionOf(session: Session): ConnectionSession {
  if (session instanceof ConnectionSession) return session
  throw new TypeError('this session was not made by openEngine')
}

/** Commits when `work` resolves, rolls back when it rejects. */
export async function inTransaction<T>(session: ConnectionSession, work: () => Promise<T>): Promise<T> {
  await session.run('BEGIN TRANSACTION')
  try {
    const result = await work()
    await session.run('COMMIT')
    return result
  } catch (error) {
    await rollBack(session)
    throw error
  }
}

/**
 * Ends a transaction if one is open. Not cancelled, and silent: the error that led here matters more, and
 * disconnecting rolls back as well.
 */
export async function rollBack({ connection }: ConnectionSession): Promise<void> {
  try {
    await connection.run('ROLLBACK')
  } catch {}
}
