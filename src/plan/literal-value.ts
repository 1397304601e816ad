import { quoteString } from '../engine/quote.ts'
import { engineTypeOf } from '../engine/table.ts'
import { CnosError } from '../errors/cnos-error.ts'
import type { Column, DataType, Precision } from '../model/schema.ts'
import { checkTicks, parseTimeText } from './time-literal.ts'
import type { LiteralCell } from './values-literal.ts'

/** A literal as its column stores it: ticks and integers as bigint, doubles as number, the rest as is. */
export type LiteralValue = bigint | number | boolean | string | null

type Written = Exclude<LiteralCell, { readonly kind: 'null' }>

/** Texts that stand for a double without digits. */
const NON_FINITE: ReadonlyMap<string, number> = new Map([
  ['nan', Number.NaN],
  ['inf', Number.POSITIVE_INFINITY],
  ['infinity', Number.POSITIVE_INFINITY],
  ['-inf', Number.NEGATIVE_INFINITY],
  ['-infinity', Number.NEGATIVE_INFINITY],
])
const DOUBLE_TEXT = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i
const INTEGER_TEXT = /^[+-]?\d+$/

const INTEGER_RANGE = {
  BIGINT: [-(2n ** 63n), 2n ** 63n - 1n],
  'BIGINT UNSIGNED': [0n, 2n ** 64n - 1n],
} as const

/** A column that takes a literal, in a database of this precision. */
export interface LiteralTarget {
  readonly column: Column
  readonly precision: Precision
}

/**
 * What a column stores for a literal. Throws TIME_IS_NULL, TIMESTAMP_OVERFLOW, and CAST_FAILED for a value the column
 * cannot hold unchanged; the error names row and column.
 */
export function literalValue(cell: LiteralCell, { column, precision }: LiteralTarget, rowNumber: number): LiteralValue {
  if (cell.kind === 'null') {
    if (column.kind !== 'time') return null
    throw new CnosError('TIME_IS_NULL', 'Column time cannot be null.', {
      context: { column: 'time', line: rowNumber },
      hint: `row ${rowNumber} has no time`,
    })
  }
  const value = column.kind === 'time' ? timeValue(cell, precision) : fieldValue(cell, column.type)
  if (value !== undefined) return value
  throw castError(cell, column, rowNumber)
}

function timeValue(cell: Written, precision: Precision): bigint | undefined {
  if (cell.kind === 'string') return parseTimeText(cell.text, precision)
  const ticks = cell.kind === 'number' ? integerOf(cell.text) : undefined
  return ticks === undefined ? undefined : checkTicks(ticks, precision, cell.text)
}

function fieldValue(cell: Written, type: DataType): LiteralValue | undefined {
  switch (type) {
    case 'BIGINT':
    case 'BIGINT UNSIGNED': {
      const [minimum, maximum] = INTEGER_RANGE[type]
      const value = cell.kind === 'boolean' ? undefined : integerOf(cell.text)
      return value !== undefined && value >= minimum && value <= maximum ? value : undefined
    }
    case 'DOUBLE':
      return cell.kind === 'boolean' ? undefined : doubleOf(cell.text)
    case 'BOOLEAN':
      return cell.kind === 'number' ? undefined : booleanOf(cell.text)
    default:
      return cell.kind === 'number' && !INTEGER_TEXT.test(cell.text) ? undefined : cell.text
  }
}

const integerOf = (text: string) => (INTEGER_TEXT.test(text) ? BigInt(text.replace(/^\+/, '')) : undefined)

/** Rounded once, as IEEE 754 has it; a number too large for a double is refused, and not made infinite. */
function doubleOf(text: string): number | undefined {
  const named = NON_FINITE.get(text.toLowerCase().replace(/^\+/, ''))
  if (named !== undefined) return named
  const value = DOUBLE_TEXT.test(text) ? Number(text) : Number.NaN
  return Number.isFinite(value) ? value : undefined
}

function booleanOf(text: string): boolean | undefined {
  const lower = text.toLowerCase()
  return lower === 'true' ? true : lower === 'false' ? false : undefined
}

/** The value as a DuckDB expression of the column's type; not for time. */
export function literalValueSql(value: LiteralValue, { type }: Column): string {
  if (value === null) return `CAST(NULL AS ${engineTypeOf(type)})`
  const text = Object.is(value, -0) ? '-0' : String(value)
  return typeof value === 'string' ? quoteString(text) : `CAST(${quoteString(text)} AS ${engineTypeOf(type)})`
}

const ARROW_NAME: Readonly<Record<string, string>> = {
  BIGINT: 'Int64',
  'BIGINT UNSIGNED': 'UInt64',
  DOUBLE: 'Float64',
  BOOLEAN: 'Boolean',
}

function castError(cell: Written, column: Column, rowNumber: number): CnosError {
  const type = column.kind === 'time' ? 'Timestamp' : (ARROW_NAME[column.type] ?? 'Utf8')
  const hint =
    column.kind === 'time'
      ? `row ${rowNumber}, column time: write '2024-01-01T00:00:00Z' or an integer in the database's precision`
      : `row ${rowNumber}, column ${column.name} of type ${column.type} cannot hold this value unchanged`
  return new CnosError('CAST_FAILED', `Arrow: Cast error: Cannot cast string '${cell.text}' to value of ${type} type`, {
    context: { column: column.name, value: cell.text, line: rowNumber },
    hint,
  })
}
