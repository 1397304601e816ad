import type { Abortable } from '../async/abort.ts'
import type { CnosError } from '../errors/cnos-error.ts'
import type { RelationColumn } from './relation.ts'

/** BIGINT, UBIGINT and HUGEINT arrive as bigint, TIMESTAMP* as bigint ticks of their own unit, the rest as is. */
export type EngineValue = string | bigint | number | boolean | null
export type EngineTuple = readonly EngineValue[]
export type EngineRow = Readonly<Record<string, EngineValue>>

export interface CopyProgress {
  /** 0…100; -1 while unknown. */
  readonly percent: number
  readonly rows: bigint
}

export interface CopyToOptions extends Abortable {
  readonly onProgress?: ((progress: CopyProgress) => void) | undefined
}

/** What can be asked of a connection, inside a transaction or outside. */
export interface Session {
  /** A statement whose rows nobody wants. Resolves with the number of changed rows where DuckDB tells it. */
  run(sql: string, options?: Abortable): Promise<bigint>
  /** Answers of a few rows. */
  all(sql: string, options?: Abortable): Promise<readonly EngineRow[]>
  /** The same as values in the order of the columns, whatever their names. */
  values(sql: string, options?: Abortable): Promise<readonly EngineTuple[]>
  /** The columns a SELECT would yield. */
  describe(select: string, options?: Abortable): Promise<readonly RelationColumn[]>
}

/**
 * The one DuckDB database of a data directory. Bounded: at most `maxQueries` statements run at once, the rest wait.
 * An aborted statement is interrupted, has ended when the promise rejects, and rejects with `signal.reason`.
 * DuckDB's errors become CnosErrors here (PLANNING, BAD_FILE, CAST_FAILED, OUT_OF_MEMORY, NO_SPACE, INTERNAL).
 */
export interface Engine extends Session, AsyncDisposable {
  readonly bulk: BulkSettings
  /**
   * The single VARCHAR column of `select`, one string a row, in batches, with back-pressure: the way large answers
   * leave (SQL makes the text). Leaving the loop frees the connection.
   */
  lines(select: string, options?: Abortable): AsyncIterable<readonly string[]>
  /** `COPY (select) TO 'target' (options)`; resolves with the rows written. On failure the partial target is the caller's to remove. */
  copyTo(select: string, target: string, copyOptions: string, options?: CopyToOptions): Promise<bigint>
  /** All or nothing: commits when `work` resolves, rolls back when it rejects. */
  transaction<T>(work: (session: Session) => Promise<T>, options?: Abortable): Promise<T>
  /** Runs `work` on a connection of its own, so that it can use temporary tables, and drops them afterwards. */
  withSession<T>(work: (session: Session) => Promise<T>, options?: Abortable): Promise<T>
  /** Moves the log into the database file; does nothing while another statement writes or the disk has no room. */
  checkpoint(): Promise<void>
  close(): Promise<void>
}

/** How imports that do not fit one statement are cut. */
export interface BulkSettings {
  /** A directory of this engine's own, on the database's disk: checked rows wait here to be merged. */
  readonly stagingDirectory: string
  /** Rows merged in one transaction. */
  readonly sliceRows: number
}

export interface EngineOptions {
  /** The database file; created, with its directory, when missing. Beside it lie `format.json` and `staging/`. */
  readonly path: string
  /** DuckDB's memory_limit. */
  readonly memoryBytes: number
  /** Where DuckDB spills: a directory of this engine's own; what a crash left there is removed. */
  readonly tempDirectory: string
  readonly tempBytes: number
  /** Statements at once; below libuv's pool size. */
  readonly maxQueries: number
  /** DuckDB's worker threads; all cores when absent. */
  readonly threads?: number | undefined
  /** Rows merged in one transaction. Default 2,000,000: larger slices need more memory, smaller ones more scans. */
  readonly sliceRows?: number | undefined
  /**
   * Told once when DuckDB gave the database up, as it does when the file cannot be written while the log is moved into
   * it. Every statement fails from then on; what was committed is there when the directory is opened again.
   */
  readonly onBroken?: ((error: CnosError) => void) | undefined
}
