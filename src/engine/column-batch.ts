import {
  BIGINT,
  BOOLEAN,
  DOUBLE,
  type DuckDBType,
  TIMESTAMP,
  TIMESTAMP_MS,
  TIMESTAMP_NS,
  UBIGINT,
  UINTEGER,
  VARCHAR,
} from '@duckdb/node-api'
import { CnosError } from '../errors/cnos-error.ts'
import type { DataType } from '../model/schema.ts'
import { type BatchLayout, fieldColumnsOf } from './batch.ts'
import { geometryTypeOf } from './geometry-check.ts'
import type { TimeRange } from './merge-sql.ts'
import type { SeriesSpan } from './series-bounds.ts'
import { engineTypeOf } from './table.ts'
import type { Texts } from './texts.ts'
import { timeUnitOf } from './time-ticks.ts'
import { numberFill, sharedTextFill, textFill, type VectorColumn } from './vector-fill.ts'

/** The values of one field, one a row. */
export interface FieldVector {
  readonly name: string
  /** By the column's type: BIGINT, BIGINT UNSIGNED, DOUBLE, BOOLEAN (0 or 1), STRING and GEOMETRY. */
  readonly values: BigInt64Array | BigUint64Array | Float64Array | Uint8Array | Texts
  /** 1 where the row has a value, 0 where it is NULL; absent when every row has one. */
  readonly valid?: Uint8Array | undefined
}

/** Rows that are in JavaScript already, column by column: what a parser of line protocol makes. */
export interface ColumnBatch {
  readonly rowCount: number
  /** Ticks of the table's own precision. */
  readonly time: BigInt64Array
  /** For each row, which of `tagSets`. */
  readonly series: Uint32Array
  /** The tags that `tagSets` speak of; tags of the table that are left out are NULL. */
  readonly tagNames: readonly string[]
  /** Sets of tag values, best without repeats, each in the order of `tagNames`; null is an absent tag. */
  readonly tagSets: readonly (readonly (string | null)[])[]
  /** Fields of the table that are left out are NULL. */
  readonly fields: readonly FieldVector[]
}

const TYPE_OF: Readonly<Record<string, DuckDBType>> = {
  TIMESTAMP_NS,
  TIMESTAMP,
  TIMESTAMP_MS,
  BIGINT,
  UBIGINT,
  DOUBLE,
  BOOLEAN,
  VARCHAR,
}

/** Time, tags and fields, in the order of the layout's columns. */
export function vectorColumnsOf(batch: ColumnBatch, layout: BatchLayout): VectorColumn[] {
  const { time, series, tagNames, tagSets, fields } = batch
  return layout.columns.map(({ name, kind, type }) => {
    if (kind === 'time') return { type: TYPE_OF[engineTypeOf(type)] as DuckDBType, fill: numberFill(time) }
    if (kind === 'field') return fieldColumn(fields.find((field) => field.name === name) as FieldVector, type)
    const tag = tagNames.indexOf(name)
    const values = tagSets.map((set) => set[tag] ?? null)
    return { type: VARCHAR, fill: sharedTextFill(values, series) }
  })
}

/** Each row's place in `tagSets`. */
export function seriesColumnOf({ series }: ColumnBatch): VectorColumn {
  return { type: UINTEGER, fill: numberFill(series) }
}

function fieldColumn({ name, values, valid }: FieldVector, type: DataType): VectorColumn {
  const engineType = engineTypeOf(type)
  const column = { type: TYPE_OF[engineType] as DuckDBType }
  if (engineType === 'VARCHAR' && 'starts' in values) return { ...column, fill: textFill(values, valid) }
  const isFitting =
    (type === 'BIGINT' && values instanceof BigInt64Array) ||
    (type === 'BIGINT UNSIGNED' && values instanceof BigUint64Array) ||
    (type === 'DOUBLE' && values instanceof Float64Array) ||
    (type === 'BOOLEAN' && values instanceof Uint8Array)
  if (!isFitting) throw new TypeError(`the values of field ${name} are not those of a ${type} column`)
  return { ...column, fill: numberFill(values, valid) }
}

/** Before the times become timestamps: DuckDB's message would name no value. */
export function checkTimes({ time, rowCount }: ColumnBatch, spans: readonly SeriesSpan[], type: DataType): void {
  const { min, max } = timeUnitOf(type)
  if (spans.every(({ from, to }) => from >= min && to <= max)) return
  const row = time.subarray(0, rowCount).findIndex((ticks) => ticks < min || ticks > max)
  const ticks = time[row] as bigint
  throw new CnosError('TIMESTAMP_OVERFLOW', `Timestamp overflow: ${ticks} does not fit into ${type}`, {
    context: { line: row + 1, column: 'time', value: String(ticks) },
    hint: `The earliest time that can be stored is ${min}, the latest ${max}.`,
  })
}

export interface BatchSpans {
  readonly spans: readonly SeriesSpan[]
  /** Whether every row of a series is newer than the one before it. */
  readonly isRising: boolean
  /** Whether no two of the series have the same tags. */
  readonly areDistinct: boolean
}

/** First and last time of every series. A bigint for every row would cost more than all the rest: see TickColumn. */
export function spansOf({ time, series, rowCount, tagNames, tagSets }: ColumnBatch): BatchSpans {
  const ticks = new TickColumn(time)
  const from = new TickColumn(new BigInt64Array(tagSets.length))
  const to = new TickColumn(new BigInt64Array(tagSets.length))
  const hasRows = new Uint8Array(tagSets.length)
  let isRising = true
  for (let row = 0; row < rowCount; row += 1) {
    const set = series[row] as number
    if (hasRows[set] === 0) {
      hasRows[set] = 1
      from.copy(set, ticks, row)
      to.copy(set, ticks, row)
    } else if (to.isBefore(set, ticks, row)) to.copy(set, ticks, row)
    else {
      isRising = false
      if (ticks.isBefore(row, from, set)) from.copy(set, ticks, row)
    }
  }
  const keyOf = seriesKeys(tagNames)
  const spans = tagSets.flatMap((set, index) =>
    hasRows[index] === 1 ? [{ key: keyOf(set), from: from.at(index), to: to.at(index) }] : [],
  )
  return { spans, isRising, areDistinct: new Set(spans.map(({ key }) => key)).size === spans.length }
}

/** Times compared and copied by their halves, low first. */
class TickColumn {
  readonly #ticks: BigInt64Array
  readonly #signed: Int32Array
  readonly #unsigned: Uint32Array

  constructor(ticks: BigInt64Array) {
    this.#ticks = ticks
    this.#signed = new Int32Array(ticks.buffer, ticks.byteOffset, ticks.length * 2)
    this.#unsigned = new Uint32Array(ticks.buffer, ticks.byteOffset, ticks.length * 2)
  }

  at(place: number): bigint {
    return this.#ticks[place] as bigint
  }

  copy(place: number, other: TickColumn, from: number): void {
    this.#signed[place * 2] = other.#signed[from * 2] as number
    this.#signed[place * 2 + 1] = other.#signed[from * 2 + 1] as number
  }

  isBefore(place: number, other: TickColumn, otherPlace: number): boolean {
    const [high, otherHigh] = [this.#signed[place * 2 + 1] as number, other.#signed[otherPlace * 2 + 1] as number]
    if (high !== otherHigh) return high < otherHigh
    return (this.#unsigned[place * 2] as number) < (other.#unsigned[otherPlace * 2] as number)
  }
}

/** The same text for the same tags, however they are arranged: tags that are absent are left out. */
function seriesKeys(tagNames: readonly string[]): (set: readonly (string | null)[]) => string {
  const order = [...tagNames.keys()].sort((a, b) => ((tagNames[a] as string) < (tagNames[b] as string) ? -1 : 1))
  const names = tagNames.map((name) => `${name.length} ${name}`)
  return (set) => {
    let key = ''
    for (const tag of order) {
      const value = set[tag] ?? null
      if (value !== null) key += `${names[tag]}${value.length} ${value}`
    }
    return key
  }
}

/**
 * From the first to the last time of a batch that needs no look by DuckDB: no two rows have the same key, because every
 * series goes forward in time; every row has a field; there is no geometry. Undefined for any other.
 */
export function rangeOfPlainBatch(
  batch: ColumnBatch,
  { spans, isRising, areDistinct }: BatchSpans,
  layout: BatchLayout,
): TimeRange | undefined {
  const hasGeometry = fieldColumnsOf(layout).some(({ type }) => geometryTypeOf(type) !== undefined)
  const [first] = spans
  if (!isRising || !first || hasGeometry || !hasFieldInEveryRow(batch) || !areDistinct) return undefined
  let { from, to } = first
  for (const span of spans) {
    if (span.from < from) from = span.from
    if (span.to > to) to = span.to
  }
  return { from, to }
}

function hasFieldInEveryRow({ fields, rowCount }: ColumnBatch): boolean {
  if (fields.some(({ valid }) => valid === undefined)) return true
  for (let row = 0; row < rowCount; row += 1) if (!fields.some(({ valid }) => valid?.[row] === 1)) return false
  return true
}
