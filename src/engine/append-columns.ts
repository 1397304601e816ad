import {
  BIGINT,
  BOOLEAN,
  DOUBLE,
  DuckDBDataChunk,
  type DuckDBType,
  type DuckDBValue,
  UBIGINT,
  UINTEGER,
  VARCHAR,
} from '@duckdb/node-api'
import { CnosError } from '../errors/cnos-error.ts'
import type { DataType } from '../model/schema.ts'
import { appendWith } from './append.ts'
import { appendInPlace } from './append-batch.ts'
import { type Batch, type BatchLayout, fieldColumnsOf, tagColumnsOf, timeColumnOf } from './batch.ts'
import type { ConnectionSession } from './duckdb-connection.ts'
import type { Engine } from './engine.ts'
import { type AppendOptions, engineTypeOf, type StoredTable } from './table.ts'
import { timeUnitOf } from './time-ticks.ts'

/** The values of one field, one a row. */
export interface FieldVector {
  readonly name: string
  /** By the column's type: BIGINT, BIGINT UNSIGNED, DOUBLE, BOOLEAN (0 or 1), STRING and GEOMETRY. */
  readonly values: BigInt64Array | BigUint64Array | Float64Array | Uint8Array | readonly (string | null)[]
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

/** DuckDB's own vector size: chunks of more rows are refused. */
const CHUNK_ROWS = 2048
/** Chunks appended before other work gets a turn on the event loop: about 10 ms. */
const CHUNKS_A_TURN = 4

/** Writes the values of rows `start`… into a column of a chunk. */
type Fill = (chunk: DuckDBDataChunk, column: number, start: number, count: number) => void

interface LoadColumn {
  readonly type: DuckDBType
  readonly fill: Fill
}

/** As `append`, for rows in memory. Arrays may be longer than `rowCount`. */
export async function appendColumns(
  engine: Engine,
  table: StoredTable,
  batch: ColumnBatch,
  options: AppendOptions = {},
): Promise<{ readonly rows: bigint }> {
  if (batch.rowCount === 0) return { rows: 0n }
  const time = table.schema.columns.find((column) => column.kind === 'time')?.name ?? 'time'
  const columns = [time, ...batch.tagNames, ...batch.fields.map((field) => field.name)]
  return appendWith(engine, table, columns, options, async (session, context) => {
    checkTimes(batch, timeColumnOf(context.layout).type)
    await createTemporaryTables(session, context.layout)
    await loadTable(session, 'batch_series', batch.tagSets.length, seriesColumns(batch))
    await loadTable(session, 'batch_rows', batch.rowCount, rowColumns(batch, context.layout))
    return appendInPlace(session, context, loadedBatch(context.layout, areDistinct(batch.tagSets)))
  })
}

/** Before the times become timestamps: DuckDB's message would name no value. */
function checkTimes({ time, rowCount }: ColumnBatch, type: DataType): void {
  const { min, max } = timeUnitOf(type)
  for (let row = 0; row < rowCount; row += 1) {
    const ticks = time[row] as bigint
    if (ticks < min || ticks > max) {
      throw new CnosError('TIMESTAMP_OVERFLOW', `Timestamp overflow: ${ticks} does not fit into ${type}`, {
        context: { line: row + 1, column: 'time', value: String(ticks) },
        hint: `The earliest time that can be stored is ${min}, the latest ${max}.`,
      })
    }
  }
}

async function createTemporaryTables(session: ConnectionSession, layout: BatchLayout): Promise<void> {
  const tags = tagColumnsOf(layout).map(({ cell }) => `${cell} VARCHAR`)
  const fields = fieldColumnsOf(layout).map(({ cell, type }) => `${cell} ${engineTypeOf(type)}`)
  await session.run(`CREATE TEMP TABLE batch_series (${['series UINTEGER', ...tags].join(', ')})`)
  await session.run(`CREATE TEMP TABLE batch_rows (${['series UINTEGER', 'ticks BIGINT', ...fields].join(', ')})`)
}

function areDistinct(tagSets: ColumnBatch['tagSets']): boolean {
  return new Set(tagSets.map((tags) => JSON.stringify(tags))).size === tagSets.length
}

/** When the sets of tags are distinct, the number of one stands for it, and looking for repeated keys is cheap. */
function loadedBatch(layout: BatchLayout, distinctSeries: boolean): Batch {
  const time = timeColumnOf(layout)
  const ticks = timeUnitOf(time.type).fromTicks('ticks')
  const cells = layout.columns.map(({ kind, cell }) => (kind === 'time' ? `${ticks} AS ${cell}` : cell))
  const source = 'temp.batch_rows JOIN temp.batch_series USING (series)'
  return {
    from: `(SELECT ${cells.join(', ')}, series, batch_rows.rowid AS source_row FROM ${source})`,
    row: 'source_row',
    ...(distinctSeries ? { keys: `series, ${time.cell}` } : {}),
  }
}

function seriesColumns({ tagNames, tagSets }: ColumnBatch): LoadColumn[] {
  const tags = tagNames.map(
    (_, tag): LoadColumn => ({
      type: VARCHAR,
      fill: fillWith((row) => tagSets[row]?.[tag] ?? null),
    }),
  )
  return [{ type: UINTEGER, fill: fillWith((row) => row) }, ...tags]
}

function rowColumns({ series, time, fields }: ColumnBatch, layout: BatchLayout): LoadColumn[] {
  const types = new Map(fieldColumnsOf(layout).map(({ name, type }) => [name, type]))
  return [
    { type: UINTEGER, fill: fillWith((row) => series[row] as number) },
    { type: BIGINT, fill: fillWith((row) => time[row] as bigint) },
    ...fields.map((field) => fieldColumn(field, types.get(field.name) as DataType)),
  ]
}

function fieldColumn({ name, values, valid }: FieldVector, type: DataType): LoadColumn {
  const isValid = (row: number) => valid === undefined || valid[row] === 1
  const fill = <T extends DuckDBValue>(valueAt: (row: number) => T) =>
    fillWith(valid === undefined ? valueAt : (row) => (isValid(row) ? valueAt(row) : null))
  if (type === 'BIGINT' && values instanceof BigInt64Array)
    return { type: BIGINT, fill: fill((row) => values[row] as bigint) }
  if (type === 'BIGINT UNSIGNED' && values instanceof BigUint64Array)
    return { type: UBIGINT, fill: fill((row) => values[row] as bigint) }
  if (type === 'DOUBLE' && values instanceof Float64Array)
    return { type: DOUBLE, fill: fill((row) => values[row] as number) }
  if (type === 'BOOLEAN' && values instanceof Uint8Array)
    return { type: BOOLEAN, fill: fill((row) => values[row] === 1) }
  if (engineTypeOf(type) === 'VARCHAR' && Array.isArray(values))
    return { type: VARCHAR, fill: fill((row) => values[row] ?? null) }
  throw new TypeError(`the values of field ${name} are not those of a ${type} column`)
}

function fillWith(valueAt: (row: number) => DuckDBValue): Fill {
  return (chunk, column, start, count) => {
    const vector = chunk.getColumnVector(column)
    for (let row = 0; row < count; row += 1) vector.setItem(row, valueAt(start + row))
    vector.flush()
  }
}

async function loadTable(
  session: ConnectionSession,
  name: string,
  rowCount: number,
  columns: readonly LoadColumn[],
): Promise<void> {
  const types = columns.map((column) => column.type)
  await session.interruptible(async () => {
    const appender = await session.connection.createAppender(name, 'main', 'temp')
    try {
      for (let start = 0; start < rowCount; start += CHUNK_ROWS) {
        const count = Math.min(CHUNK_ROWS, rowCount - start)
        const chunk = DuckDBDataChunk.create(types, count)
        for (const [index, column] of columns.entries()) column.fill(chunk, index, start, count)
        appender.appendDataChunk(chunk)
        if ((start / CHUNK_ROWS) % CHUNKS_A_TURN === CHUNKS_A_TURN - 1) await yieldTurn()
      }
      appender.flushSync()
    } finally {
      appender.closeSync()
    }
  })
}

function yieldTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
