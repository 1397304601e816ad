import { CnosError } from '../errors/cnos-error.ts'
import {
  type Batch,
  type BatchColumn,
  type BatchLayout,
  fieldColumnsOf,
  keyHash,
  tagColumnsOf,
  timeColumnOf,
} from './batch.ts'
import type { EngineRow, Session } from './engine.ts'
import { badGeometrySql, geometryMessage, geometryTypeOf } from './geometry-check.ts'
import { timeUnitOf } from './time-ticks.ts'

/** What one pass over a checked batch tells; the times are ticks of the table's precision. */
export interface BatchFacts {
  readonly rows: bigint
  readonly minTime: bigint
  readonly maxTime: bigint
  /** Whether two rows may have the same time and tags; true is possible without. */
  readonly repeatedKeys: boolean
}

export interface FactLimits {
  /** Rows older than this are refused. */
  readonly minTimeNs?: bigint | undefined
}

/**
 * Reads the whole batch once and refuses what may not be stored: TIME_IS_NULL, FIELDS_EMPTY, TIMESTAMP_OVERFLOW,
 * QUERIED_INVALID_GEOMETRY, OPERATION_NOT_SUPPORTED. Undefined when there are no rows.
 */
export async function readFacts(
  session: Session,
  batch: Batch,
  layout: BatchLayout,
  limits: FactLimits,
): Promise<BatchFacts | undefined> {
  const counts = (await session.all(factsSql(batch, layout)))[0] as EngineRow
  const rows = counts.row_count as bigint
  if (rows === 0n) return undefined
  if (counts.time_count !== rows) throw await timeIsNull(session, batch, layout)
  if (counts.empty_count !== 0n) throw await fieldsEmpty(session, batch, layout)
  for (const column of geometriesOf(layout)) {
    if (counts[`bad_${column.cell}`] !== 0n) throw await invalidGeometry(session, batch, column)
  }
  const facts: BatchFacts = {
    rows,
    minTime: counts.min_time as bigint,
    maxTime: counts.max_time as bigint,
    repeatedKeys: counts.key_count !== rows,
  }
  checkTimeRange(layout, facts, limits)
  return facts
}

/**
 * Two keys of one hash only send a clean batch the longer way. Rows without a field are looked for by a WHERE, which
 * reads no more of the fields than it must.
 */
function factsSql(batch: Batch, layout: BatchLayout): string {
  const time = timeColumnOf(layout).cell
  const geometries = geometriesOf(layout).map(
    ({ cell, type }) => `count(*) FILTER (${badGeometrySql(cell, geometryTypeOf(type) as string)}) AS bad_${cell}`,
  )
  const counts = [
    'count(*) AS row_count',
    `count(${time}) AS time_count`,
    `(SELECT count(*) FROM ${batch.from} WHERE ${allNullSql(layout)}) AS empty_count`,
    `min(${time}) AS min_time`,
    `max(${time}) AS max_time`,
    `count(DISTINCT ${keyHash(layout, batch)}) AS key_count`,
    ...geometries,
  ]
  return `SELECT ${counts.join(', ')} FROM ${batch.from}`
}

const geometriesOf = (layout: BatchLayout) =>
  fieldColumnsOf(layout).filter(({ type }) => geometryTypeOf(type) !== undefined)

function allNullSql(layout: BatchLayout): string {
  const fields = fieldColumnsOf(layout)
  return fields.length === 0 ? 'true' : fields.map(({ cell }) => `${cell} IS NULL`).join(' AND ')
}

async function timeIsNull(session: Session, batch: Batch, layout: BatchLayout): Promise<CnosError> {
  const row = await firstRow(session, batch, layout, `${timeColumnOf(layout).cell} IS NULL`)
  return new CnosError('TIME_IS_NULL', 'Column time cannot be null.', {
    context: { column: timeColumnOf(layout).name },
    hint: `Give every row a time; the first without one is ${describeRow(layout, row)}.`,
  })
}

async function fieldsEmpty(session: Session, batch: Batch, layout: BatchLayout): Promise<CnosError> {
  const row = await firstRow(session, batch, layout, allNullSql(layout))
  return new CnosError(
    'FIELDS_EMPTY',
    `Fields can't be empty: ${describeRow(layout, row)} has no field that is not null`,
    {
      hint: 'Leave such rows out: a row needs at least one field.',
    },
  )
}

async function invalidGeometry(session: Session, { from, row }: Batch, column: BatchColumn): Promise<CnosError> {
  const subType = geometryTypeOf(column.type) as string
  const number = row === undefined ? 'NULL' : `${row} + 1`
  const found = (
    await session.all(
      `SELECT ${column.cell} AS value, ${number} AS number FROM ${from} WHERE ${badGeometrySql(column.cell, subType)} LIMIT 1`,
    )
  )[0]
  const value = String(found?.value)
  const place = found?.number === null ? '' : ` in row ${found?.number} of the source`
  return new CnosError('QUERIED_INVALID_GEOMETRY', geometryMessage(subType, value), {
    context: { column: column.name, value },
    hint: `Column ${column.name}${place} takes WKT such as ${subType === 'POINT' ? 'POINT(1 2)' : `${subType}(…)`}.`,
  })
}

function checkTimeRange(layout: BatchLayout, { minTime, maxTime }: BatchFacts, { minTimeNs }: FactLimits): void {
  const { name, type } = timeColumnOf(layout)
  const unit = timeUnitOf(type)
  const outside = minTime < unit.min ? minTime : maxTime > unit.max ? maxTime : undefined
  if (outside !== undefined) {
    throw new CnosError('TIMESTAMP_OVERFLOW', `Timestamp overflow: ${outside} does not fit into ${type}`, {
      context: { column: name, value: String(outside) },
      hint: `The earliest time that can be stored is ${unit.min}, the latest ${unit.max}.`,
    })
  }
  if (minTimeNs !== undefined && minTime * unit.nanoseconds < minTimeNs) {
    throw new CnosError('OPERATION_NOT_SUPPORTED', 'Operation not support: create expired bucket', {
      context: { column: name, value: String(minTime) },
      hint: 'The source has rows older than the TTL of the database: raise the TTL, or leave them out.',
    })
  }
}

function firstRow(session: Session, { from, row }: Batch, layout: BatchLayout, condition: string): Promise<EngineRow> {
  const cells = [timeColumnOf(layout), ...tagColumnsOf(layout)].map(({ cell }) => `CAST(${cell} AS VARCHAR) AS ${cell}`)
  const number = row === undefined ? 'NULL AS number' : `${row} + 1 AS number`
  return session
    .all(`SELECT ${[...cells, number].join(', ')} FROM ${from} WHERE ${condition} LIMIT 1`)
    .then((rows) => rows[0] ?? {})
}

function describeRow(layout: BatchLayout, row: EngineRow): string {
  const number = row.number === null ? 'the row' : `row ${row.number} of the source`
  const parts = [timeColumnOf(layout), ...tagColumnsOf(layout)].map(
    ({ name, cell }) => `${name}=${row[cell] ?? 'NULL'}`,
  )
  return `${number} (${parts.join(', ')})`
}
