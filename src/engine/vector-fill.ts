import { DuckDBDataChunk, type DuckDBType, VARCHAR } from '@duckdb/node-api'
import duckdb from '@duckdb/node-bindings'
import type { Texts } from './texts.ts'

/** DuckDB's own vector size: a chunk holds no more rows. */
export const CHUNK_ROWS = 2048
/** A string as DuckDB keeps it: its length, then 12 bytes of it, or 4 and the address of all. */
const STRING_WORDS = 4
const STRING_BYTES = 16
const INLINE_BYTES = 12
const PREFIX_BYTES = 4
const ASCII = 0x7f
const MAX_WORD = 0xffff_ffff

/** Puts the values of rows `start` … into the first `count` places of a vector that holds no NULL yet. */
export type VectorFill = (vector: duckdb.Vector, start: number, count: number) => void

/** A column of rows in memory. */
export interface VectorColumn {
  readonly type: DuckDBType
  readonly fill: VectorFill
}

type NumberArray = BigInt64Array | BigUint64Array | Float64Array | Uint32Array | Uint8Array

const stringScratch = new Int32Array(CHUNK_ROWS * STRING_WORDS)
const scratchBytes = new Uint8Array(stringScratch.buffer)
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

/**
 * `valid` is 0 where a row has none. Texts of more than 12 bytes go to DuckDB in one piece, as one string in the place of
 * the first row; then every row gets its 16 bytes, which refer into that piece.
 */
export function textFill({ bytes, starts, lengths }: Texts, valid?: Uint8Array): VectorFill {
  const hasText = (row: number) => valid === undefined || valid[row] === 1
  return (vector, start, count) => {
    requireRows(Math.min(starts.length, lengths.length), start + count)
    stringScratch.fill(0, 0, count * STRING_WORDS)
    let [from, to] = [bytes.length, 0]
    for (let row = start; row < start + count; row += 1) {
      if (!hasText(row)) continue
      const length = lengths[row] as number
      const at = starts[row] as number
      const place = (row - start) * STRING_BYTES
      stringScratch[place >> 2] = length
      const kept = length > INLINE_BYTES ? PREFIX_BYTES : length
      for (let i = 0; i < kept; i += 1) scratchBytes[place + 4 + i] = bytes[at + i] as number
      if (length <= INLINE_BYTES) continue
      if (at < from) from = at
      if (at + length > to) to = at + length
    }
    if (to > from) {
      const { low, high } = storedAt(vector, bytes.subarray(from, to))
      for (let row = start; row < start + count; row += 1) {
        if (!hasText(row) || (lengths[row] as number) <= INLINE_BYTES) continue
        const address = low + (starts[row] as number) - from
        const place = (row - start) * STRING_WORDS
        stringScratch[place + 2] = address
        stringScratch[place + 3] = address > MAX_WORD ? high + 1 : high
      }
    }
    duckdb.copy_data_to_vector(vector, 0, stringScratch.buffer, 0, count * STRING_BYTES)
    if (valid !== undefined) fillValidity(vector, count, (row) => valid[start + row] === 1)
  }
}

/** Gives the vector a text of more than 12 bytes to keep, and tells its address, in two words. */
function storedAt(vector: duckdb.Vector, text: Uint8Array): { readonly low: number; readonly high: number } {
  duckdb.vector_assign_string_element_len(vector, 0, text)
  const data = duckdb.vector_get_data(vector, STRING_BYTES)
  const [, , low = 0, high = 0] = new Uint32Array(data.buffer, data.byteOffset, STRING_WORDS)
  return { low, high }
}

/**
 * Texts of which many rows share a few: row r has `values[codes[r]]`. Each text goes to DuckDB once, into a vector that
 * lives as long as the fill does; the rows get copies of its 16 bytes, which refer to that vector when it is long.
 */
export function sharedTextFill(values: readonly (string | null)[], codes: Uint32Array): VectorFill {
  const strings = stringWords(values)
  const hasNulls = values.includes(null)
  return (vector, start, count) => {
    requireRows(codes.length, start + count)
    const { words } = strings
    for (let row = 0; row < count; row += 1) {
      const from = (codes[start + row] as number) * STRING_WORDS
      const to = row * STRING_WORDS
      stringScratch[to] = words[from] as number
      stringScratch[to + 1] = words[from + 1] as number
      stringScratch[to + 2] = words[from + 2] as number
      stringScratch[to + 3] = words[from + 3] as number
    }
    duckdb.copy_data_to_vector(vector, 0, stringScratch.buffer, 0, count * STRING_BYTES)
    if (hasNulls) fillValidity(vector, count, (row) => values[codes[start + row] as number] !== null)
  }
}

/** The 16 bytes of every value, and the vector that must outlive them if some are long. */
function stringWords(values: readonly (string | null)[]): {
  readonly words: Int32Array
  readonly owner?: duckdb.Vector
} {
  const words = new Int32Array(values.length * STRING_WORDS)
  const long = new Map<string, number>()
  for (const [index, value] of values.entries())
    if (value !== null && !putInline(words, index, value) && !long.has(value)) long.set(value, long.size)
  if (long.size === 0) return { words }
  const owner = duckdb.create_vector(VARCHAR.toLogicalType().logical_type, long.size)
  for (const [value, place] of long) duckdb.vector_assign_string_element_len(owner, place, Buffer.from(value))
  const data = duckdb.vector_get_data(owner, long.size * STRING_BYTES)
  const stored = new Int32Array(data.buffer, data.byteOffset, long.size * STRING_WORDS)
  for (const [index, value] of values.entries()) {
    const from = value === null ? undefined : long.get(value)
    if (from !== undefined)
      words.set(stored.subarray(from * STRING_WORDS, (from + 1) * STRING_WORDS), index * STRING_WORDS)
  }
  return { words, owner }
}

/** Whether a text is so short, and plain, that it is written here: its length, then its bytes, then zeros. */
function putInline(words: Int32Array, place: number, value: string): boolean {
  const { length } = value
  if (length > INLINE_BYTES) return false
  const at = place * STRING_WORDS
  words[at] = length
  for (let word = 0; word < INLINE_BYTES / 4; word += 1) {
    let bytes = 0
    for (let index = word * 4; index < length && index < word * 4 + 4; index += 1) {
      const code = value.charCodeAt(index)
      if (code > ASCII) return false
      bytes |= code << ((index & 3) * 8)
    }
    words[at + 1 + word] = bytes
  }
  return true
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
