/** 10^0 … 10^22 are exact as doubles. */
export const POWERS_OF_TEN = Array.from({ length: 23 }, (_, power) => Number(`1e${power}`))
/** Splits a double into two halves of 26 bits (Dekker). */
const SPLITTER = 2 ** 27 + 1

/** The most digits, and the most after the point, that `decimalToDouble` takes. */
export const MAX_DIGITS = 19
export const MAX_FRACTION = 22

/**
 * The double nearest to (`leading` × 10^`restDigits` + `rest`) / 10^`fraction`, as a parser of its text would round it;
 * NaN in the rare case that two doubles are too nearly as near. `leading` holds up to 15 digits, `rest` up to 4.
 *
 * A quotient of two exact doubles is rounded once, which is right. With more than 15 digits the dividend needs two
 * doubles; the remainder of the first quotient then tells on which side of it the true one lies.
 */
export function decimalToDouble(leading: number, rest: number, restDigits: number, fraction: number): number {
  const divisor = POWERS_OF_TEN[fraction] as number
  if (restDigits === 0) return leading / divisor
  const scale = POWERS_OF_TEN[restDigits] as number
  const low = leading % 33_554_432
  const upper = (leading - low) * scale
  const lower = low * scale + rest
  const sum = upper + lower
  const lost = lower - (sum - upper)
  const quotient = sum / divisor
  const correction = (sum - quotient * divisor - productError(quotient, divisor) + lost) / divisor
  const doubt = Math.abs(correction) * 2 ** -49
  const result = quotient + correction
  const isCertain = quotient + (correction + doubt) === result && quotient + (correction - doubt) === result
  return isCertain ? result : Number.NaN
}

/** a × b minus its rounded product, exactly. */
function productError(a: number, b: number): number {
  const aBig = SPLITTER * a - (SPLITTER * a - a)
  const bBig = SPLITTER * b - (SPLITTER * b - b)
  const aSmall = a - aBig
  const bSmall = b - bBig
  return aSmall * bSmall - (a * b - aBig * bBig - aSmall * bBig - aBig * bSmall)
}
