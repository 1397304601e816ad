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
