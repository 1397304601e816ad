import { CnosError } from '../errors/cnos-error.ts'

/** Nanoseconds, or for ever. */
export type Duration = bigint | 'INF'

const SECOND = 1_000_000_000n
const MINUTE = 60n * SECOND
const HOUR = 60n * MINUTE
export const DAY = 24n * HOUR
/** As humantime counts: 30.44 days and 365.25 days. */
const MONTH = 2_630_016n * SECOND
const YEAR = 31_557_600n * SECOND

const UNITS: readonly (readonly [bigint, readonly string[]])[] = [
  [1n, ['ns', 'nsec', 'nanos']],
  [1_000n, ['us', 'usec', 'micros', 'µs']],
  [1_000_000n, ['ms', 'msec', 'millis']],
  [SECOND, ['s', 'sec', 'secs', 'second', 'seconds']],
  [MINUTE, ['m', 'min', 'mins', 'minute', 'minutes']],
  [HOUR, ['h', 'hr', 'hrs', 'hour', 'hours']],
  [DAY, ['d', 'day', 'days']],
  [7n * DAY, ['w', 'wk', 'wks', 'week', 'weeks']],
  [MONTH, ['M', 'month', 'months']],
  [YEAR, ['y', 'yr', 'yrs', 'year', 'years']],
]

const UNIT_OF = new Map(UNITS.flatMap(([ns, names]) => names.map((name) => [name, ns] as const)))

/**
 * Reads `INF`, an integer (days), or humantime text such as `1d 12h`; `m` is minutes, `M` months. Also the spelling of
 * CnosDB 2.3 (`365 Days`). Throws BAD_OPTION for other text.
 */
export function parseDuration(text: string, option: string): Duration {
  const trimmed = text.trim()
  if (trimmed.toUpperCase() === 'INF') return 'INF'
  if (/^\d+$/.test(trimmed)) return BigInt(trimmed) * DAY
  const pieces = [...trimmed.matchAll(/\s*(\d+)\s*([A-Za-zµ]+)/gy)]
  const units = pieces.map(([, , unit = '']) => UNIT_OF.get(unit) ?? UNIT_OF.get(unit.toLowerCase()))
  const isWhole = pieces.length > 0 && pieces.map(([piece]) => piece).join('') === trimmed
  if (!isWhole || units.includes(undefined)) {
    throw new CnosError('BAD_OPTION', `Semantic error: '${text}' is not a valid duration for ${option}`, {
      hint: `write ${option} 'INF', '30d', '1d 12h' or '1year'`,
    })
  }
  return pieces.reduce((sum, [, count = '0'], i) => sum + BigInt(count) * (units[i] as bigint), 0n)
}

const PRINTED: readonly (readonly [bigint, string, 'plural' | 'short'])[] = [
  [YEAR, 'year', 'plural'],
  [MONTH, 'month', 'plural'],
  [DAY, 'day', 'plural'],
  [HOUR, 'h', 'short'],
  [MINUTE, 'm', 'short'],
  [SECOND, 's', 'short'],
  [1_000_000n, 'ms', 'short'],
  [1_000n, 'us', 'short'],
  [1n, 'ns', 'short'],
]

/** humantime text, exact: it reads back to the same number of nanoseconds. */
export function printDuration(duration: Duration): string {
  if (duration === 'INF') return 'INF'
  const words: string[] = []
  let rest = duration
  for (const [ns, unit, style] of PRINTED) {
    const count = rest / ns
    rest %= ns
    if (count > 0n) words.push(`${count}${unit}${style === 'plural' && count > 1n ? 's' : ''}`)
  }
  return words.length === 0 ? '0s' : words.join(' ')
}
