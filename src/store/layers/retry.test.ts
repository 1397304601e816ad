import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Abortable } from '../../async/abort.ts'
import type { Clock } from '../../async/clock.ts'
import { CnosError, isCnosError } from '../../errors/cnos-error.ts'
import { createRetrier as createNamedRetrier } from './retry.ts'

/** A retrier whose requests have no name. */
function createRetrier(...settings: Parameters<typeof createNamedRetrier>) {
  const retrier = createNamedRetrier(...settings)
  const stalled = () => new CnosError('STORE_UNAVAILABLE', 'stalled')
  return {
    run: <T>(attempt: Parameters<typeof retrier.run<T>>[0], { signal }: Abortable = {}) =>
      retrier.run(attempt, { signal, stalled }),
  }
}

/** Time passes only by sleeping. */
function fakeClock(random = () => 0.5): Clock & { readonly sleeps: number[] } {
  let nowMs = 0
  const sleeps: number[] = []
  return {
    sleeps,
    nowNs: () => BigInt(Math.round(nowMs)) * 1_000_000n,
    elapsedMs: () => nowMs,
    random,
    async sleep(ms, { signal } = {}) {
      signal?.throwIfAborted()
      sleeps.push(ms)
      nowMs += ms
    },
  }
}

const unavailable = (retryAfterMs?: number) =>
  new CnosError('STORE_UNAVAILABLE', 'busy', retryAfterMs === undefined ? {} : { context: { retryAfterMs } })

/** Fails `times` times, then gives the number of tries. */
function failing(times: number, error: () => unknown = () => unavailable()) {
  let tries = 0
  return async () => {
    tries += 1
    if (tries <= times) throw error()
    return tries
  }
}

describe('retry', () => {
  it('repeats what may succeed later', async () => {
    const clock = fakeClock()
    expect(await createRetrier(clock).run(failing(3))).toBe(4)
    expect(clock.sleeps).toEqual([50, 100, 200])
  })

  it('does not repeat what will not', async () => {
    const clock = fakeClock()
    for (const name of [
      'STORE_ACCESS_DENIED',
      'OBJECT_NOT_FOUND',
      'STORE_BAD_REQUEST',
      'STORE_PRECONDITION',
    ] as const) {
      const error = new CnosError(name, 'no')
      await expect(createRetrier(clock).run(failing(1, () => error))).rejects.toBe(error)
    }
    const foreign = new TypeError('a bug')
    await expect(createRetrier(clock).run(failing(1, () => foreign))).rejects.toBe(foreign)
    expect(clock.sleeps).toEqual([])
  })

  it('gives up after ten tries, says so, and keeps what is known', async () => {
    const clock = fakeClock(() => 0)
    const error = new CnosError('STORE_UNAVAILABLE', 'busy', { context: { path: 'x', status: 503 }, hint: 'wait' })
    const result = await createRetrier(clock)
      .run(failing(100, () => error))
      .catch((reason: unknown) => reason)
    expect(isCnosError(result, 'STORE_UNAVAILABLE')).toBe(true)
    expect(result).toMatchObject({
      message: 'busy (after 10 tries in 0.0 s)',
      context: { path: 'x', status: 503 },
      hint: 'wait',
    })
    expect(clock.sleeps).toHaveLength(9)
  })

  it('gives up rather than wait beyond 180 s', async () => {
    const clock = fakeClock(() => 1)
    await expect(createRetrier(clock).run(failing(100, () => unavailable(50_000)))).rejects.toThrow('after 4 tries')
    expect(clock.sleeps.reduce((a, b) => a + b)).toBeLessThanOrEqual(180_000)
  })

  it('waits as long as the store asks, and a little longer', async () => {
    const clock = fakeClock()
    await createRetrier(clock).run(failing(1, () => unavailable(7000)))
    expect(clock.sleeps).toEqual([7050])
  })

  it('spreads its pauses over all of [0, bound), bounds doubling to a limit', () =>
    fc.assert(
      fc.asyncProperty(fc.double({ min: 0, max: 0.999, noNaN: true }), async (chance) => {
        const clock = fakeClock(() => chance)
        await createRetrier(clock).run(failing(9))
        for (const [index, ms] of clock.sleeps.entries()) {
          expect(ms).toBeCloseTo(chance * Math.min(15_000, 100 * 2 ** index), 6)
        }
      }),
    ))

  it('stops retrying when the store has used up its retries, and earns them back by successes', async () => {
    const clock = fakeClock()
    const retrier = createRetrier(clock, { maxTries: 2 })
    for (let i = 0; i < 100; i += 1) await retrier.run(failing(99)).catch(() => {})
    expect(clock.sleeps).toHaveLength(100)
    await expect(retrier.run(failing(99))).rejects.toThrow(/^busy$/)
    for (let i = 0; i < 5; i += 1) await retrier.run(failing(0))
    await expect(retrier.run(failing(99))).rejects.toThrow('after 2 tries')
  })

  it('ends with the reason when aborted: before, between, inside', async () => {
    const reason = new Error('enough')
    await expect(createRetrier(fakeClock()).run(failing(0), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)

    const between = new AbortController()
    const clock = { ...fakeClock(), sleep: async () => between.abort(reason) }
    await expect(createRetrier(clock).run(failing(9), { signal: between.signal })).rejects.toBe(reason)

    const inside = new AbortController()
    const running = createRetrier(fakeClock()).run(
      ({ signal }) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('low level')))),
      { signal: inside.signal },
    )
    inside.abort(reason)
    await expect(running).rejects.toBe(reason)
  })

  it('aborts a try that moves nothing, and tries again', async () => {
    const retrier = createRetrier(fakeClock(), { stallMs: 30, maxTries: 3 })
    let tries = 0
    const result = await retrier.run(({ signal }) => {
      tries += 1
      if (tries === 3) return Promise.resolve('third')
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    })
    expect(result).toBe('third')
  })

  it('leaves no listener on a long-lived signal', async () => {
    const { signal } = new AbortController()
    const counts = { added: 0, removed: 0 }
    const add = signal.addEventListener.bind(signal)
    const remove = signal.removeEventListener.bind(signal)
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      counts.added += 1
      add(...args)
    }
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      counts.removed += 1
      remove(...args)
    }
    const retrier = createRetrier(fakeClock())
    for (let i = 0; i < 20; i += 1) await retrier.run(failing(1), { signal })
    expect(counts.added).toBe(40)
    expect(counts.removed).toBe(40)
  })
})
