import { createHash } from 'node:crypto'

/** Half open: `fromNs` is in, `toNs` is out. Nanoseconds since 1970. */
export interface TimeWindow {
  readonly fromNs: bigint
  readonly toNs: bigint
}

/** The unit of everything: copy, retry, resume, verify, progress. */
export interface CopyUnit {
  readonly tenant: string
  readonly database: string
  readonly table: string
  /** null: the whole table. */
  readonly window: TimeWindow | null
  /** Below the backup's location; only characters that CnosDB keeps as they are in a path. */
  readonly directory: string
  readonly estimatedRows: bigint
}

/** Stable name of a unit: what the journal and messages call it. */
export function unitId(unit: CopyUnit): string {
  return unit.directory
}

/** `tenant.database.table [from, to)`, for people. */
export function describeUnit(unit: Pick<CopyUnit, 'tenant' | 'database' | 'table' | 'window'>): string {
  const name = `${unit.tenant}.${unit.database}.${unit.table}`
  return unit.window ? `${name} [${printTimeNs(unit.window.fromNs)}, ${printTimeNs(unit.window.toNs)})` : name
}

export function unitDirectory(tenant: string, database: string, table: string, window: TimeWindow | null): string {
  const last = window ? `${printTicks(window.fromNs)}_${printTicks(window.toNs)}` : 'all'
  return `data/${safeName(tenant)}/${safeName(database)}/${safeName(table)}/${last}`
}

const printTicks = (ns: bigint) => (ns < 0n ? `m${-ns}` : String(ns))

const LONGEST_NAME = 120

/**
 * A name as one path segment that every file system and object store keeps apart and CnosDB does not re-encode:
 * lower-case letters, digits, `_` and `-` stay, any other byte becomes `.HH`; long names end in a hash.
 */
export function safeName(name: string): string {
  const safe = [...Buffer.from(name, 'utf8')]
    .map((byte) => {
      const character = String.fromCharCode(byte)
      return /[a-z0-9_-]/.test(character) ? character : `.${byte.toString(16).padStart(2, '0')}`
    })
    .join('')
  if (safe.length <= LONGEST_NAME) return safe
  return `${safe.slice(0, LONGEST_NAME - 33)}-${createHash('sha256').update(name).digest('hex').slice(0, 32)}`
}

const NS_PER_SECOND = 1_000_000_000n
const NS_PER_DAY = 86_400n * NS_PER_SECOND

/**
 * `2024-01-01T00:00:00.000000000`, UTC, nine digits: what CnosDB's CSV shows and its SQL reads. Years are proleptic
 * Gregorian, 0 is the one before 1: millisecond databases reach far beyond what a JavaScript Date can say.
 */
export function printTimeNs(ns: bigint): string {
  const inDay = ((ns % NS_PER_DAY) + NS_PER_DAY) % NS_PER_DAY
  const { year, month, day } = dateOfDay(Number((ns - inDay) / NS_PER_DAY))
  const two = (n: number) => String(n).padStart(2, '0')
  const seconds = Number(inDay / NS_PER_SECOND)
  const clock = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60].map(two).join(':')
  const fraction = String(inDay % NS_PER_SECOND).padStart(9, '0')
  return `${year < 0 ? '-' : ''}${String(Math.abs(year)).padStart(4, '0')}-${two(month)}-${two(day)}T${clock}.${fraction}`
}

/** Reads `2024-01-01`, `2024-01-01T00:00:00[.fraction][Z]` (a blank may stand for the T), UTC; undefined for other text. */
export function parseTimeNs(text: string): bigint | undefined {
  const match = /^([+-]?\d{1,6})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?Z?)?$/.exec(text.trim())
  if (!match) return undefined
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((part = '0') => Number(part))
  const days = dayOfDate(year, month, day)
  const read = dateOfDay(days)
  if (read.month !== month || read.day !== day || hour > 23 || minute > 59 || second > 59) return undefined
  const seconds = BigInt(hour * 3600 + minute * 60 + second)
  return BigInt(days) * NS_PER_DAY + seconds * NS_PER_SECOND + BigInt((match[7] ?? '').padEnd(9, '0'))
}

const DAYS_PER_ERA = 146_097

/** Days since 1970 of a date; the year is taken to begin in March, so that the leap day ends it. */
function dayOfDate(year: number, month: number, day: number): number {
  const y = month > 2 ? year : year - 1
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1
  return (
    era * DAYS_PER_ERA + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468
  )
}

function dateOfDay(days: number): { readonly year: number; readonly month: number; readonly day: number } {
  const era = Math.floor((days + 719_468) / DAYS_PER_ERA)
  const dayOfEra = days + 719_468 - era * DAYS_PER_ERA
  const leaps = Math.floor(dayOfEra / 1460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096)
  const yearOfEra = Math.floor((dayOfEra - leaps) / 365)
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const fromMarch = Math.floor((5 * dayOfYear + 2) / 153)
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * fromMarch + 2) / 5) + 1,
  }
}
