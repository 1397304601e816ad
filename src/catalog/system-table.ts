import { quoteIdentifier, quoteString } from '../engine/quote.ts'
import type { Relation } from '../engine/relation.ts'

type SystemValue = string | number | bigint | boolean | null

/** A table whose rows come from the catalog: `type` is DuckDB's name. */
export interface SystemTable {
  readonly columns: readonly { readonly name: string; readonly type: 'VARCHAR' | 'UBIGINT' | 'BOOLEAN' | 'DOUBLE' }[]
  readonly rows: readonly (readonly SystemValue[])[]
}

/** The engine takes a NUL in a statement for its end. */
function textLiteral(text: string): string {
  const pieces = text.split('\0').map(quoteString)
  return pieces.length === 1 ? pieces.join('') : `(${pieces.join(' || chr(0) || ')})`
}

function literal(value: SystemValue): string {
  if (value === null) return 'NULL'
  return typeof value === 'string' ? textLiteral(value) : String(value)
}

/** A SELECT with exactly these columns and types, also when there is no row. */
export function systemTableSelect({ columns, rows }: SystemTable): string {
  const aliases = columns.map((_, i) => `c${i}`).join(', ')
  const casts = columns.map(({ name, type }, i) => `CAST(c${i} AS ${type}) AS ${quoteIdentifier(name)}`).join(', ')
  const isEmpty = rows.length === 0
  const listed = isEmpty ? [columns.map(() => 'NULL')] : rows.map((row) => row.map(literal))
  const values = listed.map((row) => `(${row.join(', ')})`).join(', ')
  return `SELECT ${casts} FROM (VALUES ${values}) AS rows(${aliases})${isEmpty ? ' WHERE false' : ''}`
}

export function systemTableRelation(table: SystemTable): Relation {
  return { columns: table.columns, select: systemTableSelect(table), maxRows: table.rows.length, rows: table.rows }
}
