import { setTimeout as delay } from 'node:timers/promises'
import type { Abortable } from './abort.ts'

/** Time and chance as dependencies: tests own them. */
export interface Clock {
  /** Nanoseconds since 1970-01-01T00:00:00Z. */
  nowNs(): bigint
  /** Monotonic milliseconds, for durations. */
  elapsedMs(): number
  /** Resolves after `ms`; rejects with `signal.reason`. */
  sleep(ms: number, options?: Abortable): Promise<void>
  /** Uniform in [0, 1). */
  random(): number
}

export const systemClock: Clock = {
  nowNs: () => BigInt(Date.now()) * 1_000_000n,
  elapsedMs: () => performance.now(),
  async sleep(ms, { signal } = {}) {
    try {
      await delay(ms, undefined, signal ? { signal } : {})
    } catch (error) {
      signal?.throwIfAborted()
      throw error
    }
  },
  random: () => Math.random(),
}
