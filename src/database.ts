import type { Abortable } from './async/abort.ts'
import type { Clock } from './async/clock.ts'
import { type Catalog, openCatalog } from './catalog/catalog.ts'
import { dumpDdl } from './catalog/dump.ts'
import { createPasswordChecker, hashPassword } from './catalog/passwords.ts'
import { type Principal, requireAdmin, requireChangedPassword, resolvePrincipal } from './catalog/privileges.ts'
import { DEFAULT_DATABASE, keyOf, SYSTEM_TENANT } from './catalog/state.ts'
import { openEngine } from './engine/duckdb.ts'
import type { Engine } from './engine/engine.ts'
import type { RelationColumn } from './engine/relation.ts'
import { CnosError, isCnosError } from './errors/cnos-error.ts'
import { type BackgroundSweep, startSweeping } from './exec/background-sweep.ts'
import { type Budgets, splitBudgets } from './exec/budgets.ts'
import type { ExecContext } from './exec/context.ts'
import { type CopyTotal, CopyTotals } from './exec/copy-totals.ts'
import { type DataPaths, dataPaths, emptySpool } from './exec/data-paths.ts'
import { execute } from './exec/execute.ts'
import { type QueryHandle, QueryRegistry } from './exec/query-registry.ts'
import type { StatementResult } from './exec/result.ts'
import { SpoolShares } from './exec/spool-shares.ts'
import { StatementSlots } from './exec/statement-slots.ts'
import { readUsage, type Usage as UsageNow } from './exec/usage.ts'
import { ParseThread } from './ingest/parse-thread.ts'
import { writeLines } from './ingest/write-lines.ts'
import type { PlanContext } from './plan/context.ts'
import type { Plan } from './plan/plan.ts'
import { planStatement } from './plan/plan-statement.ts'
import type { UserSession } from './plan/session.ts'
import type { Statement } from './sql/ast.ts'
import { parseStatement } from './sql/parser.ts'
import { redactStatement } from './sql/redact.ts'
import { endpointPolicy } from './store/endpoint-policy.ts'
import type { Patience } from './store/store-driver.ts'

/** A column of an answer; `type` is DuckDB's name of the type. */
export type ResultColumn = RelationColumn
export type { RowsResult } from './exec/result.ts'
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
  /** `host`, `host:port`, `*.suffix`, a URL or `*`: endpoints that everybody may name besides the clouds' own. */
  readonly allowEndpoints: readonly string[]
  /** Whether a COPY of an administrator that names no credentials uses those of this process's surroundings. */
  readonly ambientCredentials: boolean
  /** How long object stores are tried; every field has a default. */
  readonly storePatience?: Partial<Patience> | undefined
  /** Size at which COPY starts a new file. Default 128 MiB. */
  readonly targetFileBytes?: number | undefined
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  /** Told about what an operator should know; holds no secret. */
  readonly warn: (message: string) => void
  /** Told once when the database cannot go on and must be opened again; everything acknowledged will be there. */
  readonly onBroken?: ((error: CnosError) => void) | undefined
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

interface WriteOptions extends Abortable {
  /** The unit of the times in the body; default NS. */
  readonly precision?: WritePrecision | undefined
}

/** What is in use now, and what COPY has moved since the start. */
interface Usage extends UsageNow {
  readonly copied: readonly CopyTotal[]
}

/** One data directory, opened. Every method may run at the same time as any other. */
export interface Database extends AsyncDisposable {
  /** How the budgets were cut, for the line a server prints at start. */
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
  /** For an operator's metrics. */
  usage(): Promise<Usage>
  /** Ends running statements (10 s at most), checkpoints, and lets the data directory go. */
  close(): Promise<void>
}

/** Statements at once; below libuv's pool of 16, so that file operations always find a thread. */
const MAX_QUERIES = 12
/** Of these, the ones that statements may hold for long. */
const MAX_STATEMENTS = 10
const MAX_PLANS = 5
const PLAN_PAUSE_MS = 5
const SWEEP_EVERY_MS = 60_000
/** How long `close` waits for aborted statements. */
const CLOSE_WITHIN_MS = 10_000

/**
 * Opens a data directory, or makes one. DATA_DIRECTORY when it is in use, unreadable, or written by a newer version:
 * then nothing was touched.
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const paths = dataPaths(options.dataDir, options.spoolDir)
  const budgets = splitBudgets(options.memoryBytes, options.spoolBytes)
  const engine = await openEngine({
    path: paths.databaseFile,
    memoryBytes: budgets.duckdbMemoryBytes,
    tempDirectory: paths.spill,
    tempBytes: budgets.spillBytes,
    maxQueries: MAX_QUERIES,
    onBroken: options.onBroken,
  })
  try {
    await emptySpool(paths)
    const hashRootPassword = () => hashPassword(options.rootPassword ?? 'root')
    const catalog = await openCatalog(engine, { clock: options.clock, hashRootPassword })
    return new EmbeddedDatabase({ options, paths, engine, catalog, budgets })
  } catch (error) {
    await engine.close()
    throw error
  }
}

interface Parts {
  readonly options: DatabaseOptions
  readonly paths: DataPaths
  readonly engine: Engine
  readonly catalog: Catalog
  readonly budgets: Budgets
}

class EmbeddedDatabase implements Database {
  readonly budgets: Budgets
  readonly #parts: Parts
  readonly #queries: QueryRegistry
  readonly #passwords = createPasswordChecker()
  readonly #sweep: BackgroundSweep
  readonly #slots = new StatementSlots(MAX_STATEMENTS)
  readonly #copied = new CopyTotals()
  readonly #spool: SpoolShares
  readonly #thread = new ParseThread()
  #closing: Promise<void> | undefined

  constructor(parts: Parts) {
    const { engine, catalog, budgets, options } = parts
    this.#parts = parts
    this.budgets = budgets
    this.#queries = new QueryRegistry(options.clock)
    this.#spool = new SpoolShares(budgets.spoolBytes)
    this.#sweep = startSweeping(
      { engine, catalog, clock: options.clock },
      { intervalMs: SWEEP_EVERY_MS, warn: options.warn },
    )
  }

  async authenticate({ user, password, tenant = SYSTEM_TENANT, database = DEFAULT_DATABASE }: Credentials) {
    const { state } = this.#parts.catalog
    const isRight = await this.#passwords.check(password, state.users.get(keyOf(user))?.hashPassword)
    if (!isRight) throw accessDenied(user)
    const { mustChangePassword } = resolvePrincipal(this.#parts.catalog.state, user, tenant)
    return { user, tenant, database, mustChangePassword }
  }

  execute(session: Session, sql: string, { signal }: Abortable = {}): Promise<StatementResult> {
    return this.#tracked(session, redactStatement(sql), signal, async (handle) => {
      const statement = parseStatement(sql)
      handle.setState('ANALYZING')
      const principal = this.#principalOf(session)
      const plan = await this.#planned(this.#planContext(session, principal, sql, handle), statement)
      handle.signal.throwIfAborted()
      handle.setState('SCHEDULING')
      return execute(plan, this.#execContext(session, principal, handle))
    })
  }

  /** What is dropped or altered between a look at the catalog and the next is looked at again. */
  async #planned(context: PlanContext, statement: Statement): Promise<Plan> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await planStatement({ ...context, catalog: this.#parts.catalog.state }, statement)
      } catch (error) {
        if (!isCnosError(error, 'META_CONFLICT') || tries === MAX_PLANS) throw error
        await this.#parts.options.clock.sleep(PLAN_PAUSE_MS, { signal: context.signal })
      }
    }
  }

  writeLineProtocol(session: Session, body: Uint8Array, { precision = 'NS', signal }: WriteOptions = {}) {
    const text = `line protocol, ${body.length} bytes`
    return this.#tracked(session, text, signal, async (handle) => {
      requireChangedPassword(this.#principalOf(session))
      const { engine, catalog, options } = this.#parts
      const { user, tenant, database } = session
      const target = { engine, catalog, clock: options.clock, thread: this.#thread, user, tenant, database }
      const write = () => {
        const isAlone = this.#slots.inUse === 1
        return writeLines({ ...target, isAlone }, body, { precision, signal: handle.signal })
      }
      return this.#slots.run(write, { signal: handle.signal })
    })
  }

  async dumpDdl(session: Session, { tenant }: { readonly tenant?: string | undefined } = {}): Promise<string> {
    requireAdmin(this.#principalOf(session))
    return dumpDdl(this.#parts.catalog.state, { tenant })
  }

  async usage(): Promise<Usage> {
    const { engine, paths } = this.#parts
    return { ...(await readUsage(engine, paths.spool)), copied: this.#copied.list() }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    const { engine, options } = this.#parts
    this.#queries.abortAll()
    const sweeping = this.#sweep.stop()
    const deadline = new AbortController()
    const ended = Promise.all([this.#queries.whenEmpty(), sweeping]).finally(() => deadline.abort())
    await Promise.race([ended, options.clock.sleep(CLOSE_WITHIN_MS, { signal: deadline.signal }).catch(() => {})])
    await this.#thread.close()
    try {
      await engine.checkpoint()
    } catch (error) {
      options.warn(`the last checkpoint failed, the next start replays the log: ${String(error)}`)
    } finally {
      await engine.close()
    }
  }

  #principalOf({ user, tenant }: Session): Principal {
    return resolvePrincipal(this.#parts.catalog.state, user, tenant)
  }

  /** Runs `work` as a statement on the list; one that answers rows stays there until they have been read. */
  async #tracked<T extends object>(
    session: Session,
    redactedText: string,
    signal: AbortSignal | undefined,
    work: (handle: QueryHandle) => Promise<T>,
  ): Promise<T> {
    signal?.throwIfAborted()
    const handle = this.#queries.start(session, redactedText, signal)
    let isRunning = false
    try {
      const result = await work(handle)
      isRunning = 'kind' in result && result.kind === 'rows'
      return result
    } catch (error) {
      if (!isCnosError(error, 'QUERY_CANCELED', 'SERVER_CLOSED')) handle.signal.throwIfAborted()
      throw error
    } finally {
      if (!isRunning) handle.end()
    }
  }

  #planContext(session: Session, principal: Principal, sql: string, handle: QueryHandle): PlanContext {
    const { engine, catalog, options, paths } = this.#parts
    return {
      signal: handle.signal,
      session,
      principal,
      sql,
      catalog: catalog.state,
      engine,
      nowNs: options.clock.nowNs(),
      queries: this.#queries.list(),
      copyRoots: options.copyRoots,
      storeContext: {
        clock: options.clock,
        env: options.env,
        ambientCredentials: options.ambientCredentials && principal.isAdmin,
        checkEndpoint: endpointPolicy(options.allowEndpoints, principal.isAdmin),
        warn: options.warn,
        localRoots: principal.isAdmin ? undefined : options.copyRoots,
        patience: options.storePatience,
      },
      cwd: process.cwd(),
      spoolDir: paths.spool,
    }
  }

  #execContext(session: Session, principal: Principal, handle: QueryHandle): ExecContext {
    const { engine, catalog, options, paths, budgets } = this.#parts
    return {
      engine,
      catalog,
      queries: this.#queries,
      handle,
      principal,
      session,
      clock: options.clock,
      slots: this.#slots,
      copied: this.#copied,
      spoolDir: paths.spool,
      spool: this.#spool,
      budgets,
      targetFileBytes: options.targetFileBytes,
    }
  }
}

function accessDenied(user: string): CnosError {
  return new CnosError(
    'ACCESS_DENIED',
    `Auth error: Access denied for user '${user}' (using xxx) username or password invalid`,
    { hint: 'check user and password; a fresh server has user root' },
  )
}
