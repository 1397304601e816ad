import type { Precision } from '../model/schema.ts'

const TICKS_PER_SECOND: Readonly<Record<Precision, bigint>> = { NS: 1_000_000_000n, US: 1_000_000n, MS: 1_000n }
/** Digits after the second. */
export const FRACTION_DIGITS: Readonly<Record<Precision, number>> = { NS: 9, US: 6, MS: 3 }

const I64_MIN = -(2n ** 63n)
/** DuckDB keeps the two ends of the range for ±infinity, and cannot print a nanosecond time before this. */
const MIN_NS = -9_223_286_400_000_000_000n
const MAX_TICKS = 2n ** 63n - 2n

/** `ticks` in another unit; finer digits are cut, towards 1970. Undefined when the result does not fit. */
export function convertTicks(ticks: bigint, from: Precision, to: Precision): bigint | undefined {
  const [have, want] = [TICKS_PER_SECOND[from], TICKS_PER_SECOND[to]]
  const converted = want >= have ? ticks * (want / have) : ticks / (have / want)
  const min = to === 'NS' ? MIN_NS : I64_MIN + 2n
  return converted < min || converted > MAX_TICKS ? undefined : converted
}

/** Largest whole seconds for which `storeTime` is exact and in range, whatever the unit. */
export const MAX_FAST_SECONDS = 9_000_000_000

/**
 * Without `%`, which is slow for numbers of more than 31 bits: puts `seconds` and `nanoseconds` (both whole, not negative, seconds at most MAX_FAST_SECONDS) into a 64-bit slot of
 * `halves` as ticks of `unit`, without a bigint.
 */
export function storeTime(
  halves: Int32Array,
  slot: number,
  seconds: number,
  nanoseconds: number,
  unit: Precision,
): void {
  if (unit === 'NS') {
    const upperSeconds = Math.floor(seconds / 65_536)
    const low = (seconds - upperSeconds * 65_536) * 1e9 + nanoseconds
    const upperLow = Math.floor(low / 65_536)
    const rest = upperSeconds * 1e9 + upperLow
    const high = Math.floor(rest / 65_536)
    halves[slot * 2] = (rest - high * 65_536) * 65_536 + (low - upperLow * 65_536)
    halves[slot * 2 + 1] = high
    return
  }
  const perSecond = unit === 'US' ? 1e6 : 1e3
  storeInteger(halves, slot, seconds * perSecond + Math.floor(nanoseconds / (1e9 / perSecond)))
}

/** Puts a whole number of at most 2^53 into a 64-bit slot, two's complement. */
export function storeInteger(halves: Int32Array, slot: number, value: number): void {
  const high = Math.floor(value / 4_294_967_296)
  halves[slot * 2] = value - high * 4_294_967_296
  halves[slot * 2 + 1] = high
}
