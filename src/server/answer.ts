import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../async/clock.ts'
import { CnosError, isCnosError } from '../errors/cnos-error.ts'
import { sendEmpty, sendError } from './error-response.ts'
import type { Exchange, Route, ServerContext } from './exchange.ts'
import type { ServerLog } from './http-server.ts'
import { PayloadTooLarge } from './request-body.ts'

export interface Request {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly routes: readonly Route[]
  readonly context: ServerContext
  readonly log: ServerLog
  /** Aborts when the server stops waiting for what runs. */
  readonly closing: AbortSignal
}

const UNREAD_BODY_MS = 5_000

/** Answers one request, whatever happens; never rejects. */
export async function answer({ request, response, routes, context, log, closing }: Request): Promise<void> {
  const startedMs = context.clock.elapsedMs()
  const gone = new AbortController()
  response.on('close', () => {
    if (!response.writableFinished) gone.abort(new ClientGone())
  })
  response.on('error', () => gone.abort(new ClientGone()))
  const url = urlOf(request)
  const exchange: Exchange = {
    request,
    response,
    query: url?.searchParams ?? new URLSearchParams(),
    signal: AbortSignal.any([gone.signal, closing]),
  }
  const path = routes.find((route) => route.path === url?.pathname)?.path ?? 'other'
  context.metrics.count('cnosdb_http_requests_running', 1)
  try {
    await dispatch(exchange, routes, url?.pathname, context)
  } catch (error) {
    report(error, exchange, context, log)
  } finally {
    leaveUnread(exchange, context.clock)
    context.metrics.count('cnosdb_http_requests_running', -1)
    const status = String(response.statusCode)
    context.metrics.count('cnosdb_http_requests_total', 1, { path, status })
    const elapsedMs = Math.round(context.clock.elapsedMs() - startedMs)
    log.debug({ method: request.method, path: url?.pathname, status: response.statusCode, elapsedMs }, 'request')
  }
}

/** The reason of a statement that ends because nobody waits for it. */
class ClientGone extends Error {
  constructor() {
    super('The client closed the connection.')
  }
}

function urlOf(request: IncomingMessage): URL | undefined {
  return URL.canParse(request.url ?? '', 'http://localhost')
    ? new URL(request.url ?? '', 'http://localhost')
    : undefined
}

function dispatch(
  exchange: Exchange,
  routes: readonly Route[],
  path: string | undefined,
  context: ServerContext,
): Promise<void> | void {
  const route = routes.find((r) => r.path === path)
  if (!route) return sendEmpty(exchange.response, 404)
  if (!route.methods.includes(exchange.request.method ?? '')) {
    exchange.response.setHeader('allow', route.methods.join(', '))
    return sendEmpty(exchange.response, 405)
  }
  return route.handle(exchange, context)
}

function report(error: unknown, exchange: Exchange, { metrics }: ServerContext, log: ServerLog): void {
  const { response, request } = exchange
  if (error instanceof ClientGone) return
  const code = isCnosError(error) ? error.code : 'none'
  metrics.count('cnosdb_errors_total', 1, { code })
  if (response.headersSent) {
    metrics.count('cnosdb_http_streams_broken_total')
    log.warn({ code, reason: String(error), path: request.url?.split('?')[0] }, 'an answer broke off')
    response.destroy()
  } else if (error instanceof PayloadTooLarge) {
    sendEmpty(response, 413)
  } else {
    sendError(response, error)
  }
  const isOurs = isCnosError(error) && error.entry.kind !== 'internal'
  if (isOurs || error instanceof PayloadTooLarge) return
  const detail = error instanceof CnosError ? { code, cause: error.cause } : {}
  log.error({ error, ...detail, path: request.url?.split('?')[0] }, 'a request failed for a reason of our own')
}

/** Node throws away what is left of a body nobody wanted, so that the client can read the answer; not for ever. */
function leaveUnread({ request, response }: Exchange, clock: Clock): void {
  if (request.complete || response.destroyed) return
  const cut = () => {
    if (!request.complete) request.socket.destroy()
  }
  clock.sleep(UNREAD_BODY_MS).then(cut, cut)
}
