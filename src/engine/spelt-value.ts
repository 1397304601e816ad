import type { EngineValue } from './engine.ts'

/**
 * The same spelling as `value-text.ts`, of values that have left the engine: DuckDB needs milliseconds to bind those
 * expressions, which is most of what an answer of a few rows costs.
 */

const NS_PER_SECOND = 1_000_000_000n

/** Nanoseconds in a tick, by type. */
const TICK_NS: Readonly<Record<string, bigint>> = { TIMESTAMP_NS: 1n, TIMESTAMP: 1_000n, TIMESTAMP_MS: 1_000_000n }
const OTHERS: ReadonlySet<string> = new Set(['VARCHAR', 'BIGINT', 'UBIGINT', 'BOOLEAN', 'DOUBLE'])

/** Whether `spellCsv` knows the type. */
export const canSpell = (type: string) => OTHERS.has(type) || Object.hasOwn(TICK_NS, type)

/** A field of CSV, as `csvField` makes it; NULL is empty. The delimiter is a comma or a tab. */
export function spellCsv(value: EngineValue, type: string, delimiter: ',' | '\t'): string {
  if (value === null) return ''
  if (type === 'DOUBLE') return spellDouble(Number(value))
  if (typeof value === 'bigint' && Object.hasOwn(TICK_NS, type)) return spellTime(value, type)
  const text = String(value)
  const isSpecial = text.includes(delimiter) || text.includes('"') || text.includes('\n') || text.includes('\r')
  return isSpecial ? `"${text.replaceAll('"', '""')}"` : text
}

function spellDouble(x: number): string {
  if (Number.isNaN(x)) return 'NaN'
  if (!Number.isFinite(x)) return x > 0 ? 'inf' : '-inf'
  if (Object.is(x, -0)) return '-0.0'
  const size = Math.abs(x)
  if (size === 0 || (size >= 1e-5 && size < 1e10)) return withFraction(String(x))
  const [digits = '', exponent] = x.toExponential().split('e')
  return `${withFraction(digits)}e${Number(exponent)}`
}

const withFraction = (digits: string) => (digits.includes('.') ? digits : `${digits}.0`)

const LARGEST = 2n ** 63n - 1n

function spellTime(ticks: bigint, type: string): string {
  if (type !== 'TIMESTAMP_NS' && (ticks === LARGEST || ticks === -LARGEST)) return ticks > 0n ? 'infinity' : '-infinity'
  const ns = ticks * (TICK_NS[type] as bigint)
  const fraction = remainder(ns, NS_PER_SECOND)
  return `${spellSeconds((ns - fraction) / NS_PER_SECOND)}.${String(fraction).padStart(9, '0')}`
}

/** After so many seconds, 400 years, the calendar repeats itself. */
const CYCLE_SECONDS = 146_097n * 86_400n
const CYCLE_YEARS = 400n

/** `2022-01-01T02:00:10`, also where a `Date` does not reach. */
function spellSeconds(seconds: bigint): string {
  const within = remainder(seconds, CYCLE_SECONDS)
  const date = new Date(Number(within) * 1000)
  const year = BigInt(date.getUTCFullYear()) + ((seconds - within) / CYCLE_SECONDS) * CYCLE_YEARS
  const yearText = year < 0n ? String(year) : String(year).padStart(4, '0')
  return `${yearText}${date.toISOString().slice(-'-01-01T00:00:00.000Z'.length, -'.000Z'.length)}`
}

const remainder = (value: bigint, divisor: bigint) => ((value % divisor) + divisor) % divisor
