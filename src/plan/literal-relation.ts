import type { EngineTuple, EngineValue } from '../engine/engine.ts'
import { quoteIdentifier, quoteString } from '../engine/quote.ts'
import type { Relation, RelationColumn } from '../engine/relation.ts'

/** A few rows that are known already, as a relation: what SHOW and DESCRIBE answer, and the system tables. */
export function literalRelation(columns: readonly RelationColumn[], rows: readonly EngineTuple[]): Relation {
  return { columns, select: literalSelect(columns, rows), maxRows: rows.length, rows }
}

function literalSelect(columns: readonly RelationColumn[], rows: readonly EngineTuple[]): string {
  const cells = columns.map((_, index) => `c${index}`)
  const values =
    rows.length === 0 ? `(${cells.map(() => 'NULL').join(', ')})` : rows.map((row) => printRow(row)).join(', ')
  const projection = columns.map(({ name, type }, index) => `CAST(c${index} AS ${type}) AS ${quoteIdentifier(name)}`)
  const where = rows.length === 0 ? ' WHERE false' : ''
  return `SELECT ${projection.join(', ')} FROM (VALUES ${values}) AS v(${cells.join(', ')})${where}`
}

const printRow = (row: EngineTuple) => `(${row.map(printValue).join(', ')})`

function printValue(value: EngineValue): string {
  if (value === null) return 'NULL'
  return typeof value === 'string' ? quoteString(value) : String(value)
}
