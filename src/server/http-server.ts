import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Clock } from '../async/clock.ts'
import { Limit } from '../async/limit.ts'
import type { Database } from '../database.ts'
import { CnosError } from '../errors/cnos-error.ts'
import { answer } from './answer.ts'
import type { ServerContext } from './exchange.ts'
import { refuseInitialPassword } from './initial-password.ts'
import { LoginThrottle } from './login-throttle.ts'
import { Metrics } from './metrics.ts'
import { routesOf } from './routes.ts'

/** One structured event for the operator's log; holds no secret. */
export interface ServerLog {
  debug(fields: Readonly<Record<string, unknown>>, message: string): void
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
  readonly influxWrite?: boolean | undefined
  /** Listens beyond loopback although root still has the initial password. Default false. */
  readonly allowInitialPassword?: boolean | undefined
}

export interface RunningServer {
  /** `http://HOST:PORT` with the port really used. */
  readonly url: string
  /** Takes no new requests, cancels what still runs after `graceMs` (default 5000), and resolves when all is closed. */
  close(options?: { readonly graceMs?: number }): Promise<void>
}

const HEADERS_TIMEOUT_MS = 15_000
/** For a whole request, its body included. */
const REQUEST_TIMEOUT_MS = 10 * 60_000
const KEEP_ALIVE_MS = 65_000
const MAX_CONNECTIONS = 1024
const LARGE_BODIES = 2

/**
 * Serves CnosDB's HTTP API from one database, until closed. Rejects with USAGE when the address cannot be listened on,
 * or reaches beyond loopback while root still has the initial password. Does not close the database.
 */
export async function startServer(database: Database, options: ServerOptions): Promise<RunningServer> {
  await refuseInitialPassword(database, options)
  const { clock, log } = options
  const context: ServerContext = {
    database,
    clock,
    metrics: new Metrics(),
    logins: new LoginThrottle(clock),
    largeBodies: new Limit(LARGE_BODIES),
  }
  const routes = routesOf({ influxWrite: options.influxWrite ?? false })
  const closing = new AbortController()
  const running = new Set<Promise<void>>()
  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    const task = answer({ request, response, routes, context, log, closing: closing.signal })
    running.add(task)
    task.finally(() => running.delete(task))
  }
  const server = createConfiguredServer(onRequest)
  await listen(server, options)
  return {
    url: urlOf(server.address() as AddressInfo),
    async close({ graceMs = 5_000 } = {}) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeIdleConnections()
      const finished = new AbortController()
      const allDone = Promise.allSettled([...running]).then(() => finished.abort())
      await Promise.race([allDone, clock.sleep(graceMs, { signal: finished.signal }).catch(() => {})])
      closing.abort(new CnosError('SERVER_CLOSED', 'The server is shutting down'))
      await Promise.allSettled([...running])
      server.closeAllConnections()
      await closed
    },
  }
}

function createConfiguredServer(onRequest: (request: IncomingMessage, response: ServerResponse) => void): Server {
  const server = createServer({
    keepAlive: true,
    keepAliveInitialDelay: 30_000,
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: 5_000,
  })
  server.maxConnections = MAX_CONNECTIONS
  server.on('request', onRequest)
  server.on('checkContinue', onRequest)
  server.on('clientError', refuseMalformed)
  return server
}

const STATUS_OF_PARSER_ERROR: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
}

function refuseMalformed(error: NodeJS.ErrnoException, socket: Duplex): void {
  const status = STATUS_OF_PARSER_ERROR[error.code ?? ''] ?? '400 Bad Request'
  if (socket.writable) socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
  else socket.destroy()
}

async function listen(server: Server, { host, port }: ServerOptions): Promise<void> {
  try {
    server.listen({ host, port })
    await once(server, 'listening')
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    const reason = code === 'EADDRINUSE' ? 'the port is in use' : (code ?? String(cause))
    throw new CnosError('USAGE', `Cannot listen on ${host}:${port}: ${reason}`, {
      cause,
      hint: 'choose another address with --listen HOST:PORT; port 0 picks a free one',
    })
  }
}

function urlOf({ address, family, port }: AddressInfo): string {
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}
