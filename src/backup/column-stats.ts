import type { Abortable } from '../async/abort.ts'
import type { ClusterClient } from '../client/cluster-client.ts'
import { CnosError } from '../errors/cnos-error.ts'
import type { ColumnInfo, TableInfo } from './cluster-metadata.ts'
import type { ColumnStats, DataFormat } from './manifest.ts'
import { quoteTable } from './place.ts'
import { whereSql } from './plan.ts'

const quote = (name: string) => `"${name.replaceAll('"', '""')}"`

export interface RowStats {
  readonly rows: bigint
  readonly columns: Readonly<Record<string, ColumnStats>>
}

/** Columns a single statement asks about; wider tables are asked in turns. */
const COLUMNS_PER_STATEMENT = 60

/** Row count, and per column its nulls, minimum and maximum, of the rows that meet `conditions`. */
export async function readStats(
  client: ClusterClient,
  table: TableInfo,
  conditions: readonly string[],
  { signal }: Abortable,
): Promise<RowStats> {
  const columns: Record<string, ColumnStats> = {}
  let rows = 0n
  for (let from = 0; from < table.columns.length; from += COLUMNS_PER_STATEMENT) {
    const some = table.columns.slice(from, from + COLUMNS_PER_STATEMENT)
    const items = some.flatMap(statItems)
    const sql = `SELECT count(*) AS n, ${items.join(', ')} FROM ${quoteTable(table.database, table.table)}${whereSql(conditions)}`
    const [row] = await client.query(sql, { tenant: table.tenant, database: table.database, signal })
    rows = BigInt(row?.n || '0')
    some.forEach((column, i) => {
      const nulls = String(rows - BigInt(row?.[`c${i}`] || '0'))
      const min = unsignedZero(column, row?.[`l${i}`] ?? '')
      const max = unsignedZero(column, row?.[`h${i}`] ?? '')
      columns[column.name] = { nulls, ...(min === '' ? {} : { min }), ...(max === '' ? {} : { max }) }
    })
  }
  return { rows, columns }
}

/** Of equal zeros either may be called the least or the greatest. */
const unsignedZero = ({ type }: ColumnInfo, value: string) => (type === 'DOUBLE' && value === '-0.0' ? '0.0' : value)

const countItem = ({ name }: ColumnInfo, i: number) => `count(${quote(name)}) AS c${i}`

function statItems(column: ColumnInfo, i: number): string[] {
  const name = quote(column.name)
  const count = countItem(column, i)
  const isOrdered = column.type !== 'BOOLEAN' && !column.type.startsWith('Geometry')
  return isOrdered ? [count, `min(${name}) AS l${i}`, `max(${name}) AS h${i}`] : [count]
}

/** What differs between two readings of the same rows, in words; empty when they agree. */
export function compareStats(expected: RowStats, found: RowStats): string[] {
  const differences = expected.rows === found.rows ? [] : [`${found.rows} rows instead of ${expected.rows}`]
  for (const [name, stats] of Object.entries(expected.columns)) {
    const other = found.columns[name]
    for (const key of ['nulls', 'min', 'max'] as const) {
      if (stats[key] !== other?.[key])
        differences.push(`column ${name}: ${key} is ${other?.[key] ?? 'absent'} instead of ${stats[key] ?? 'absent'}`)
    }
  }
  return differences
}

/** Throws BACKUP_MISMATCH when the rows have a time that a reader of this format does not take: text has years of four digits. */
export function refuseFarTimes(table: TableInfo, format: DataFormat, { columns }: RowStats): void {
  if (format === 'parquet') return
  const far = [columns.time?.min, columns.time?.max].find((time) => time !== undefined && !/^\d{4}-/.test(time))
  if (far === undefined) return
  throw new CnosError(
    'BACKUP_MISMATCH',
    `${table.tenant}.${table.database}.${table.table}: a row has the time ${far}, which cannot be read back from ${format.toUpperCase()}`,
    { hint: 'use --format parquet' },
  )
}

/**
 * Refuses an export whose format cannot hold a value that is there: JSON has no NaN or infinity. Parquet holds all.
 * Throws BACKUP_MISMATCH naming the column.
 */
export async function refuseLoss(
  client: ClusterClient,
  table: TableInfo,
  format: DataFormat,
  conditions: readonly string[],
  { signal }: Abortable,
): Promise<void> {
  if (format !== 'json') return
  for (const column of table.columns.filter(({ type }) => type === 'DOUBLE')) {
    const finite = `${quote(column.name)} - ${quote(column.name)} = 0`
    const sql = `SELECT count(${quote(column.name)}) AS n, count(CASE WHEN ${finite} THEN 1 END) AS f FROM ${quoteTable(table.database, table.table)}${whereSql(conditions)}`
    const [row] = await client.query(sql, { tenant: table.tenant, database: table.database, signal })
    if (row?.n === row?.f) continue
    throw new CnosError(
      'BACKUP_MISMATCH',
      `${table.tenant}.${table.database}.${table.table}: column ${column.name} holds NaN or infinity, which JSON cannot carry`,
      {
        hint: 'use --format parquet',
      },
    )
  }
}
