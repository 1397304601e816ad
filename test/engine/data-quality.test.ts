import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Point, qualityOf } from './data-quality-reference.ts'
import { openSelectFixture, type SelectFixture } from './select-fixture.ts'

let fixture: SelectFixture
beforeAll(async () => {
  fixture = await openSelectFixture()
})
afterAll(() => fixture.close())

const STEP = 1000
const gap = fc.oneof(
  { weight: 3, arbitrary: fc.constant(STEP) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(...[0.1, 0.25, 0.5, 0.6, 1.5, 2, 3, 5, 9, 10, 12].map((part) => part * STEP)),
  },
)
const value = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -8, max: 8 }).map((eighths) => eighths / 8) },
  { weight: 1, arbitrary: fc.constantFrom(1000, Number.NaN, Number.POSITIVE_INFINITY) },
)
const series = fc
  .array(fc.tuple(gap, value), { minLength: 2, maxLength: 60 })
  .map((steps) => {
    let time = 0
    return steps.map(([step, each]): Point => {
      time += step
      return [time, each]
    })
  })
  .filter((points) => points.filter(([, each]) => Number.isFinite(each)).length >= 2)

const sqlOf = (each: number) => (Number.isNaN(each) ? 'acos(2)' : Number.isFinite(each) ? String(each) : '1.0 / 0')
const rowsOf = (points: readonly Point[], group: number) =>
  points.map(([time, each]) => `(${group}, to_timestamp(${time}), ${sqlOf(each)})`)

it('measures series as the published procedure does', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(series, { minLength: 40, maxLength: 40 }), async (all) => {
      const rows = all.flatMap(rowsOf).reverse().join(', ')
      const measures = ['completeness', 'consistency', 'timeliness', 'validity']
      const selected = measures.map((name) => `${name}(time, v) AS ${name}`).join(', ')
      const found = await fixture.query(
        `SELECT g, ${selected} FROM (VALUES ${rows}) AS s(g, time, v) GROUP BY g ORDER BY g`,
      )
      found.forEach((row, at) => {
        for (const [name, expected] of Object.entries(qualityOf(all[at] as readonly Point[]))) {
          expect(row[name], `${name} of ${JSON.stringify(all[at])}`).toBeCloseTo(expected, 9)
        }
      })
      expect(found).toHaveLength(all.length)
    }),
    { numRuns: 8 },
  )
})
