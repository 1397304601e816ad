import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { CnosError } from '../errors/cnos-error.ts'
import { SpoolShares } from './spool-shares.ts'

describe('SpoolShares', () => {
  it('never gives more than there is', async () => {
    const shares = new SpoolShares(100)
    let inUse = 0
    let most = 0
    const work = async (bytes: number) => {
      inUse += bytes
      most = Math.max(most, inUse)
      await delay(2)
      inUse -= bytes
      return bytes
    }
    const greedy = async (bytes: number) => {
      if (bytes < 100) throw new CnosError('NO_SPACE', 'too small')
      return work(bytes)
    }
    const all = Array.from({ length: 20 }, (_, index) => shares.run(index % 3 === 0 ? greedy : work, {}))
    expect(new Set(await Promise.all(all))).toEqual(new Set([50, 100]))
    expect(most).toBe(100)
  })

  it('passes failures on, and what was held is free again', async () => {
    const shares = new SpoolShares(100)
    const failure = new CnosError('NO_SPACE', 'never enough')
    await expect(shares.run(() => Promise.reject(failure), {})).rejects.toBe(failure)
    await expect(shares.run(() => Promise.reject(new Error('other')), {})).rejects.toThrow('other')
    expect(await shares.run(async (bytes) => bytes, {})).toBe(50)
  })

  it('lets those behind an aborted one go on', async () => {
    const shares = new SpoolShares(100)
    let release = () => {}
    const held = shares.run(
      () =>
        new Promise<void>((resolve) => {
          release = resolve
        }),
      {},
    )
    const stop = new AbortController()
    const whole = shares.run(async (bytes) => (bytes < 100 ? Promise.reject(new CnosError('NO_SPACE', '')) : bytes), {
      signal: stop.signal,
    })
    await delay(5)
    const half = shares.run(async (bytes) => bytes, {})
    stop.abort(new Error('gone'))
    await expect(whole).rejects.toThrow('gone')
    expect(await half).toBe(50)
    release()
    await held
  })
})
