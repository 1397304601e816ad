import type { Abortable } from '../../async/abort.ts'
import type { Clock } from '../../async/clock.ts'
import { CnosError, isCnosError } from '../../errors/cnos-error.ts'
import type { Patience } from '../store-driver.ts'
import { linkAbort } from './link-abort.ts'

export const DEFAULT_PATIENCE: Patience = {
  maxTries: 10,
  maxElapsedMs: 180_000,
  baseDelayMs: 100,
  maxDelayMs: 15_000,
  stallMs: 30_000,
}

/** What a retry takes from the store's bucket and a success gives back, so that a sick store is not flooded. */
const BUCKET_TOKENS = 500
const RETRY_COST = 5
const SUCCESS_REFUND = 1

/** What to do when a try, known by its signal, has moved some bytes. */
const onProgress = new WeakMap<AbortSignal, () => void>()

/** Tells that the try with this signal has sent bytes: it is slow, but not stalled. */
export function reportProgress(signal: AbortSignal): void {
  onProgress.get(signal)?.()
}

interface Attempt {
  /** Aborts when the caller gives up or this try has moved nothing for too long. */
  readonly signal: AbortSignal
  /** Counted from 1. */
  readonly number: number
}

interface RetryOptions extends Abortable {
  /** Names the request in the STORE_UNAVAILABLE of a try that moved nothing for `stallMs`. */
  readonly stalled: (stallMs: number) => CnosError
}

/** Repeats single requests of one store. */
export interface Retrier {
  /**
   * Runs `attempt` until it succeeds, fails with an error that is not retryable, or patience ends; then rejects with
   * the last error, which says how often it was tried. Pauses by full jitter, obeys Retry-After, stops early when the
   * store has used up its retries. Rejects with `signal.reason` when aborted.
   */
  run<T>(attempt: (attempt: Attempt) => Promise<T>, options: RetryOptions): Promise<T>
}

/** One for each opened store: its requests share the bucket of retries. */
export function createRetrier(clock: Clock, patience: Partial<Patience> = {}): Retrier {
  const limits = { ...DEFAULT_PATIENCE, ...patience }
  const bucket = { tokens: BUCKET_TOKENS }
  return { run: (attempt, request) => runRetrying(attempt, { request, limits, clock, bucket }) }
}

interface RetryState {
  readonly request: RetryOptions
  readonly limits: Patience
  readonly clock: Clock
  readonly bucket: { tokens: number }
}

async function runRetrying<T>(attempt: (attempt: Attempt) => Promise<T>, state: RetryState): Promise<T> {
  const { request, limits, clock, bucket } = state
  const startedMs = clock.elapsedMs()
  for (let number = 1; ; number += 1) {
    request.signal?.throwIfAborted()
    try {
      const result = await withDeadline((signal) => attempt({ signal, number }), state)
      bucket.tokens = Math.min(BUCKET_TOKENS, bucket.tokens + SUCCESS_REFUND)
      return result
    } catch (error) {
      request.signal?.throwIfAborted()
      const elapsedMs = clock.elapsedMs() - startedMs
      const pauseMs = pauseAfter(error, number, state)
      if (pauseMs === undefined || elapsedMs + pauseMs > limits.maxElapsedMs) throw afterTries(error, number, elapsedMs)
      bucket.tokens -= RETRY_COST
      await clock.sleep(pauseMs, { signal: request.signal })
    }
  }
}

/** Milliseconds until the next try, or undefined when there is none. */
function pauseAfter(error: unknown, number: number, { limits, clock, bucket }: RetryState): number | undefined {
  if (!isCnosError(error) || !error.entry.retryable) return undefined
  if (number >= limits.maxTries || bucket.tokens < RETRY_COST) return undefined
  const jitterMs = clock.random() * Math.min(limits.maxDelayMs, limits.baseDelayMs * 2 ** (number - 1))
  return (error.context.retryAfterMs ?? 0) + jitterMs
}

function afterTries(error: unknown, tries: number, elapsedMs: number): unknown {
  if (tries === 1 || !isCnosError(error)) return error
  const seconds = (elapsedMs / 1000).toFixed(1)
  return new CnosError(error.errorName, `${error.message} (after ${tries} tries in ${seconds} s)`, {
    context: error.context,
    cause: error.cause,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  })
}

/** A try that has neither an answer nor progress for `stallMs` is aborted and STORE_UNAVAILABLE. */
async function withDeadline<T>(attempt: (signal: AbortSignal) => Promise<T>, state: RetryState): Promise<T> {
  const { stallMs } = state.limits
  const link = linkAbort(state.request.signal)
  const stalled = state.request.stalled(stallMs)
  const timer = setTimeout(() => link.abort(stalled), stallMs)
  onProgress.set(link.signal, () => timer.refresh())
  try {
    return await attempt(link.signal)
  } catch (error) {
    throw link.signal.reason === stalled ? stalled : error
  } finally {
    onProgress.delete(link.signal)
    clearTimeout(timer)
    link.unlink()
  }
}
