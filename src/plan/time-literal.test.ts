import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nsPerTick, parseTimeText } from './time-literal.ts'

describe('parseTimeText', () => {
  it.each([
    ['1970-01-01T00:00:00Z', 0n],
    ['1970-01-01', 0n],
    ['2024-01-01T00:00:00Z', 1_704_067_200_000_000_000n],
    ['2024-01-01 00:00:00', 1_704_067_200_000_000_000n],
    ['2024-01-01 00:00', 1_704_067_200_000_000_000n],
    ['2024-01-01T000000', 1_704_067_200_000_000_000n],
    ['2024-01-01t08:00:00+08:00', 1_704_067_200_000_000_000n],
    ['2024-01-01T08:00:00+0800', 1_704_067_200_000_000_000n],
    ['2023-12-31T16:00:00 -08', 1_704_067_200_000_000_000n],
    ['2024-02-29T23:59:59.123456789', 1_709_251_199_123_456_789n],
    ['1969-12-31T23:59:59.999999999Z', -1n],
    ['1677-09-22T00:00:00', -9_223_286_400_000_000_000n],
    ['2262-04-11T23:47:16.854775806', 9_223_372_036_854_775_806n],
  ])('%s', (text, ticks) => {
    expect(parseTimeText(text, 'NS')).toBe(ticks)
  })

  it('cuts digits the precision does not keep', () => {
    expect(parseTimeText('1970-01-01T00:00:01.123456789Z', 'US')).toBe(1_123_456n)
    expect(parseTimeText('1970-01-01T00:00:01.123456789Z', 'MS')).toBe(1_123n)
    expect(parseTimeText('1969-12-31T23:59:59.9999Z', 'MS')).toBe(-1n)
  })

  it.each([
    '',
    'now',
    '2024-13-01',
    '2023-02-29',
    '2024-01-01T24:00:00',
    '2024-01-01T00:60',
    '2024',
    '1704067200',
    '2024-01-01T00:00:00+99:00',
  ])('refuses %j', (text) => {
    expect(parseTimeText(text, 'NS')).toBeUndefined()
  })

  it.each(['1677-09-21T00:00:00', '2262-04-12T00:00:00', '9999-12-31'])('overflows nanoseconds: %s', (text) => {
    expect(() => parseTimeText(text, 'NS')).toThrow('Timestamp overflow')
    expect(parseTimeText(text, 'MS')).toBeTypeOf('bigint')
  })

  it('agrees with Date on every millisecond', () => {
    fc.assert(
      fc.property(fc.integer({ min: -8_000_000_000_000, max: 8_000_000_000_000 }), (ms) => {
        const text = new Date(ms).toISOString()
        expect(parseTimeText(text, 'NS')).toBe(BigInt(ms) * nsPerTick('MS'))
        expect(parseTimeText(text, 'MS')).toBe(BigInt(ms))
      }),
    )
  })
})
