import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rangesBetween } from './merge-slices.ts'

describe('rangesBetween', () => {
  it('starts a range after every cut inside', () => {
    expect(rangesBetween(0n, 9n, [3n, 6n])).toEqual([
      { from: 0n, to: 3n },
      { from: 4n, to: 6n },
      { from: 7n, to: 9n },
    ])
  })

  it('takes cuts in any order, repeated, outside and at the edges', () => {
    expect(rangesBetween(0n, 9n, [9n, -5n, 6n, 0n, 6n, 12n])).toEqual([
      { from: 0n, to: 0n },
      { from: 1n, to: 6n },
      { from: 7n, to: 9n },
    ])
  })

  it('covers every tick once, whatever the cuts', () => {
    const tick = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
    fc.assert(
      fc.property(tick, tick, fc.array(tick), (a, b, cuts) => {
        const [min, max] = a < b ? [a, b] : [b, a]
        const ranges = rangesBetween(min, max, cuts)
        expect(ranges[0]?.from).toBe(min)
        expect(ranges.at(-1)?.to).toBe(max)
        for (const [index, { from, to }] of ranges.entries()) {
          expect(from <= to).toBe(true)
          if (index > 0) expect(from).toBe((ranges[index - 1]?.to ?? 0n) + 1n)
        }
      }),
    )
  })
})
