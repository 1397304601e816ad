import { DuckDBDataChunk, type DuckDBType, VARCHAR } from '@duckdb/node-api'
import duckdb from '@duckdb/node-bindings'

/** DuckDB's own vector size: a chunk holds no more rows. */
export const CHUNK_ROWS = 2048
/** A string as DuckDB keeps it: its length, then 12 bytes of it, or 4 and the address of all. */
const STRING_WORDS = 4
const STRING_BYTES = 16

/** Puts the values of rows `start` … into the first `count` places of a vector that holds no NULL yet. */
export type VectorFill = (vector: duckdb.Vector, start: number, count: number) => void

/** A column of rows in memory. */
export interface VectorColumn {
  readonly type: DuckDBType
  readonly fill: VectorFill
}

type NumberArray = BigInt64Array | BigUint64Array | Float64Array | Uint32Array | Uint8Array

const stringScratch = new Int32Array(CHUNK_ROWS * STRING_WORDS)
const validityScratch = new Uint8Array(CHUNK_ROWS / 8)

/** Rows `start` … of all columns, up to CHUNK_ROWS of them, in a chunk of these columns; what it held before is gone. */
export function fillChunk(
  chunk: DuckDBDataChunk,
  columns: readonly VectorColumn[],
  start: number,
  count: number,
): void {
  chunk.reset()
  chunk.rowCount = count
  for (const [index, { fill }] of columns.entries())
    fill(duckdb.data_chunk_get_vector(chunk.chunk, index), start, count)
}

export function newChunk(columns: readonly VectorColumn[]): DuckDBDataChunk {
  return DuckDBDataChunk.create(columns.map(({ type }) => type))
}

export const fillNulls: VectorFill = (vector, _, count) => {
  validityScratch.fill(0)
  copyValidity(vector, count)
}

/** Numbers as wide as DuckDB's own; `valid` is 0 where a row has none. */
export function numberFill(values: NumberArray, valid?: Uint8Array): VectorFill {
  const width = values.BYTES_PER_ELEMENT
  return (vector, start, count) => {
    requireRows(values.length, start + count)
    const bytes = values.buffer as ArrayBuffer
    duckdb.copy_data_to_vector(vector, 0, bytes, values.byteOffset + start * width, count * width)
    if (valid !== undefined) fillValidity(vector, count, (row) => valid[start + row] === 1)
  }
}

export function textFill(values: readonly (string | null)[], valid?: Uint8Array): VectorFill {
  const valueAt = (row: number) => (valid === undefined || valid[row] === 1 ? (values[row] ?? null) : null)
  return (vector, start, count) => {
    for (let row = 0; row < count; row += 1) {
      const value = valueAt(start + row)
      if (value !== null) duckdb.vector_assign_string_element_len(vector, row, Buffer.from(value))
    }
    fillValidity(vector, count, (row) => valueAt(start + row) !== null)
  }
}

/**
 * Texts of which many rows share a few: row r has `values[codes[r]]`. Each text goes to DuckDB once, into a vector that
 * lives as long as the fill does; the rows get copies of its 16 bytes, which refer to that vector when it is long.
 */
export function sharedTextFill(values: readonly (string | null)[], codes: Uint32Array): VectorFill {
  const { words, owner } = stringWords(values)
  const hasNulls = values.includes(null)
  return (vector, start, count) => {
    requireRows(codes.length, start + count)
    for (let row = 0; row < count; row += 1) {
      const from = (codes[start + row] as number) * STRING_WORDS
      const to = row * STRING_WORDS
      stringScratch[to] = words[from] as number
      stringScratch[to + 1] = words[from + 1] as number
      stringScratch[to + 2] = words[from + 2] as number
      stringScratch[to + 3] = words[from + 3] as number
    }
    if (owner) duckdb.copy_data_to_vector(vector, 0, stringScratch.buffer, 0, count * STRING_BYTES)
    if (hasNulls) fillValidity(vector, count, (row) => values[codes[start + row] as number] !== null)
  }
}

/** The 16 bytes of every value, and the vector that must outlive them. */
function stringWords(values: readonly (string | null)[]): { words: Int32Array; owner: duckdb.Vector | undefined } {
  const words = new Int32Array(values.length * STRING_WORDS)
  const places = new Map<string, number>()
  for (const value of values) if (value !== null && !places.has(value)) places.set(value, places.size)
  if (places.size === 0) return { words, owner: undefined }
  const owner = duckdb.create_vector(VARCHAR.toLogicalType().logical_type, places.size)
  for (const [value, place] of places) duckdb.vector_assign_string_element_len(owner, place, Buffer.from(value))
  const data = duckdb.vector_get_data(owner, places.size * STRING_BYTES)
  const stored = new Int32Array(data.buffer, data.byteOffset, places.size * STRING_WORDS)
  for (const [index, value] of values.entries()) {
    if (value === null) continue
    const from = (places.get(value) as number) * STRING_WORDS
    for (let word = 0; word < STRING_WORDS; word += 1)
      words[index * STRING_WORDS + word] = stored[from + word] as number
  }
  return { words, owner }
}

function fillValidity(vector: duckdb.Vector, count: number, isValid: (row: number) => boolean): void {
  let nulls = 0
  validityScratch.fill(0)
  for (let row = 0; row < count; row += 1) {
    if (isValid(row)) validityScratch[row >> 3] = (validityScratch[row >> 3] as number) | (1 << (row & 7))
    else nulls += 1
  }
  if (nulls > 0) copyValidity(vector, count)
}

function copyValidity(vector: duckdb.Vector, count: number): void {
  duckdb.vector_ensure_validity_writable(vector)
  duckdb.copy_data_to_vector_validity(vector, 0, validityScratch.buffer, 0, Math.ceil(count / 64) * 8)
}

/** The copy itself is not checked: beyond the end of an array lies other memory. */
function requireRows(length: number, rows: number): void {
  if (length < rows) throw new RangeError(`${rows} rows, but an array of ${length}`)
}
