import type { Abortable } from './async/abort.ts'
import type { Clock } from './async/clock.ts'
import type { EngineRow as EngineRowOf } from './engine/engine.ts'
import type { RelationColumn } from './engine/relation.ts'
import { CnosError } from './errors/cnos-error.ts'
import type { RowsResult as RowsResultOf, StatementResult as StatementResultOf } from './exec/result.ts'
import type { UserSession } from './plan/session.ts'

/** A column of an answer; `type` is DuckDB's name of the type. */
export type ResultColumn = RelationColumn
export type EngineRow = EngineRowOf
export type RowsResult = RowsResultOf
export type StatementResult = StatementResultOf
/** An authenticated user, in a tenant and a database. */
export type Session = UserSession

export interface DatabaseOptions {
  /** Created, with its parents, when missing. */
  readonly dataDir: string
  /** The budget of everything: DuckDB's memory and the parts in flight are cut from it. */
  readonly memoryBytes: number
  /** Where files wait on their way in or out. Default: `spool` below `dataDir`. */
  readonly spoolDir?: string | undefined
  readonly spoolBytes: number
  /** The password of `root` in a fresh data directory; default `root`. Ignored afterwards. */
  readonly rootPassword?: string | undefined
  /** Directories below which any user may COPY; administrators may name every path. */
  readonly copyRoots: readonly string[]
  /** `host`, `host:port` or `*`: endpoints that users who are not administrators may name. */
  readonly allowEndpoints: readonly string[]
  /** Whether a COPY without credentials may use those of this process's surroundings. */
  readonly ambientCredentials: boolean
  /** Size at which COPY starts a new file. Default 128 MiB. */
  readonly targetFileBytes?: number | undefined
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  /** Told about what an operator should know; holds no secret. */
  readonly warn: (message: string) => void
}

export interface Credentials {
  readonly user: string
  readonly password: string
  /** Default `cnosdb`. */
  readonly tenant?: string | undefined
  /** Default `public`. */
  readonly database?: string | undefined
}

export type WritePrecision = 'NS' | 'US' | 'MS'

export interface WriteOptions extends Abortable {
  /** The unit of the times in the body; default NS. */
  readonly precision?: WritePrecision | undefined
}

/** How the budgets were cut, for the line a server prints at start. */
export interface Budgets {
  readonly duckdbMemoryBytes: number
  readonly partBytes: number
  readonly partsInFlight: number
  readonly spoolBytes: number
}

/** One data directory, opened. Every method may run at the same time as any other. */
export interface Database extends AsyncDisposable {
  readonly budgets: Budgets
  /** The password is always checked. ACCESS_DENIED says no more than CnosDB does; an unknown tenant TENANT_NOT_FOUND. */
  authenticate(credentials: Credentials, options?: Abortable): Promise<Session>
  /**
   * Runs one statement. Everything that changes something has happened when it resolves; rows are computed while they
   * are read. Rejects with a CnosError, or with `signal.reason`.
   */
  execute(session: Session, sql: string, options?: Abortable): Promise<StatementResult>
  /** Line protocol into the session's database, tables and columns made as needed; all or nothing. */
  writeLineProtocol(session: Session, body: Uint8Array, options?: WriteOptions): Promise<{ readonly rows: number }>
  /** DDL that rebuilds the metadata of one tenant (or all), one statement a line. Administrators only. */
  dumpDdl(session: Session, options?: { readonly tenant?: string | undefined }): Promise<string>
  /** Ends running statements (10 s at most), checkpoints, and lets the data directory go. */
  close(): Promise<void>
}

/**
 * Opens a data directory, or makes one. DATA_DIRECTORY when it is in use, unreadable, or written by a newer version:
 * then nothing was touched.
 */
export async function openDatabase(_options: DatabaseOptions): Promise<Database> {
  throw new CnosError('INTERNAL', 'openDatabase is being written')
}
