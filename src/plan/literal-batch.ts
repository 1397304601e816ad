import type { ColumnBatch, FieldVector, TagVector } from '../engine/column-batch.ts'
import { textsOf } from '../engine/texts.ts'
import { CnosError } from '../errors/cnos-error.ts'
import type { Column, Precision } from '../model/schema.ts'
import { type LiteralValue, literalValue } from './literal-value.ts'
import type { LiteralCell, LiteralRow } from './values-literal.ts'

/**
 * The literal rows as columns. Throws INSERT_COLUMNS_MISMATCH and what `literalValue` throws; the error names the row.
 */
export function literalBatch(
  rows: readonly LiteralRow[],
  columns: readonly Column[],
  precision: Precision,
): ColumnBatch {
  for (const [index, row] of rows.entries()) checkWidth(row, columns, index + 1)
  const valuesOf = (column: Column) => {
    const at = columns.indexOf(column)
    const target = { column, precision }
    return rows.map((row, index) => literalValue(row.cells[at] as LiteralCell, target, index + 1))
  }
  const time = columns.find((column) => column.kind === 'time') as Column
  const tags = columns.filter((column) => column.kind === 'tag')
  return {
    rowCount: rows.length,
    time: BigInt64Array.from(valuesOf(time) as bigint[]),
    ...seriesOf(tags, tags.map(valuesOf) as (string | null)[][], rows.length),
    fields: columns.filter((column) => column.kind === 'field').map((field) => vectorOf(field, valuesOf(field))),
  }
}

function checkWidth({ cells }: LiteralRow, columns: readonly Column[], rowNumber: number): void {
  if (cells.length === columns.length) return
  throw new CnosError('INSERT_COLUMNS_MISMATCH', 'Semantic error: Insert columns and Source columns not match', {
    context: { line: rowNumber },
    hint: `row ${rowNumber} has ${cells.length} values, expected ${columns.length}: ${columns.map((c) => c.name).join(', ')}`,
  })
}

function seriesOf(tags: readonly Column[], values: readonly (readonly (string | null)[])[], rowCount: number) {
  const known = new Map<string, number>()
  const sets: (string | null)[][] = []
  const series = new Uint32Array(rowCount)
  for (let row = 0; row < rowCount; row += 1) {
    const set = values.map((column) => column[row] ?? null)
    const key = JSON.stringify(set)
    const index = known.get(key) ?? sets.push(set) - 1
    known.set(key, index)
    series[row] = index
  }
  const vectors = tags.map(({ name }, tag) =>
    tagVector(
      name,
      sets.map((set) => set[tag] ?? null),
    ),
  )
  return { series, seriesCount: sets.length, tags: vectors }
}

function tagVector(name: string, values: readonly (string | null)[]): TagVector {
  return { name, valid: validityOf(values), values: textsOf(values) }
}

/** Undefined when all are there. */
function validityOf(values: readonly LiteralValue[]): Uint8Array | undefined {
  return values.includes(null) ? Uint8Array.from(values, (value) => (value === null ? 0 : 1)) : undefined
}

function vectorOf({ name, type }: Column, values: readonly LiteralValue[]): FieldVector {
  const valid = validityOf(values)
  switch (type) {
    case 'BIGINT':
      return { name, valid, values: BigInt64Array.from(values, (value) => (value as bigint | null) ?? 0n) }
    case 'BIGINT UNSIGNED':
      return { name, valid, values: BigUint64Array.from(values, (value) => (value as bigint | null) ?? 0n) }
    case 'DOUBLE':
      return { name, valid, values: Float64Array.from(values, (value) => (value as number | null) ?? 0) }
    case 'BOOLEAN':
      return { name, valid, values: Uint8Array.from(values, (value) => (value === true ? 1 : 0)) }
    default:
      return { name, valid, values: textsOf(values as readonly (string | null)[]) }
  }
}
