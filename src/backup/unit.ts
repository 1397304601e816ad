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

/** `2024-01-01T00:00:00.000000000`, UTC, nine digits: what CnosDB's CSV shows and its SQL reads. */
export function printTimeNs(ns: bigint): string {
  const fraction = ((ns % NS_PER_SECOND) + NS_PER_SECOND) % NS_PER_SECOND
  const seconds = (ns - fraction) / NS_PER_SECOND
  return `${new Date(Number(seconds) * 1000).toISOString().slice(0, -5)}.${String(fraction).padStart(9, '0')}`
}

/** Reads `2024-01-01`, `2024-01-01T00:00:00[.fraction][Z]` (a blank may stand for the T), UTC; undefined for other text. */
export function parseTimeNs(text: string): bigint | undefined {
  const match = /^(-?\d{4,6}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?Z?)?$/.exec(text.trim())
  if (!match) return undefined
  const millis = Date.parse(`${match[1]}T${match[2] ?? '00:00:00'}Z`)
  if (Number.isNaN(millis)) return undefined
  return (BigInt(millis) / 1000n) * NS_PER_SECOND + BigInt((match[3] ?? '').padEnd(9, '0'))
}
