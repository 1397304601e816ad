import fc from 'fast-check'
import { expect, it } from 'vitest'
import { isCnosError } from '../errors/cnos-error.ts'
import { parseByteSize, printByteSize } from './byte-size.ts'
import { DAY, parseDuration, printDuration } from './duration.ts'

it('prints durations that read back exactly', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 20n }), (ns) => {
      expect(parseDuration(printDuration(ns), 'TTL')).toBe(ns)
    }),
  )
})

it.each([
  ['INF', 'INF'],
  ['inf', 'INF'],
  ['30', 30n * DAY],
  ['30d', 30n * DAY],
  ['365 Days', 365n * DAY],
  ['1d 12h', (DAY * 3n) / 2n],
  ['5m', 300n * 10n ** 9n],
  ['1M', 2_630_016n * 10n ** 9n],
  ['11months 30days 3h 50m 24s', 365n * DAY],
] as const)('reads %s', (text, expected) => {
  expect(parseDuration(text, 'TTL')).toBe(expected)
})

it.each([
  [365n * DAY, '11months 30days 3h 50m 24s'],
  [31_557_600n * 10n ** 9n, '1year'],
  [7n * DAY, '7days'],
  [0n, '0s'],
] as const)('prints %s as humantime does', (ns, text) => {
  expect(printDuration(ns)).toBe(text)
})

it.each(['', 'abc', '1x', '1d-', '-1d', '1.5d'])('refuses %s and names the option', (text) => {
  try {
    parseDuration(text, 'TTL')
    expect.unreachable()
  } catch (error) {
    expect(isCnosError(error, 'BAD_OPTION') && error.message.includes('TTL')).toBe(true)
  }
})

it('prints sizes that read back exactly', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 16n }), (bytes) => {
      expect(parseByteSize(printByteSize(bytes), 'SIZE')).toBe(bytes)
    }),
  )
  expect(printByteSize(300_000_000n)).toBe('286.102294921875 MiB')
  expect(printByteSize(512n * 1024n ** 2n)).toBe('512 MiB')
  expect(parseByteSize('1GB', 'SIZE')).toBe(1_000_000_000n)
  expect(parseByteSize('128M', 'SIZE')).toBe(134_217_728n)
})
