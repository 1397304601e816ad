import {
  type DuckDBDataChunk,
  DuckDBTimestampMillisecondsValue,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimestampSecondsValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  type DuckDBValue,
} from '@duckdb/node-api'
import type { EngineRow, EngineTuple, EngineValue } from './engine.ts'

/** A value as `EngineValue` promises it: types without a JavaScript counterpart become DuckDB's text. */
function toEngineValue(value: DuckDBValue): EngineValue {
  if (value === null || typeof value !== 'object') return value
  if (value instanceof DuckDBTimestampNanosecondsValue) return value.nanos
  if (value instanceof DuckDBTimestampValue || value instanceof DuckDBTimestampTZValue) return value.micros
  if (value instanceof DuckDBTimestampMillisecondsValue) return value.millis
  if (value instanceof DuckDBTimestampSecondsValue) return value.seconds
  return String(value)
}

/** The rows of `chunk`. */
export function tuplesOf(chunk: DuckDBDataChunk): EngineTuple[] {
  const columns = Array.from({ length: chunk.columnCount }, (_, index) => chunk.getColumnValues(index))
  return Array.from({ length: chunk.rowCount }, (_, row) => columns.map((column) => toEngineValue(column[row] ?? null)))
}

/** The rows of `chunk` as objects; of columns with one name the last wins. */
export function rowsOf(chunk: DuckDBDataChunk, names: readonly string[]): EngineRow[] {
  return tuplesOf(chunk).map((tuple) => Object.fromEntries(names.map((name, index) => [name, tuple[index] ?? null])))
}
