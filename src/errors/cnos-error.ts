import { ERROR_CODES, type ErrorCodeEntry, type ErrorName } from './codes.ts'

/** Where in the input the fault lies; only what is known is set. Never holds a secret. */
export interface ErrorContext {
  readonly file?: string
  /** Counted from 1, a header line included. */
  readonly line?: number
  /** A column's name. */
  readonly column?: string
  readonly value?: string
  /** Byte offset into the SQL text. */
  readonly position?: number
  readonly store?: string
  readonly path?: string
  /** HTTP status of an object store's or cluster's answer. */
  readonly status?: number
  /** The remote side's own error code, such as `NoSuchBucket`. */
  readonly remoteCode?: string
  readonly requestId?: string
  readonly retryAfterMs?: number
}

export interface CnosErrorOptions {
  readonly cause?: unknown
  readonly context?: ErrorContext
  /** What to do about it, one sentence. Printed after the message. */
  readonly hint?: string
}

/** The one error class. Narrow with `isCnosError(error, 'NAME')`, never by message. */
export class CnosError extends Error {
  readonly errorName: ErrorName
  readonly context: ErrorContext
  readonly hint: string | undefined

  constructor(errorName: ErrorName, message: string, options: CnosErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'CnosError'
    this.errorName = errorName
    this.context = options.context ?? {}
    this.hint = options.hint
  }

  get entry(): ErrorCodeEntry {
    return ERROR_CODES[this.errorName]
  }

  get code(): string {
    return this.entry.code
  }

  /** Message and hint, as shown to people and put into `error_message`. */
  get fullMessage(): string {
    return this.hint === undefined ? this.message : `${this.message}\nhint: ${this.hint}`
  }
}

/** Whether `error` is ours, and, when names are given, one of these. */
export function isCnosError(error: unknown, ...names: readonly ErrorName[]): error is CnosError {
  return error instanceof CnosError && (names.length === 0 || names.includes(error.errorName))
}
