import { expect, it } from 'vitest'
import { fuzz } from './fuzz.ts'

const SEED = 20_240_301
/** `npm run fuzz` runs as many as it is told to. */
const CASES = 3_000
const MAX_MS = 30_000
/** Other tests run beside this one. */
const SLOW_MS = 20_000

it('answers mutated statements and line protocol, or refuses them, and stays alive', { timeout: 120_000 }, async () => {
  const { cases, succeeded, refused, failures } = await fuzz({
    seed: SEED,
    count: CASES,
    maxMs: MAX_MS,
    slowMs: SLOW_MS,
  })
  expect(failures).toEqual([])
  expect(succeeded + refused).toBe(cases)
  expect(succeeded).toBeGreaterThan(0)
  expect(refused).toBeGreaterThan(0)
})
