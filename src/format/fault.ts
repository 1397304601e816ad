import type { Abortable } from '../async/abort.ts'
import type { EngineRow, Session } from '../engine/engine.ts'
import { geometryMessage, geometryTypeOf } from '../engine/geometry-check.ts'
import { CnosError, type CnosErrorOptions, isCnosError } from '../errors/cnos-error.ts'
import type { FileColumn, LocalFile, ReadColumn } from './file-format.ts'
import { structureError } from './structure-fault.ts'
import { TIME_TYPES } from './time-value.ts'

/** What finding a fault needs to know of files that failed to be read. */
export interface FaultySource {
  readonly kind: 'csv' | 'json' | 'parquet'
  readonly files: readonly LocalFile[]
  readonly columns: readonly ReadColumn[]
  /** A FROM item over one file, rows in order; no value raises in it. */
  readonly read: (file: LocalFile) => string
  /** The column's value as the file has it, as an expression over `read`. */
  readonly rawOf: (column: ReadColumn) => string
  /** BOOLEAN, never NULL: whether the value cannot be the column's. */
  readonly faultOf: (column: ReadColumn) => string
  /** The line of a record, both counted from 1; undefined where only the record can be told. */
  readonly lineOf: (file: LocalFile, record: bigint) => Promise<number | undefined>
  /** Records before the first row, such as a header. */
  readonly recordsBefore: bigint
  /** Where the text stops making sense, when the engine cannot tell. */
  readonly malformedLine?: (file: LocalFile, fault: unknown) => Promise<number | undefined>
}

const PASSED_ON = ['NO_SPACE', 'OUT_OF_MEMORY', 'INTERNAL', 'TIMESTAMP_OVERFLOW', 'META_CONFLICT'] as const
const LONGEST_VALUE = 200

/** The engine's message in full, without what our own layers put around it. */
export function engineText(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause instanceof Error ? error.cause.message : ''
  return `${error.message}\n${cause.replaceAll('\\n', '\n').replaceAll('\\"', '"')}`
}

/**
 * Reads the files again, one by one and with care, for the first row at fault, and returns an error that names file,
 * line, column and value; `error` itself when it is of another kind, or under the user's names when every row reads
 * well.
 */
export async function explainFault(
  sources: readonly FaultySource[],
  error: unknown,
  session: Session,
  options: Abortable = {},
): Promise<unknown> {
  if (!isCnosError(error) || isCnosError(error, ...PASSED_ON)) return error
  for (const source of sources) {
    for (const file of source.files) {
      const found = await firstFault(source, file, error, session, options)
      if (found) return found
    }
  }
  return unlocated(sources, error)
}

/** The reading failed, but every file reads well by itself: what the engine said, under the user's names. */
function unlocated(sources: readonly FaultySource[], error: CnosError): CnosError {
  const text = engineText(error)
  for (const { kind, files } of sources) {
    const file = files.find(({ path }) => text.includes(path))
    if (file && /CSV Error on Line|Malformed JSON|JSON transform/.test(text)) return structureError(kind, file, error)
  }
  return withOrigins(
    sources.flatMap(({ files }) => files),
    error,
  )
}

async function firstFault(
  source: FaultySource,
  file: LocalFile,
  error: CnosError,
  session: Session,
  options: Abortable,
): Promise<CnosError | undefined> {
  try {
    const [row] = await session.all(faultSql(source, file, error), options)
    return row && (await faultError(source, file, row))
  } catch (fault) {
    options.signal?.throwIfAborted()
    return isCnosError(fault, 'NO_SPACE', 'OUT_OF_MEMORY', 'INTERNAL')
      ? fault
      : structureError(source.kind, file, fault, await source.malformedLine?.(file, fault))
  }
}

const WHOLE_ROW = -1n

/** One row (record, position, value) or none; position -1 says that the row as a whole is refused. */
function faultSql(source: FaultySource, file: LocalFile, error: CnosError): string {
  const { columns } = source
  const faults = columns.map((column) => ({ test: source.faultOf(column), raw: source.rawOf(column) }))
  const time = columns.findIndex(({ column }) => column?.kind === 'time')
  if (time >= 0) faults[time] = { ...(faults[time] as (typeof faults)[0]), test: orMissing(source, time) }
  const fields = columns.filter(({ column }) => column?.kind === 'field').map((column) => isAbsent(source, column))
  const isEmptyRow = fields.length > 0 ? fields.join(' AND ') : 'false'
  const wanted = isCnosError(error, 'FIELDS_EMPTY') ? `(${isEmptyRow})` : 'false'
  const position = faults.map(({ test }, i) => `WHEN ${test} THEN ${i}`).join(' ')
  const value = faults.map(({ test, raw }) => `WHEN ${test} THEN CAST(${raw} AS VARCHAR)`).join(' ')
  return `SELECT record, position, value FROM (SELECT *, CASE ${position} WHEN ${wanted} THEN ${WHOLE_ROW} END AS position, \
left(CASE ${value} END, ${LONGEST_VALUE}) AS value FROM (SELECT row_number() OVER () AS record, * FROM ${source.read(file)})) \
WHERE position IS NOT NULL LIMIT 1`
}

function isAbsent(source: FaultySource, column: ReadColumn): string {
  const raw = `CAST(${source.rawOf(column)} AS VARCHAR)`
  return column.type === 'VARCHAR' ? `coalesce(${raw}, 'null') = 'null'` : `coalesce(${raw}, '') IN ('', 'null')`
}

/** A row without a time has no place, so that an empty time is at fault as well. */
function orMissing(source: FaultySource, position: number): string {
  const column = source.columns[position] as ReadColumn
  return `(${source.faultOf(column)} OR coalesce(CAST(${source.rawOf(column)} AS VARCHAR), '') = '')`
}

async function faultError(source: FaultySource, file: LocalFile, row: EngineRow): Promise<CnosError> {
  const record = BigInt(row.record as bigint | number)
  const line = await source.lineOf(file, record + source.recordsBefore)
  const place = `${file.origin}, ${line === undefined ? `row ${record}` : `line ${line}`}`
  const context = { file: file.origin, ...(line === undefined ? {} : { line }) }
  const position = Number(row.position)
  if (BigInt(position) === WHOLE_ROW) {
    return new CnosError('FIELDS_EMPTY', `Fields can't be empty: ${place}`, {
      context,
      hint: 'CnosDB keeps no row whose fields are all NULL: remove the row, or give one field a value',
    })
  }
  const column = source.columns[position] as ReadColumn
  const value = typeof row.value === 'string' ? row.value : ''
  if (column.column?.kind === 'time' && value === '') {
    return new CnosError('TIME_IS_NULL', `Column ${column.name} cannot be null.: ${place}`, {
      context: { ...context, column: column.name },
      hint: 'every row needs a time',
    })
  }
  return valueError(
    source,
    { column, position, value, record, place },
    { context: { ...context, column: column.name, value } },
  )
}

interface BadValue {
  readonly column: ReadColumn
  readonly position: number
  readonly value: string
  readonly record: bigint
  readonly place: string
}

function valueError(source: FaultySource, bad: BadValue, options: CnosErrorOptions): CnosError {
  const { column, value, place } = bad
  const type = column.column?.type ?? column.type
  const where = `${place}, column "${column.name}" of type ${type}`
  const kind = column.column && geometryTypeOf(column.column.type)
  if (kind !== undefined) {
    return new CnosError('QUERIED_INVALID_GEOMETRY', `${geometryMessage(kind, value)}: ${where}`, {
      ...options,
      hint: `write it as WKT, such as ${kind} (…)`,
    })
  }
  return new CnosError('BAD_FILE', `${referenceText(source, bad)}: ${where}`, { ...options, hint: hintFor(column) })
}

/** The sentence CnosDB itself uses, which counts lines and columns from 0. */
function referenceText({ kind, recordsBefore }: FaultySource, { column, position, value, record }: BadValue): string {
  const line = record + recordsBefore - 1n
  if (kind === 'json') {
    if (column.type === 'VARCHAR')
      return `Json error: whilst decoding field '${column.source}': expected string got ${value}`
    return `Json error: whilst decoding field '${column.source}': failed to parse "${value}" as ${ARROW_TYPE[column.type] ?? column.type}`
  }
  if (kind === 'parquet') return `Cast error: Cannot cast value '${value}' to ${column.column?.type ?? column.type}`
  const parser = 'Arrow error: Parser error:'
  return TIME_TYPES.has(column.type)
    ? `${parser} Error parsing column ${position} at line ${line}: Parser error: Error parsing timestamp from '${value}': error parsing date`
    : `${parser} Error while parsing value ${value} for column ${position} at line ${line}`
}

const ARROW_TYPE: Readonly<Record<string, string>> = {
  BIGINT: 'Int64',
  UBIGINT: 'UInt64',
  DOUBLE: 'Float64',
  BOOLEAN: 'Boolean',
  TIMESTAMP_NS: 'Timestamp(Nanosecond, None)',
  TIMESTAMP: 'Timestamp(Microsecond, None)',
  TIMESTAMP_MS: 'Timestamp(Millisecond, None)',
}

function hintFor({ type, column }: FileColumn): string {
  if (TIME_TYPES.has(type)) {
    return "write times as 2022-01-01T02:00:10.5, with an offset if not in UTC, or as an integer in the database's precision"
  }
  const what: Readonly<Record<string, string>> = {
    BIGINT: 'an integer from -2^63 to 2^63-1, without a fraction or blanks',
    UBIGINT: 'an integer from 0 to 2^64-1, without a fraction or blanks',
    DOUBLE: 'a number without blanks',
    BOOLEAN: 'true or false',
    VARCHAR: 'a string',
  }
  return `${column?.type ?? type} holds ${what[type] ?? type}; correct the file, or list the columns in the order of the file after the table's name`
}

/** The engine speaks of local paths; the user of origins. */
function withOrigins(files: readonly LocalFile[], error: CnosError): CnosError {
  const message = files.reduce((text, { path, origin }) => text.replaceAll(path, origin), error.message)
  const file =
    files.find(({ path }) => error.message.includes(path))?.origin ??
    (files.length === 1 ? files[0]?.origin : undefined)
  if (message === error.message && file === undefined) return error
  return new CnosError(error.errorName, file && !message.includes(file) ? `${file}: ${message}` : message, {
    cause: error.cause,
    context: { ...error.context, ...(file === undefined ? {} : { file }) },
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  })
}
