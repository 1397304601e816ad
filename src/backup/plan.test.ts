import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { TableInfo } from './cluster-metadata.ts'
import { fixedWindows, rangeConditions } from './plan.ts'
import { parseTimeNs } from './unit.ts'

const TICKS = { NANOSECOND: 1n, MICROSECOND: 1_000n, MILLISECOND: 1_000_000n } as const

const tableOf = (precision: string): TableInfo => ({
  tenant: 'cnosdb',
  database: 'public',
  table: 't',
  columns: [{ name: 'time', kind: 'time', type: `TIMESTAMP(${precision})`, codec: 'DEFAULT' }],
})

/** The bounds that the conditions of a window say. */
function boundsOf(table: TableInfo, window: { readonly fromNs: bigint; readonly toNs: bigint }) {
  const bounds = rangeConditions(table, window).map((condition) => parseTimeNs(condition.split("'")[1] ?? ''))
  return { fromNs: bounds[0] as bigint, toNs: bounds[1] as bigint }
}

it('cuts a span into windows that hold every time of the table once, whatever its precision', () => {
  const precision = fc.constantFrom(...(Object.keys(TICKS) as (keyof typeof TICKS)[]))
  const times = fc.array(fc.bigInt({ min: -40n, max: 40n }), { minLength: 1, maxLength: 20 })
  fc.assert(
    fc.property(precision, times, fc.bigInt({ min: 1n, max: 30_000_000n }), (name, ticks, width) => {
      const rows = ticks.map((tick) => tick * TICKS[name])
      const first = rows.reduce((a, b) => (a < b ? a : b))
      const last = rows.reduce((a, b) => (a > b ? a : b))
      const windows = fixedWindows(
        { fromNs: first, toNs: last + 1n },
        width < TICKS[name] / 4n ? TICKS[name] / 3n : width,
      )
      const bounds = windows.map((window) => boundsOf(tableOf(name), window))
      expect(bounds.every(({ fromNs, toNs }) => fromNs % TICKS[name] === 0n && toNs % TICKS[name] === 0n)).toBe(true)
      for (const row of rows) expect(bounds.filter(({ fromNs, toNs }) => row >= fromNs && row < toNs)).toHaveLength(1)
    }),
  )
})
