import { expect, it } from 'vitest'
import type { Clock } from '../async/clock.ts'
import { CnosError } from '../errors/cnos-error.ts'
import { createSilence } from './silence.ts'

function stoppedClock() {
  let now = 0
  const clock: Clock = { nowNs: () => 0n, elapsedMs: () => now, sleep: async () => {}, random: () => 0 }
  return {
    clock,
    pass: (ms: number) => {
      now += ms
    },
  }
}

const REFUSED = new CnosError('CLUSTER_UNREACHABLE', 'h:1 does not answer: connect ECONNREFUSED')

it('gives up soon on a node that never answered, and later on one that did, for all that wait together', () => {
  const { clock, pass } = stoppedClock()
  const silence = createSilence('h:1', { clock })
  expect(silence.endure(REFUSED)).toBe(1)
  pass(2_000)
  expect(() => silence.endure(REFUSED)).toThrow(REFUSED)
  silence.ended()
  expect(silence.endure(REFUSED)).toBe(2)
  pass(59_000)
  expect(silence.endure(REFUSED)).toBe(2)
  pass(1_000)
  expect(() => silence.endure(REFUSED)).toThrow('h:1 does not answer: connect ECONNREFUSED (for 60 s)')
})

it('waits as long as it is told, and says once that it waits and once that it need not any more', () => {
  const { clock, pass } = stoppedClock()
  const notices: string[] = []
  const silence = createSilence('h:1', { clock, patienceMs: 300_000, notice: (message) => notices.push(message) })
  for (let i = 0; i < 4; i += 1) {
    expect(silence.endure(REFUSED)).toBe(1)
    pass(60_000)
  }
  silence.ended()
  silence.ended()
  expect(notices).toEqual([
    'h:1 does not answer: connect ECONNREFUSED; waiting for it, at most 300 s',
    'h:1 answers again after 240 s',
  ])
})
