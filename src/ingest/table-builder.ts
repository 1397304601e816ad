import { TextsBuilder } from '../engine/texts.ts'
import type { BatchField, BatchTag, FieldType, FieldValues, LineBatch } from './line-batch.ts'

type NumberStore = Float64Array | BigInt64Array | BigUint64Array | Uint8Array

const FIRST_CAPACITY = 1024
const FIRST_SERIES = 64

const NEW_STORE: Readonly<Record<FieldType, ((capacity: number) => NumberStore) | undefined>> = {
  DOUBLE: (capacity) => new Float64Array(capacity),
  BIGINT: (capacity) => new BigInt64Array(capacity),
  'BIGINT UNSIGNED': (capacity) => new BigUint64Array(capacity),
  BOOLEAN: (capacity) => new Uint8Array(capacity),
  STRING: undefined,
}

/** A field's column while lines are read. */
export class FieldBuilder {
  readonly name: string
  /** As written, escapes included: what the next line is compared with. */
  readonly keyBytes: Uint8Array
  readonly type: FieldType
  readonly offset: number
  /** The row that set it last: of two values in one line the first stays. */
  lastRow = -1
  numbers: Float64Array = new Float64Array(0)
  bytes: Uint8Array = new Uint8Array(0)
  signed: BigInt64Array = new BigInt64Array(0)
  unsigned: BigUint64Array = new BigUint64Array(0)
  /** The 64-bit integers as pairs of 32 bits, low first. */
  halves: Int32Array = new Int32Array(0)
  readonly texts = new TextsBuilder()
  present: Uint8Array = new Uint8Array(0)

  constructor(name: string, keyBytes: Uint8Array, type: FieldType, offset: number) {
    this.name = name
    this.keyBytes = keyBytes
    this.type = type
    this.offset = offset
  }

  /** Makes room for `row` and marks it present. */
  claim(row: number): void {
    if (row >= this.present.length) this.#grow(Math.max(FIRST_CAPACITY, this.present.length * 2, row + 1))
    this.present[row] = 1
    this.lastRow = row
  }

  build(rows: number): BatchField {
    if (this.present.length < rows) this.#grow(rows)
    const { name, type, offset } = this
    return { name, type, offset, present: this.present.subarray(0, rows), values: this.#values(rows) }
  }

  #values(rows: number): FieldValues {
    if (this.type === 'DOUBLE') return this.numbers.subarray(0, rows)
    if (this.type === 'BIGINT') return this.signed.subarray(0, rows)
    if (this.type === 'BIGINT UNSIGNED') return this.unsigned.subarray(0, rows)
    return this.type === 'BOOLEAN' ? this.bytes.subarray(0, rows) : this.texts.build(rows)
  }

  #grow(capacity: number): void {
    this.present = grown(this.present, new Uint8Array(capacity))
    const store = NEW_STORE[this.type]?.(capacity)
    if (store instanceof Float64Array) this.numbers = grown(this.numbers, store)
    else if (store instanceof Uint8Array) this.bytes = grown(this.bytes, store)
    else if (store instanceof BigInt64Array) {
      this.signed = grown(this.signed, store)
      this.halves = new Int32Array(store.buffer)
    } else if (store instanceof BigUint64Array) {
      this.unsigned = grown(this.unsigned, store)
      this.halves = new Int32Array(store.buffer)
    }
  }
}

/** A tag's values by series while lines are read. */
export class TagBuilder {
  readonly name: string
  readonly offset: number
  readonly texts = new TextsBuilder()
  #present = new Uint8Array(FIRST_SERIES)

  constructor(name: string, offset: number) {
    this.name = name
    this.offset = offset
  }

  /** Makes room for the value of `series`, unless it has one already. */
  claim(series: number): boolean {
    if (series >= this.#present.length) this.#grow(Math.max(this.#present.length * 2, series + 1))
    if (this.#present[series] === 1) return false
    this.#present[series] = 1
    return true
  }

  build(seriesCount: number): BatchTag {
    if (this.#present.length < seriesCount) this.#grow(seriesCount)
    const { name, offset } = this
    return { name, offset, present: this.#present.subarray(0, seriesCount), values: this.texts.build(seriesCount) }
  }

  #grow(capacity: number): void {
    this.#present = grown(this.#present, new Uint8Array(capacity))
  }
}

/** One table's rows while lines are read. */
export class TableBuilder {
  readonly name: string
  readonly offset: number
  rows = 0
  seriesCount = 0
  times: BigInt64Array = new BigInt64Array(FIRST_CAPACITY)
  timeHalves: Int32Array = new Int32Array(this.times.buffer)
  series: Uint32Array = new Uint32Array(FIRST_CAPACITY)
  readonly tags = new Map<string, TagBuilder>()
  readonly fields = new Map<string, FieldBuilder>()
  /** The fields of the latest lines by their place: lines of one table mostly look alike. */
  readonly predicted: FieldBuilder[] = []

  constructor(name: string, offset: number) {
    this.name = name
    this.offset = offset
  }

  /** Makes room for the next row, and gives its number. */
  claimRow(series: number): number {
    if (this.rows === this.times.length) {
      this.times = grown(this.times, new BigInt64Array(this.rows * 2))
      this.timeHalves = new Int32Array(this.times.buffer)
      this.series = grown(this.series, new Uint32Array(this.rows * 2))
    }
    this.series[this.rows] = series
    this.rows += 1
    return this.rows - 1
  }

  build(): LineBatch {
    const { name, rows, seriesCount, offset } = this
    return {
      table: name,
      rows,
      offset,
      seriesCount,
      tags: [...this.tags.values()].map((tag) => tag.build(seriesCount)),
      times: this.times.subarray(0, rows),
      series: this.series.subarray(0, rows),
      fields: [...this.fields.values()].map((field) => field.build(rows)),
    }
  }
}

function grown<T extends { set(from: T): void }>(from: T, to: T): T {
  to.set(from)
  return to
}
