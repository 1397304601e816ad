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
    const units: CopyUnit[] = []
    for (const window of fixedWindows(span, options.window)) {
      const { rows } = await measure(client, table, window, { signal })
      if (rows > 0n) units.push(unit(table, window, rows))
    }
    return units
  }
  return cut(client, table, span, whole.rows, options.rowsPerUnit, 0, { signal })
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
    const isFull = found.rows > rowsPerUnit * 2n
    if (isFull) units.push(...(await cut(client, table, window, found.rows, rowsPerUnit, depth + 1, { signal })))
    else units.push(unit(table, window, found.rows))
  }
  return units
}

/** Half-open windows aligned to multiples of `widthNs`, so that the same option gives the same windows every night. */
export function fixedWindows(span: TimeWindow, widthNs: bigint): TimeWindow[] {
  const pieces = (span.toNs - span.fromNs) / widthNs + 2n
  const width = pieces > MAX_UNITS_PER_TABLE ? (span.toNs - span.fromNs) / MAX_UNITS_PER_TABLE + 1n : widthNs
  const windows: TimeWindow[] = []
  const offset = ((span.fromNs % width) + width) % width
  for (let start = span.fromNs - offset; start < span.toNs; start += width) {
    const fromNs = start < span.fromNs ? span.fromNs : start
    const toNs = start + width > span.toNs ? span.toNs : start + width
    windows.push({ fromNs, toNs })
  }
  return windows
}

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

/** Count and time bounds of the rows in `range`. */
export async function measure(
  client: ClusterClient,
  table: TableInfo,
  range: TimeRange,
  { signal }: Abortable,
): Promise<Measure> {
  const withField = `count(CASE WHEN ${hasFieldCondition(table)} THEN 1 END)`
  const sql = `SELECT count(*) AS n, ${withField} AS f, min("time") AS lo, max("time") AS hi FROM ${quoteTable(table.database, table.table)}${whereSql(rangeConditions(table, range))}`
  const [row] = await client.query(sql, { tenant: table.tenant, database: table.database, signal })
  return {
    rows: BigInt(row?.n || '0'),
    fieldless: BigInt(row?.n || '0') - BigInt(row?.f || '0'),
    firstNs: parseTimeNs(row?.lo ?? '') ?? 0n,
    lastNs: parseTimeNs(row?.hi ?? '') ?? 0n,
  }
}

/**
 * Conditions on time, as CnosDB pushes them down to its buckets. The bounds are whole ticks of the table's own precision:
 * compared with finer text, CnosDB rounds the text, and rows at a bound would be in no window, or in two.
 */
export function rangeConditions(table: TableInfo, { fromNs, toNs }: TimeRange): string[] {
  const tick = tickNs(table)
  const bound = (ns: bigint) => printTimeNs(ns % tick === 0n ? ns : ns - (((ns % tick) + tick) % tick) + tick)
  return [
    ...(fromNs === undefined ? [] : [`"time" >= '${bound(fromNs)}'`]),
    ...(toNs === undefined ? [] : [`"time" < '${bound(toNs)}'`]),
  ]
}

function tickNs(table: TableInfo): bigint {
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
