import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../async/clock.ts'
import type { Limit } from '../async/limit.ts'
import type { Database } from '../database.ts'
import type { LoginThrottle } from './login-throttle.ts'
import type { Metrics } from './metrics.ts'

/** One request and its answer. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly query: URLSearchParams
  /** Aborts when the client is gone or the server closes. */
  readonly signal: AbortSignal
}

/** What every route may use. */
export interface ServerContext {
  readonly database: Database
  readonly clock: Clock
  readonly metrics: Metrics
  readonly logins: LoginThrottle
  /** Large bodies held in memory at once. */
  readonly largeBodies: Limit
}

export interface Route {
  /** Methods that are served; any other is answered 405. */
  readonly methods: readonly string[]
  readonly path: string
  /** Errors it throws are answered by the server. */
  handle(exchange: Exchange, context: ServerContext): Promise<void>
}
