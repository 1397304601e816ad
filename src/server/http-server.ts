import type { Clock } from '../async/clock.ts'
import type { Database } from '../database.ts'
import { CnosError } from '../errors/cnos-error.ts'

/** One structured event for the operator's log; holds no secret. */
export interface ServerLog {
  info(fields: Readonly<Record<string, unknown>>, message: string): void
  warn(fields: Readonly<Record<string, unknown>>, message: string): void
  error(fields: Readonly<Record<string, unknown>>, message: string): void
}

export interface ServerOptions {
  /** Address to listen on, such as `127.0.0.1` or `::1`. */
  readonly host: string
  /** 0 picks a free port. */
  readonly port: number
  readonly clock: Clock
  readonly log: ServerLog
  /** Serves `POST /write` for Influx clients. Default false. */
  readonly influxWrite?: boolean
  /** Listens beyond loopback although root still has the initial password. Default false. */
  readonly allowInitialPassword?: boolean
}

export interface RunningServer {
  /** `http://HOST:PORT` with the port really used. */
  readonly url: string
  /** Takes no new requests, cancels what still runs after `graceMs` (default 5000), and resolves when all is closed. */
  close(options?: { readonly graceMs?: number }): Promise<void>
}

/**
 * Serves CnosDB's HTTP API from one database, until closed. Rejects with USAGE when the address cannot be listened on,
 * or reaches beyond loopback while root still has the initial password. Does not close the database.
 */
export async function startServer(_database: Database, _options: ServerOptions): Promise<RunningServer> {
  throw new CnosError('INTERNAL', 'startServer is being written')
}
