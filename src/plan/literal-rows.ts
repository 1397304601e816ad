import { quoteIdentifier, quoteString } from '../engine/quote.ts'
import { engineTypeOf } from '../engine/table.ts'
import { CnosError } from '../errors/cnos-error.ts'
import type { Column, DataType, Precision } from '../model/schema.ts'
import { checkTicks, parseTimeText } from './time-literal.ts'
import type { LiteralCell, LiteralRow } from './values-literal.ts'

export interface LiteralTarget {
  readonly columns: readonly Column[]
  readonly precision: Precision
}

/** Texts that stand for a number without digits. */
const NON_FINITE = /^[+-]?(nan|inf|infinity)$/i
const DOUBLE_TEXT = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i
const INTEGER_TEXT = /^[+-]?\d+$/

const INTEGER_RANGE = {
  BIGINT: [-(2n ** 63n), 2n ** 63n - 1n],
  'BIGINT UNSIGNED': [0n, 2n ** 64n - 1n],
} as const

/**
 * A parenthesised SELECT that yields the literal rows as `columns`, in order, with the engine's types. Throws
 * INSERT_COLUMNS_MISMATCH, TIME_IS_NULL, TIMESTAMP_OVERFLOW, and CAST_FAILED for a value its column cannot hold
 * unchanged; the error names row and column.
 */
export function literalRowsSelect(rows: readonly LiteralRow[], { columns, precision }: LiteralTarget): string {
  const values = rows.map((row, index) => `(${printRow(row.cells, columns, precision, index + 1).join(',')})`)
  const names = columns.map((_, index) => `c${index}`)
  const select = columns.map(
    (column, index) => `${readCell(`c${index}`, column, precision)} AS ${quoteIdentifier(column.name)}`,
  )
  return `(SELECT ${select.join(', ')} FROM (VALUES ${values.join(',')}) AS v(${names.join(', ')}))`
}

/** One literal as a value of the column; the same errors as `literalRowsSelect`. */
export function literalCellSql(cell: LiteralCell, column: Column, precision: Precision): string {
  return readCell(printCell(cell, column, precision, 1), column, precision)
}

function printRow(
  cells: readonly LiteralCell[],
  columns: readonly Column[],
  precision: Precision,
  rowNumber: number,
): string[] {
  if (cells.length !== columns.length) {
    throw new CnosError('INSERT_COLUMNS_MISMATCH', 'Semantic error: Insert columns and Source columns not match', {
      hint: `row ${rowNumber} has ${cells.length} values, expected ${columns.length}: ${columns.map((c) => c.name).join(', ')}`,
    })
  }
  return columns.map((column, index) => printCell(cells[index] as LiteralCell, column, precision, rowNumber))
}

/** What the VALUES list holds for a cell; `readCell` turns it into the column's type. */
function printCell(cell: LiteralCell, column: Column, precision: Precision, rowNumber: number): string {
  if (cell.kind === 'null') {
    if (column.kind !== 'time') return 'NULL'
    throw new CnosError('TIME_IS_NULL', 'Column time cannot be null.', {
      context: { column: 'time', line: rowNumber },
      hint: `row ${rowNumber} has no time`,
    })
  }
  const printed = column.kind === 'time' ? printTime(cell, precision) : printValue(cell, column.type)
  if (printed !== undefined) return printed
  throw castError(cell, column, rowNumber)
}

function printTime(cell: Exclude<LiteralCell, { kind: 'null' }>, precision: Precision): string | undefined {
  if (cell.kind === 'number') {
    return INTEGER_TEXT.test(cell.text)
      ? String(checkTicks(BigInt(cell.text.replace(/^\+/, '')), precision, cell.text))
      : undefined
  }
  const ticks = cell.kind === 'string' ? parseTimeText(cell.text, precision) : undefined
  return ticks === undefined ? undefined : String(ticks)
}

function printValue(cell: Exclude<LiteralCell, { kind: 'null' }>, type: DataType): string | undefined {
  if (type === 'BIGINT' || type === 'BIGINT UNSIGNED') return printInteger(cell, INTEGER_RANGE[type])
  if (type === 'DOUBLE') return printDouble(cell)
  if (type === 'BOOLEAN') return printBoolean(cell)
  if (cell.kind === 'number' && !INTEGER_TEXT.test(cell.text)) return undefined
  return quoteString(cell.text)
}

function printInteger(
  cell: Exclude<LiteralCell, { kind: 'null' }>,
  [minimum, maximum]: readonly [bigint, bigint],
): string | undefined {
  if (cell.kind === 'boolean' || !INTEGER_TEXT.test(cell.text)) return undefined
  const value = BigInt(cell.text.replace(/^\+/, ''))
  return value >= minimum && value <= maximum ? quoteString(String(value)) : undefined
}

function printDouble(cell: Exclude<LiteralCell, { kind: 'null' }>): string | undefined {
  if (cell.kind === 'boolean') return undefined
  if (NON_FINITE.test(cell.text)) return quoteString(cell.text)
  return DOUBLE_TEXT.test(cell.text) && Number.isFinite(Number(cell.text)) ? quoteString(cell.text) : undefined
}

function printBoolean(cell: Exclude<LiteralCell, { kind: 'null' }>): string | undefined {
  if (cell.kind === 'number') return undefined
  const text = cell.text.toLowerCase()
  return text === 'true' || text === 'false' ? text : undefined
}

const TIME_FROM_TICKS: Readonly<Record<Precision, (ticks: string) => string>> = {
  NS: (ticks) => `make_timestamp_ns(${ticks})`,
  US: (ticks) => `make_timestamp(${ticks})`,
  MS: (ticks) => `make_timestamp_ms(${ticks})::TIMESTAMP_MS`,
}

/** The engine's time for an expression of 64-bit ticks of the precision. */
export function timeFromTicks(ticks: string, precision: Precision): string {
  return TIME_FROM_TICKS[precision](ticks)
}

function readCell(cell: string, column: Column, precision: Precision): string {
  return column.kind === 'time'
    ? timeFromTicks(`${cell}::BIGINT`, precision)
    : `CAST(${cell} AS ${engineTypeOf(column.type)})`
}

const ARROW_NAME: Readonly<Record<string, string>> = {
  BIGINT: 'Int64',
  'BIGINT UNSIGNED': 'UInt64',
  DOUBLE: 'Float64',
  BOOLEAN: 'Boolean',
}

function castError(cell: Exclude<LiteralCell, { kind: 'null' }>, column: Column, rowNumber: number): CnosError {
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
