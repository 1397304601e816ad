import { CnosError } from '../errors/cnos-error.ts'
import type { Precision } from '../model/schema.ts'

const TEXT =
  /^(\d{4,6})-(\d{2})-(\d{2})(?:(?:[Tt]|\s+)(\d{2}):?(\d{2})(?::?(\d{2})(?:\.(\d{1,9})\d*)?)?)?\s*(Z|z|[+-]\d{2}(?::?\d{2})?)?$/

const NS_PER_TICK: Readonly<Record<Precision, bigint>> = { NS: 1n, US: 1_000n, MS: 1_000_000n }

/** What DuckDB can store: whole days at the lower end, and the last tick stands for infinity. */
const TICK_RANGE: Readonly<Record<Precision, readonly [bigint, bigint]>> = {
  NS: [-9_223_286_400_000_000_000n, 9_223_372_036_854_775_806n],
  US: [-9_223_372_022_400_000_000n, 9_223_372_036_854_775_806n],
  MS: [-9_223_372_022_400_000n, 9_223_372_036_854_775n],
}

/** Nanoseconds in one tick of a database's precision. */
export function nsPerTick(precision: Precision): bigint {
  return NS_PER_TICK[precision]
}

/**
 * The time a text means, in ticks of `precision` since 1970; undefined when it is no time. A text without a zone is
 * UTC, digits finer than the precision are cut. TIMESTAMP_OVERFLOW when it does not fit into 64 bits.
 */
export function parseTimeText(text: string, precision: Precision): bigint | undefined {
  const match = TEXT.exec(text.trim())
  if (!match) return undefined
  const [, year, month, day, hour = '00', minute = '00', second = '00', fraction = '', zone = 'Z'] = match
  const date = { year: Number(year), month: Number(month), day: Number(day) }
  const time = { hour: Number(hour), minute: Number(minute), second: Number(second) }
  const offsetMinutes = zoneMinutes(zone)
  if (!isDate(date) || !isTime(time) || offsetMinutes === undefined) return undefined
  const seconds =
    daysSince1970(date) * 86_400n + BigInt(time.hour * 3600 + (time.minute - offsetMinutes) * 60 + time.second)
  const ns = seconds * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'))
  return checkTicks(floorDivide(ns, nsPerTick(precision)), precision, text)
}

/** TIMESTAMP_OVERFLOW unless `ticks` can be stored. */
export function checkTicks(ticks: bigint, precision: Precision, text: string): bigint {
  const [minimum, maximum] = TICK_RANGE[precision]
  if (ticks >= minimum && ticks <= maximum) return ticks
  throw new CnosError('TIMESTAMP_OVERFLOW', `Timestamp overflow: ${text} does not fit into precision ${precision}`, {
    context: { column: 'time', value: text },
    hint: "nanoseconds reach from 1677-09-22 to 2262-04-11; a database WITH PRECISION 'US' or 'MS' reaches further",
  })
}

function floorDivide(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor
  return value % divisor < 0n ? quotient - 1n : quotient
}

function zoneMinutes(zone: string): number | undefined {
  if (zone === 'Z' || zone === 'z') return 0
  const hours = Number(zone.slice(1, 3))
  const minutes = Number(zone.slice(3).replace(':', '') || '0')
  if (hours > 23 || minutes > 59) return undefined
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes)
}

interface CalendarDate {
  readonly year: number
  readonly month: number
  readonly day: number
}

const isLeap = (year: number) => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

function isDate({ year, month, day }: CalendarDate): boolean {
  const days = MONTH_DAYS[month - 1]
  if (days === undefined || day < 1) return false
  return day <= (month === 2 && isLeap(year) ? 29 : days)
}

const isTime = (time: { hour: number; minute: number; second: number }) =>
  time.hour < 24 && time.minute < 60 && time.second < 60

/** Days of the proleptic Gregorian calendar; years are counted from March so that the leap day comes last. */
function daysSince1970({ year, month, day }: CalendarDate): bigint {
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return BigInt(era * 146_097 + dayOfEra - 719_468)
}
