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
import type { BatchSpans } from './series-spans.ts'
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

/** The values of one tag, one a series. */
export interface TagVector {
  readonly name: string
  readonly values: Texts
  /** 1 where the series has the tag, 0 where it is NULL; absent when every series has it. */
  readonly valid?: Uint8Array | undefined
}

/** Rows that are in JavaScript already, column by column: what a parser of line protocol makes. */
export interface ColumnBatch {
  readonly rowCount: number
  /** Ticks of the table's own precision. */
  readonly time: BigInt64Array
  /** For each row, its series: a place in the values of the tags. Best without two series of the same tags. */
  readonly series: Uint32Array
  readonly seriesCount: number
  /** Tags of the table that are left out are NULL. */
  readonly tags: readonly TagVector[]
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
  const { time, series, seriesCount, tags, fields } = batch
  return layout.columns.map(({ name, kind, type }) => {
    if (kind === 'time') return { type: TYPE_OF[engineTypeOf(type)] as DuckDBType, fill: numberFill(time) }
    if (kind === 'field') return fieldColumn(fields.find((field) => field.name === name) as FieldVector, type)
    const { values, valid } = tags.find((tag) => tag.name === name) as TagVector
    return { type: VARCHAR, fill: sharedTextFill({ texts: values, valid, count: seriesCount }, series) }
  })
}

/** Each row's series. */
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
