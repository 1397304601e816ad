import type { Readable } from 'node:stream'
import type { Abortable } from '../../async/abort.ts'
import { CnosError, type ErrorContext } from '../../errors/cnos-error.ts'

export interface GuardedBodyOptions extends Abortable {
  /** The bytes the store promised. */
  readonly expectedBytes: number
  readonly stallMs: number
  /** Names the object in errors. */
  readonly context: ErrorContext
}

/**
 * The bytes of a response: exactly `expectedBytes`, or an error. A break, a short end or `stallMs` without a byte is
 * STORE_UNAVAILABLE, so that the reader can go on where it stopped; time the consumer takes is not counted.
 * Leaving the loop destroys the stream.
 */
export async function* guardBody(stream: Readable, options: GuardedBodyOptions): AsyncGenerator<Uint8Array> {
  const { expectedBytes, signal } = options
  const onAbort = () => stream.destroy(signal?.reason instanceof Error ? signal.reason : new Error('aborted'))
  signal?.addEventListener('abort', onAbort, { once: true })
  if (signal?.aborted) onAbort()
  let received = 0
  try {
    for await (const chunk of withStallTimeout(stream, options)) {
      const left = expectedBytes - received
      received += chunk.byteLength
      yield chunk.byteLength > left ? chunk.subarray(0, left) : chunk
      if (received > expectedBytes) throw broken(options, 'sent more bytes than it promised')
    }
  } catch (error) {
    signal?.throwIfAborted()
    if (error instanceof CnosError) throw error
    throw broken(options, `the connection broke after ${received} of ${expectedBytes} bytes`, error)
  } finally {
    signal?.removeEventListener('abort', onAbort)
    stream.destroy()
  }
  signal?.throwIfAborted()
  if (received < expectedBytes) throw broken(options, `the answer ended after ${received} of ${expectedBytes} bytes`)
}

async function* withStallTimeout(stream: Readable, options: GuardedBodyOptions): AsyncGenerator<Uint8Array> {
  const iterator: AsyncIterator<Uint8Array> = stream[Symbol.asyncIterator]()
  while (true) {
    const timer = setTimeout(() => {
      stream.destroy(broken(options, `no byte arrived for ${Math.ceil(options.stallMs / 1000)} s`))
    }, options.stallMs)
    const next = await iterator.next().finally(() => clearTimeout(timer))
    if (next.done) return
    yield next.value
  }
}

function broken({ context }: GuardedBodyOptions, what: string, cause?: unknown): CnosError {
  const where = [context.store, context.path].filter((part) => part !== undefined).join('/')
  const code = cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : ''
  return new CnosError('STORE_UNAVAILABLE', `object store error: reading ${where}: ${what}${code}`, { context })
}
