import type { Abortable } from '../async/abort.ts'
import type { ClusterClient } from '../client/cluster-client.ts'
import { CnosError } from '../errors/cnos-error.ts'
import type { TableInfo } from './cluster-metadata.ts'
import { quoteColumns, quoteTable } from './place.ts'
import { type CopyUnit, parseTimeNs, printTimeNs, type TimeWindow, unitDirectory } from './unit.ts'

/** Which rows of the chosen tables; absent bounds are open. */
export interface TimeRange {
  readonly fromNs: bigint | undefined
  readonly toNs: bigint | undefined
}

export interface WindowOptions {
  readonly range: TimeRange
  /** Width of a window, or `auto`: as many as keep each near `rowsPerUnit`. */
  readonly window: bigint | 'auto'
  readonly rowsPerUnit: bigint
}

const MAX_UNITS_PER_TABLE = 10_000n
/** Once 2 windows hold more than their share of rows, they are cut again, at most this often. */
const MAX_DEPTH = 20

export interface TablePlan {
  /** None for an empty table. */
  readonly units: readonly CopyUnit[]
  /** Rows that no unit holds, because they have no field. */
  readonly fieldless: bigint
}

/**
 * Cuts a table into units of bounded size: counts first, then equal time windows, then again those that came out too
 * full, for time series are seldom even.
 */
export async function planTable(
  client: ClusterClient,
  table: TableInfo,
  options: WindowOptions,
  { signal }: Abortable,
): Promise<TablePlan> {
  const whole = await measure(client, table, options.range, { signal })
  const units = await unitsOf(client, table, whole, options, { signal })
  await refuseGaps(client, table, whole, units, { signal })
  return { units, fieldless: whole.fieldless }
}

/** Throws BACKUP_MISMATCH when the units leave out rows that the table held before they were cut and holds still. */
async function refuseGaps(
  client: ClusterClient,
  table: TableInfo,
  whole: Measure,
  units: readonly CopyUnit[],
  { signal }: Abortable,
): Promise<void> {
  const covered = units.reduce((sum, { estimatedRows }) => sum + estimatedRows, 0n)
  if (covered >= whole.rows) return
  const span = { fromNs: whole.firstNs, toNs: whole.lastNs + 1n }
  const now = await measure(client, table, span, { signal })
  if (covered >= now.rows) return
  throw new CnosError(
    'BACKUP_MISMATCH',
    `${table.tenant}.${table.database}.${table.table}: ${now.rows} rows, but its time windows hold ${covered}`,
    { hint: 'run the same command again; if it repeats, export this table with --rows-per-unit 1000000000000' },
  )
}

async function unitsOf(
  client: ClusterClient,
  table: TableInfo,
  whole: Measure,
  options: WindowOptions,
  { signal }: Abortable,
): Promise<readonly CopyUnit[]> {
  if (whole.rows === 0n) return []
  const hasRange = options.range.fromNs !== undefined || options.range.toNs !== undefined
  if (options.window === 'auto' && whole.rows <= options.rowsPerUnit && !hasRange)
    return [unit(table, null, whole.rows)]
  const span: TimeWindow = { fromNs: whole.firstNs, toNs: whole.lastNs + 1n }
  if (options.window !== 'auto') {
    for (let width = options.window; ; width *= 2n) {
      const units = await unitsOfWidth(client, table, span, width, { signal })
      if (units) return units
    }
  }
  return cut(client, table, span, whole.rows, options.rowsPerUnit, 0, { signal })
}

/** One unit for each window that holds rows, over any gap in one step; undefined when there are too many. */
async function unitsOfWidth(
  client: ClusterClient,
  table: TableInfo,
  span: TimeWindow,
  width: bigint,
  { signal }: Abortable,
): Promise<CopyUnit[] | undefined> {
  const units: CopyUnit[] = []
  for (let fromNs = span.fromNs; fromNs < span.toNs; ) {
    const next = alignedStart(fromNs, width) + width
    const window = { fromNs, toNs: next < span.toNs ? next : span.toNs }
    const { rows } = await measure(client, table, window, { signal })
    if (rows > 0n) {
      if (units.push(unit(table, window, rows)) > MAX_UNITS_PER_TABLE) return undefined
      fromNs = window.toNs
    } else {
      const later = await measure(client, table, { fromNs: window.toNs, toNs: span.toNs }, { signal })
      if (later.rows === 0n) break
      fromNs = alignedStart(later.firstNs, width)
    }
  }
  return units
}

async function cut(
  client: ClusterClient,
  table: TableInfo,
  span: TimeWindow,
  rows: bigint,
  rowsPerUnit: bigint,
  depth: number,
  { signal }: Abortable,
): Promise<CopyUnit[]> {
  const width = span.toNs - span.fromNs
  if (rows <= rowsPerUnit || width <= 1n || depth >= MAX_DEPTH) return [unit(table, span, rows)]
  const pieces = (rows + rowsPerUnit - 1n) / rowsPerUnit
  const units: CopyUnit[] = []
  for (const window of fixedWindows(span, (width + pieces - 1n) / pieces)) {
    const found = await measure(client, table, window, { signal })
    if (found.rows === 0n) continue
    if (found.rows > rowsPerUnit * 2n) {
      // Only where its rows lie: a burst in a long silence is found at once.
      const inner = { fromNs: found.firstNs, toNs: found.lastNs + 1n }
      units.push(...(await cut(client, table, inner, found.rows, rowsPerUnit, depth + 1, { signal })))
    } else units.push(unit(table, window, found.rows))
  }
  return units
}

/** Half-open windows aligned to multiples of `widthNs`, so that the same option gives the same windows every night. */
export function fixedWindows(span: TimeWindow, widthNs: bigint): TimeWindow[] {
  const pieces = (span.toNs - span.fromNs) / widthNs + 2n
  const width = pieces > MAX_UNITS_PER_TABLE ? (span.toNs - span.fromNs) / MAX_UNITS_PER_TABLE + 1n : widthNs
  const windows: TimeWindow[] = []
  for (let start = alignedStart(span.fromNs, width); start < span.toNs; start += width) {
    const fromNs = start < span.fromNs ? span.fromNs : start
    const toNs = start + width > span.toNs ? span.toNs : start + width
    windows.push({ fromNs, toNs })
  }
  return windows
}

const alignedStart = (ns: bigint, width: bigint) => ns - (((ns % width) + width) % width)

function unit(table: TableInfo, window: TimeWindow | null, estimatedRows: bigint): CopyUnit {
  const { tenant, database, table: name } = table
  return {
    tenant,
    database,
    table: name,
    window,
    directory: unitDirectory(tenant, database, name, window),
    estimatedRows,
  }
}

/** The two halves of a unit that failed as a whole, or nothing when it cannot be cut further. */
export function halves(whole: CopyUnit, span: TimeWindow): readonly CopyUnit[] {
  const middle = span.fromNs + (span.toNs - span.fromNs) / 2n
  if (middle <= span.fromNs) return []
  return [
    { fromNs: span.fromNs, toNs: middle },
    { fromNs: middle, toNs: span.toNs },
  ].map((window) => ({
    ...whole,
    window,
    directory: unitDirectory(whole.tenant, whole.database, whole.table, window),
    estimatedRows: whole.estimatedRows / 2n,
  }))
}

export interface Measure {
  readonly rows: bigint
  /** Of these, the rows in which every field is NULL. */
  readonly fieldless: bigint
  readonly firstNs: bigint
  readonly lastNs: bigint
}

/** Count and time bounds of the rows in `range`. Throws BACKUP_MISMATCH for a time that cannot be read. */
export async function measure(
  client: ClusterClient,
  table: TableInfo,
  range: TimeRange,
  { signal }: Abortable,
): Promise<Measure> {
  const withField = `count(CASE WHEN ${hasFieldCondition(table)} THEN 1 END)`
  const sql = `SELECT count(*) AS n, ${withField} AS f, min("time") AS lo, max("time") AS hi FROM ${quoteTable(table.database, table.table)}${whereSql(rangeConditions(table, range))}`
  const [row] = await client.query(sql, { tenant: table.tenant, database: table.database, signal })
  const rows = BigInt(row?.n || '0')
  if (rows === 0n) return { rows, fieldless: 0n, firstNs: 0n, lastNs: 0n }
  const readTime = (text = '') => {
    const ns = parseTimeNs(text)
    if (ns !== undefined) return ns
    throw new CnosError('BACKUP_MISMATCH', `${table.tenant}.${table.database}.${table.table}: '${text}' is not a time`)
  }
  return { rows, fieldless: rows - BigInt(row?.f || '0'), firstNs: readTime(row?.lo), lastNs: readTime(row?.hi) }
}

/**
 * Conditions on time, as CnosDB pushes them down to its buckets. The bounds are whole ticks of the table's own precision:
 * compared with finer text, CnosDB rounds the text, and rows at a bound would be in no window, or in two. An end beyond
 * all times that there are is no condition: it could not be said.
 */
export function rangeConditions(table: TableInfo, { fromNs, toNs }: TimeRange): string[] {
  const tick = tickNs(table)
  const bound = (ns: bigint) => (ns % tick === 0n ? ns : alignedStart(ns, tick) + tick)
  return [
    ...(fromNs === undefined ? [] : [`"time" >= '${printTimeNs(bound(fromNs))}'`]),
    ...(toNs === undefined || bound(toNs) >= endOfTime(tick) ? [] : [`"time" < '${printTimeNs(bound(toNs))}'`]),
  ]
}

/** Servers count milliseconds far, but print and read times no further than microseconds reach. */
const endOfTime = (tickNs: bigint) => (2n ** 63n - 1n) * (tickNs === 1n ? 1n : 1_000n)

/** The width of a tick of the table's times; 1 where its precision is unknown. */
export function tickNs(table: Pick<TableInfo, 'columns'>): bigint {
  const type = table.columns.find(({ kind }) => kind === 'time')?.type.toUpperCase() ?? ''
  if (type.includes('MILLISECOND')) return 1_000_000n
  return type.includes('MICROSECOND') ? 1_000n : 1n
}

/**
 * Rows that have a field. Others can only come from dropping a column; CnosDB refuses to take such a row back (050034),
 * so they are left out of a backup and named.
 */
export function hasFieldCondition(table: TableInfo): string {
  const fields = table.columns.filter((column) => column.kind === 'field')
  return `(${fields.map((column) => `${quoteColumns([column.name])} IS NOT NULL`).join(' OR ')})`
}

export const whereSql = (conditions: readonly string[]) =>
  conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`
