import fc from 'fast-check'
import { expect, it } from 'vitest'
import { parseTimeNs, printTimeNs, safeName } from './unit.ts'

it('prints and reads back any nanosecond of the supported range', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (ns) => {
      expect(parseTimeNs(printTimeNs(ns))).toBe(ns)
    }),
  )
})

it('prints and reads back what microsecond databases hold, and what Date says in its range', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (us) => {
      expect(parseTimeNs(printTimeNs(us * 1000n))).toBe(us * 1000n)
    }),
  )
  fc.assert(
    fc.property(fc.integer({ min: -62_167_219_200_000, max: 253_402_300_799_999 }), (ms) => {
      expect(printTimeNs(BigInt(ms) * 1_000_000n)).toBe(new Date(ms).toISOString().replace('Z', '000000'))
    }),
  )
})

it.each([
  ['10000-01-01T00:00:00', 253_402_300_800_000_000_000n],
  ['+10000-01-01', 253_402_300_800_000_000_000n],
  ['294247-01-10T04:00:54.775806', 9_223_372_036_854_775_806_000n],
  ['-1-01-01T00:00:00.000000000', -62_198_755_200_000_000_000n],
  ['0000-12-31 23:59:59.999', -62_135_596_800_001_000_000n],
  ['2024-02-30', undefined],
  ['2024-13-01', undefined],
  ['2024-01-01T24:00:00', undefined],
])('reads the time %s', (text, ns) => {
  expect(parseTimeNs(text)).toBe(ns)
})

it('keeps names apart, also where the file system ignores case', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), fc.string({ unit: 'binary', maxLength: 60 }), (a, b) => {
      if (Buffer.from(a).equals(Buffer.from(b))) return
      expect(safeName(a).toLowerCase()).not.toBe(safeName(b).toLowerCase())
    }),
  )
  expect(safeName('cpu_usage')).toBe('cpu_usage')
  expect(safeName('Air é/..')).toMatch(/^[a-z0-9_.-]+$/)
  expect(safeName('x'.repeat(500)).length).toBeLessThanOrEqual(120)
})
