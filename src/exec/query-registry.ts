import type { Clock } from '../async/clock.ts'
import { CnosError } from '../errors/cnos-error.ts'
import type { UserSession } from '../plan/session.ts'

/** As `SHOW QUERIES` prints it. */
export type QueryState = 'DISPATCHING' | 'ANALYZING' | 'OPTIMIZING' | 'SCHEDULING'

/** One running statement, as seen from outside. */
export interface RunningQuery {
  readonly id: bigint
  /** Redacted. */
  readonly text: string
  readonly user: string
  readonly tenant: string
  readonly database: string
  readonly state: QueryState
  readonly durationSeconds: number
  /** Rows moved so far, where the engine tells. */
  readonly rows: bigint
  /** 0…100; -1 while unknown. */
  readonly percent: number
}

/** Whose statements somebody may see and end: an administrator's, a tenant owner's, or a user's own. */
export interface QueryViewer {
  readonly session: UserSession
  readonly isAdministrator: boolean
  readonly isOwner: boolean
}

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

  /** The statements `viewer` may see, oldest first. */
  list(viewer: QueryViewer): readonly RunningQuery[] {
    const nowMs = this.#clock.elapsedMs()
    return [...this.#entries.values()]
      .filter((entry) => maySee(viewer, entry.session))
      .map((entry) => ({
        id: entry.id,
        text: entry.text,
        user: entry.session.user,
        tenant: entry.session.tenant,
        database: entry.session.database,
        state: entry.state,
        durationSeconds: (nowMs - entry.startedMs) / 1000,
        rows: entry.rows,
        percent: entry.percent,
      }))
  }

  /** Ends a statement: it fails with QUERY_CANCELED. One that `viewer` may not see is QUERY_NOT_FOUND. */
  kill(id: bigint, viewer: QueryViewer): void {
    const entry = this.#entries.get(id)
    if (!entry || !maySee(viewer, entry.session)) {
      throw new CnosError('QUERY_NOT_FOUND', `Query not found: ${id}`, { hint: 'SHOW QUERIES lists the ids' })
    }
    entry.stop.abort(new CnosError('QUERY_CANCELED', 'The query has been canceled'))
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

  #end(entry: Entry): void {
    if (!this.#entries.delete(entry.id) || this.#entries.size > 0) return
    const waiting = this.#whenEmpty
    this.#whenEmpty = []
    for (const resolve of waiting) resolve()
  }
}

function maySee(viewer: QueryViewer, owner: UserSession): boolean {
  if (viewer.isAdministrator) return true
  if (viewer.session.tenant !== owner.tenant) return false
  return viewer.isOwner || viewer.session.user === owner.user
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
