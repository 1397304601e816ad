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

/** `valid` is 0 where a row has none. */
export function textFill(texts: Texts, valid?: Uint8Array): VectorFill {
  return (vector, start, count) => {
    putTexts(stringScratch, { texts, valid, start, count }, (text) => storedAt(vector, text))
    duckdb.copy_data_to_vector(vector, 0, stringScratch.buffer, 0, count * STRING_BYTES)
    if (valid !== undefined) fillValidity(vector, count, (row) => valid[start + row] === 1)
  }
}

/** Texts that many rows share a few of. */
export interface SharedTexts {
  readonly texts: Texts
  /** 0 where there is none. */
  readonly valid: Uint8Array | undefined
  readonly count: number
}

/**
 * Row r has the text at `codes[r]`. Long texts go to DuckDB once, into a vector that lives as long as the fill does; the
 * rows get copies of the 16 bytes, which refer to that vector.
 */
export function sharedTextFill({ texts, valid, count: textCount }: SharedTexts, codes: Uint32Array): VectorFill {
  const words = new Int32Array(textCount * STRING_WORDS)
  const shared: { readonly words: Int32Array; owner?: duckdb.Vector } = { words }
  putTexts(words, { texts, valid, start: 0, count: textCount }, (text) => {
    shared.owner = duckdb.create_vector(VARCHAR.toLogicalType().logical_type, 1)
    return storedAt(shared.owner, text)
  })
  return (vector, start, count) => {
    requireRows(codes.length, start + count)
    const { words } = shared
    for (let row = 0; row < count; row += 1) {
      const from = (codes[start + row] as number) * STRING_WORDS
      const to = row * STRING_WORDS
      stringScratch[to] = words[from] as number
      stringScratch[to + 1] = words[from + 1] as number
      stringScratch[to + 2] = words[from + 2] as number
      stringScratch[to + 3] = words[from + 3] as number
    }
    duckdb.copy_data_to_vector(vector, 0, stringScratch.buffer, 0, count * STRING_BYTES)
    if (valid !== undefined) fillValidity(vector, count, (row) => valid[codes[start + row] as number] === 1)
  }
}

interface TextRange {
  readonly texts: Texts
  readonly valid: Uint8Array | undefined
  readonly start: number
  readonly count: number
}

/** In two words. */
interface Address {
  readonly low: number
  readonly high: number
}

/**
 * Puts the 16 bytes of each text into `words`. What lies from the first text of more than 12 bytes to the last goes to
 * `keep` in one piece, into which the 16 bytes then refer.
 */
function putTexts(
  words: Int32Array,
  { texts, valid, start, count }: TextRange,
  keep: (text: Uint8Array) => Address,
): void {
  const { bytes, starts, lengths } = texts
  requireRows(Math.min(starts.length, lengths.length), start + count)
  const wordBytes = new Uint8Array(words.buffer)
  words.fill(0, 0, count * STRING_WORDS)
  let [from, to] = [bytes.length, 0]
  for (let row = 0; row < count; row += 1) {
    if (valid !== undefined && valid[start + row] !== 1) continue
    const length = lengths[start + row] as number
    const at = starts[start + row] as number
    words[row * STRING_WORDS] = length
    const copied = length > INLINE_BYTES ? PREFIX_BYTES : length
    for (let i = 0; i < copied; i += 1) wordBytes[row * STRING_BYTES + 4 + i] = bytes[at + i] as number
    if (length <= INLINE_BYTES) continue
    if (at < from) from = at
    if (at + length > to) to = at + length
  }
  if (to <= from) return
  const { low, high } = keep(bytes.subarray(from, to))
  for (let row = 0; row < count; row += 1) {
    if ((words[row * STRING_WORDS] as number) <= INLINE_BYTES) continue
    const address = low + (starts[start + row] as number) - from
    words[row * STRING_WORDS + 2] = address
    words[row * STRING_WORDS + 3] = address > MAX_WORD ? high + 1 : high
  }
}

/** Gives the vector a text of more than 12 bytes to keep, and tells where it lies. */
function storedAt(vector: duckdb.Vector, text: Uint8Array): Address {
  duckdb.vector_assign_string_element_len(vector, 0, text)
  const data = duckdb.vector_get_data(vector, STRING_BYTES)
  const [, , low = 0, high = 0] = new Uint32Array(data.buffer, data.byteOffset, STRING_WORDS)
  return { low, high }
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
