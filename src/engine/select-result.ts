import { intervalText } from './functions/interval-text.ts'
import { quoteIdentifier } from './quote.ts'
import type { RelationColumn } from './relation.ts'

/** How a column of the given DuckDB type leaves: `$` is the column. Types not named here leave as they are. */
interface Exit {
  readonly type: string
  readonly sql: string
}

const cast = (type: string): Exit => ({ type, sql: `CAST($ AS ${type})` })

const EXITS: Readonly<Record<string, Exit>> = {
  TINYINT: cast('BIGINT'),
  SMALLINT: cast('BIGINT'),
  INTEGER: cast('BIGINT'),
  HUGEINT: cast('BIGINT'),
  BIGNUM: cast('BIGINT'),
  UTINYINT: cast('UBIGINT'),
  USMALLINT: cast('UBIGINT'),
  UINTEGER: cast('UBIGINT'),
  UHUGEINT: cast('UBIGINT'),
  FLOAT: cast('DOUBLE'),
  TIMESTAMP_S: cast('TIMESTAMP_NS'),
  'TIMESTAMP WITH TIME ZONE': { type: 'TIMESTAMP_NS', sql: "CAST(timezone('UTC', $) AS TIMESTAMP_NS)" },
  TIME_NS: cast('TIME'),
  'TIME WITH TIME ZONE': cast('TIME'),
  INTERVAL: { type: 'VARCHAR', sql: intervalText('$') },
  UUID: cast('VARCHAR'),
  BIT: cast('VARCHAR'),
  JSON: cast('VARCHAR'),
  '"NULL"': cast('VARCHAR'),
  BLOB: { type: 'VARCHAR', sql: 'lower(hex($))' },
}

function exitOf({ type }: RelationColumn, wanted: string | undefined): Exit | undefined {
  if (wanted !== undefined && wanted !== type) return cast(wanted)
  if (/^DECIMAL\(\d+,\d+\)$/.test(type)) return cast('DOUBLE')
  if (type.startsWith('ENUM')) return cast('VARCHAR')
  if (/^U?(?:TINYINT|SMALLINT|INTEGER)\[\]$/.test(type)) return cast(type.startsWith('U') ? 'UBIGINT[]' : 'BIGINT[]')
  if (type === 'HUGEINT[]') return cast('BIGINT[]')
  if (type === 'FLOAT[]' || /^DECIMAL\(\d+,\d+\)\[\]$/.test(type)) return cast('DOUBLE[]')
  return EXITS[type]
}

export interface ResultColumn {
  /** The type the client expects, where the engine's says too little: counts and sums of unsigned integers. */
  readonly wanted?: string | undefined
  readonly name: string
}

/**
 * Wraps a SELECT so that its columns have names and types a CnosDB client expects: 64-bit integers, DOUBLE, times
 * without a zone. A value that does not fit raises an error when the query runs; it never wraps around.
 */
export function normaliseResult(
  sql: string,
  columns: readonly RelationColumn[],
  results: readonly ResultColumn[],
): { readonly select: string; readonly columns: readonly RelationColumn[] } {
  const exits = columns.map((column, at) => exitOf(column, results[at]?.wanted))
  const named = columns.map((column, at) => ({
    name: results[at]?.name ?? column.name,
    type: exits[at]?.type ?? column.type,
  }))
  const isSame = named.every(({ name, type }, at) => name === columns[at]?.name && type === columns[at]?.type)
  if (isSame) return { select: sql, columns: named }
  const list = named.map(({ name }, at) => {
    const exit = exits[at]
    const value = exit === undefined ? `c${at}` : exit.sql.replaceAll('$', `c${at}`)
    return `${value} AS ${quoteIdentifier(name)}`
  })
  const inner = columns.map((_, at) => `c${at}`).join(', ')
  return { select: `SELECT ${list.join(', ')} FROM (${sql}) AS q(${inner})`, columns: named }
}
