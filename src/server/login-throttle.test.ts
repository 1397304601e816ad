import { describe, expect, it } from 'vitest'
import type { Clock } from '../async/clock.ts'
import { CnosError } from '../errors/cnos-error.ts'
import { LoginThrottle } from './login-throttle.ts'

/** A clock that jumps to the end of every sleep, and remembers how long they were. */
function jumpingClock() {
  const slept: number[] = []
  let now = 0
  const clock: Clock = {
    nowNs: () => BigInt(now) * 1_000_000n,
    elapsedMs: () => now,
    async sleep(ms) {
      slept.push(ms)
      now += ms
    },
    random: () => 0,
  }
  return { clock, slept, pass: (ms: number) => (now += ms) }
}

const refuse = async () => {
  throw new CnosError('ACCESS_DENIED', 'wrong')
}
const codeOf = (attempt: Promise<unknown>) =>
  attempt.then(
    () => 'in',
    (error: CnosError) => error.errorName,
  )

describe('LoginThrottle', () => {
  it('holds refusals back, longer and longer, after three', async () => {
    const { clock, slept } = jumpingClock()
    const throttle = new LoginThrottle(clock)
    for (let i = 0; i < 10; i += 1) expect(await codeOf(throttle.attempt('a', 'u', refuse))).toBe('ACCESS_DENIED')
    expect(slept).toEqual([250, 500, 1000, 2000, 4000, 5000, 5000])
  })

  it('forgives after a right password, and after a quarter of an hour', async () => {
    const { clock, slept, pass } = jumpingClock()
    const throttle = new LoginThrottle(clock)
    for (let i = 0; i < 3; i += 1) await codeOf(throttle.attempt('a', 'u', refuse))
    expect(await throttle.attempt('a', 'u', async () => 'in')).toBe('in')
    for (let i = 0; i < 3; i += 1) await codeOf(throttle.attempt('a', 'u', refuse))
    pass(15 * 60_000)
    for (let i = 0; i < 3; i += 1) await codeOf(throttle.attempt('a', 'u', refuse))
    expect(slept).toEqual([])
  })

  it('tries only a few at once after that, and other users and addresses go on', async () => {
    const throttle = new LoginThrottle(jumpingClock().clock)
    for (let i = 0; i < 3; i += 1) await codeOf(throttle.attempt('a', 'u', refuse))
    let open: (result: string) => void = () => {}
    const gate = new Promise<string>((resolve) => {
      open = resolve
    })
    const held = Array.from({ length: 4 }, () => throttle.attempt('a', 'u', () => gate))
    expect(await codeOf(throttle.attempt('a', 'u', async () => 'in'))).toBe('LIMIT_REACHED')
    expect(await codeOf(throttle.attempt('a', 'v', async () => 'in'))).toBe('in')
    expect(await codeOf(throttle.attempt('b', 'u', async () => 'in'))).toBe('in')
    open('in')
    expect(await Promise.all(held)).toEqual(['in', 'in', 'in', 'in'])
  })

  it('counts by address as well, so that many users cannot be tried', async () => {
    const { clock, slept } = jumpingClock()
    const throttle = new LoginThrottle(clock)
    for (let i = 0; i < 32; i += 1) await codeOf(throttle.attempt('a', `u${i}`, refuse))
    expect(slept).toEqual([250, 500])
  })

  it('counts only refused passwords', async () => {
    const { clock, slept } = jumpingClock()
    const throttle = new LoginThrottle(clock)
    const broken = async () => {
      throw new CnosError('INTERNAL', 'broken')
    }
    for (let i = 0; i < 9; i += 1) expect(await codeOf(throttle.attempt('a', 'u', broken))).toBe('INTERNAL')
    expect(slept).toEqual([])
  })
})
