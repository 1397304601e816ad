import type { Clock } from '../async/clock.ts'
import { type ListedQuery, visibleQueries } from '../catalog/information-schema.ts'
import type { Principal } from '../catalog/privileges.ts'
import { CnosError } from '../errors/cnos-error.ts'
import type { UserSession } from '../plan/session.ts'

/** The stages of a statement, in CnosDB's words. */
type QueryState = 'DISPATCHING' | 'ANALYZING' | 'SCHEDULING'

/** What the running statement itself holds. */
export interface QueryHandle {
  readonly id: bigint
  /** Aborts when the caller gives up, the query is killed, or the server closes. */
  readonly signal: AbortSignal
  setState(state: QueryState): void
  setProgress(progress: { readonly rows: bigint; readonly percent: number }): void
  /** Takes the statement off the list. Called twice it does nothing. */
  end(): void
}

interface Entry {
  readonly id: bigint
  readonly text: string
  readonly session: UserSession
  readonly startedMs: number
  readonly stop: AbortController
  state: QueryState
  rows: bigint
  percent: number
}

/** The statements that run now. */
export class QueryRegistry {
  readonly #clock: Clock
  readonly #entries = new Map<bigint, Entry>()
  #isClosed = false
  #whenEmpty: (() => void)[] = []

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get size(): number {
    return this.#entries.size
  }

  /** Puts a statement on the list. Throws SERVER_CLOSED after `abortAll`. */
  start(session: UserSession, redactedText: string, signal: AbortSignal | undefined): QueryHandle {
    if (this.#isClosed) throw serverClosed()
    const entry: Entry = {
      id: randomId(this.#clock),
      text: redactedText,
      session,
      startedMs: this.#clock.elapsedMs(),
      stop: new AbortController(),
      state: 'DISPATCHING',
      rows: 0n,
      percent: -1,
    }
    this.#entries.set(entry.id, entry)
    return {
      id: entry.id,
      signal: signal ? AbortSignal.any([signal, entry.stop.signal]) : entry.stop.signal,
      setState(state) {
        entry.state = state
      },
      setProgress({ rows, percent }) {
        entry.rows = rows
        entry.percent = percent
      },
      end: () => this.#end(entry),
    }
  }

  /** Every statement, oldest first; `visibleQueries` of the catalog tells who may see which. */
  list(): readonly ListedQuery[] {
    return [...this.#entries.values()].map((entry) => this.#listed(entry))
  }

  /** Ends a statement: it fails with QUERY_CANCELED. One that the principal may not see is QUERY_NOT_FOUND. */
  kill(id: bigint, principal: Principal): void {
    const entry = this.#entries.get(id)
    if (!entry || visibleQueries({ principal, queries: [this.#listed(entry)] }).length === 0) {
      throw new CnosError('QUERY_NOT_FOUND', `Query not found: ${id}`, { hint: 'SHOW QUERIES lists the ids' })
    }
    entry.stop.abort(new CnosError('QUERY_CANCELED', 'The query has been canceled', { hint: 'by KILL QUERY' }))
  }

  /** Ends every statement with SERVER_CLOSED and admits no more. */
  abortAll(): void {
    this.#isClosed = true
    for (const entry of this.#entries.values()) entry.stop.abort(serverClosed())
  }

  /** Resolves when nothing runs any more. */
  whenEmpty(): Promise<void> {
    if (this.#entries.size === 0) return Promise.resolve()
    return new Promise((resolve) => this.#whenEmpty.push(resolve))
  }

  #listed(entry: Entry): ListedQuery {
    return {
      queryId: entry.id,
      queryType: 'batch',
      queryText: entry.text,
      user: entry.session.user,
      tenant: entry.session.tenant,
      database: entry.session.database,
      state: entry.state,
      durationSeconds: (this.#clock.elapsedMs() - entry.startedMs) / 1000,
      processedCount: entry.rows,
      errorCount: 0n,
      percent: entry.percent,
    }
  }

  #end(entry: Entry): void {
    if (!this.#entries.delete(entry.id) || this.#entries.size > 0) return
    const waiting = this.#whenEmpty
    this.#whenEmpty = []
    for (const resolve of waiting) resolve()
  }
}

function serverClosed(): CnosError {
  return new CnosError('SERVER_CLOSED', 'The query server has been closed', { hint: 'the server is shutting down' })
}

const WORD = 2 ** 32

/** 64 random bits, so that the files two servers export into one directory never share a name. */
export function randomId(clock: Clock): bigint {
  const word = () => BigInt(Math.floor(clock.random() * WORD))
  return (word() << 32n) | word()
}
