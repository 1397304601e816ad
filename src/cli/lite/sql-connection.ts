import type { Abortable } from '../../async/abort.ts'

export const FORMATS = ['table', 'csv', 'json', 'nd-json'] as const
export type FormatName = (typeof FORMATS)[number]

/** Where unqualified names point. */
export interface SqlScope {
  readonly tenant: string
  readonly database: string
}

/** Something that runs SQL as one user: a server, or a data directory in this process. */
export interface SqlConnection extends AsyncDisposable {
  /** What the shell greets with, such as `http://127.0.0.1:8902`. */
  readonly label: string
  /** Throws ACCESS_DENIED when user, password or tenant is wrong. */
  check(scope: SqlScope, options?: Abortable): Promise<void>
  /**
   * Runs one statement and gives its answer as text, in pieces; nothing for a statement without rows. Leaving the loop
   * cancels the statement. Rejects with a CnosError, or with `signal.reason`.
   */
  execute(sql: string, scope: SqlScope, format: FormatName, options?: Abortable): AsyncIterable<string>
}
