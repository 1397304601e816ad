import { once } from 'node:events'
import type { Clock } from '../async/clock.ts'
import { gatherBytes, peek, through } from './byte-streams.ts'
import type { ResponseEncoding } from './compression.ts'
import type { Exchange, ServerContext } from './exchange.ts'

/** Text gathered before it is sent; an answer below twice this fails cleanly, with a status. */
const BUFFER_BYTES = 64 * 1024
/** A client that takes nothing for so long loses its connection, and its statement ends. */
const STALL_MS = 5 * 60_000

export interface TextResult {
  readonly contentType: string
  readonly encoding: ResponseEncoding
}

/**
 * Answers 200 with `pieces`, as fast as the client reads. A failure before the first byte rejects with nothing sent;
 * a later one rejects after the connection was reset, so that no broken answer looks whole.
 */
export async function sendText(
  exchange: Exchange,
  context: ServerContext,
  { contentType, encoding }: TextResult,
  pieces: AsyncIterable<string>,
): Promise<void> {
  const { response } = exchange
  const { whole, all } = await peek(gatherBytes(pieces, BUFFER_BYTES))
  exchange.signal.throwIfAborted()
  const headers = {
    'content-type': contentType,
    ...(encoding.name === undefined ? {} : { 'content-encoding': encoding.name }),
  }
  if (whole && !encoding.compress) {
    response.writeHead(200, { ...headers, 'content-length': whole.length })
    response.end(whole)
    context.metrics.count('cnosdb_result_bytes_total', whole.length)
    return
  }
  response.writeHead(200, headers)
  try {
    await writeAll(exchange, context, encoding.compress ? through(all, encoding.compress()) : all)
  } catch (error) {
    response.socket?.resetAndDestroy()
    throw error
  }
}

async function writeAll(
  { response, signal }: Exchange,
  { clock, metrics }: ServerContext,
  bytes: AsyncIterable<Uint8Array>,
): Promise<void> {
  for await (const buffer of bytes) {
    signal.throwIfAborted()
    metrics.count('cnosdb_result_bytes_total', buffer.length)
    if (response.write(buffer)) continue
    await withDeadline(clock, STALL_MS, signal, (limited) => once(response, 'drain', { signal: limited }))
  }
  signal.throwIfAborted()
  response.end()
}

/** Runs `wait` with a signal that also aborts after `ms`. */
async function withDeadline(
  clock: Clock,
  ms: number,
  signal: AbortSignal,
  wait: (signal: AbortSignal) => Promise<unknown>,
): Promise<void> {
  const late = new AbortController()
  const done = new AbortController()
  clock.sleep(ms, { signal: done.signal }).then(
    () => late.abort(new Error('The client stopped reading.')),
    () => {},
  )
  try {
    await wait(AbortSignal.any([signal, late.signal]))
  } catch (error) {
    signal.throwIfAborted()
    late.signal.throwIfAborted()
    throw error
  } finally {
    done.abort()
  }
}
