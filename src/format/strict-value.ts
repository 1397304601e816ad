import { badGeometrySql, geometryTypeOf } from '../engine/geometry-check.ts'
import { quoteIdentifier, quoteString } from '../engine/quote.ts'
import type { FileColumn } from './file-format.ts'
import { canonicalTime, isCanonicalTime, lenientTime, TIME_TYPES } from './time-value.ts'

/**
 * Text to engine values without a guess: where DuckDB's own cast rounds, trims or takes `1_000` and `0x1F`, these
 * raise. Rules of CnosDB's readers (arrow-csv, arrow-json); an empty text is NULL for everything but strings.
 */
export interface StrictValue {
  /** The value; raises (through `error()`) for a text that is none. */
  readonly value: string
  /** BOOLEAN: whether the text is at fault. Never NULL. */
  readonly isBad: string
}

/** A short way for nearly all texts, and a long way that yields NULL for those that are no value. */
interface Ways {
  readonly isUsual: string
  readonly usual: string
  readonly unusual: string
}

/** What DuckDB's cast trims from an end. */
const BLANKS = [`' '`, ...[9, 10, 11, 12, 13].map((code) => `chr(${code})`)]

const FLOATS: ReadonlySet<string> = new Set(['DOUBLE', 'FLOAT'])

function integerWays(x: string, type: string): Ways {
  const sign = type.startsWith('U') ? '\\+?' : '[+-]?'
  const value = `TRY_CAST(${x} AS ${type})`
  return {
    isUsual: `CAST(${value} AS VARCHAR) = ${x}`,
    usual: value,
    unusual: `CASE WHEN regexp_full_match(${x}, '${sign}[0-9]+') THEN ${value} END`,
  }
}

function floatWays(x: string, type: string): Ways {
  const value = `TRY_CAST(${x} AS ${type})`
  // Blanks inside a number fail the cast; those before it sort below '!'.
  const endsClean = BLANKS.map((blank) => `NOT suffix(${x}, ${blank})`).join(' AND ')
  return {
    isUsual: `isfinite(${value}) AND NOT contains(${x}, '_') AND ${x} >= '!' AND ${endsClean} AND NOT starts_with(${x}, '+-')`,
    usual: value,
    unusual: `CASE WHEN regexp_full_match(${x}, '(?i)[+-]?(nan|inf|infinity)') THEN ${value} END`,
  }
}

const booleanWays = (x: string): Ways => ({
  isUsual: `${x} IN ('true', 'false')`,
  usual: `${x} = 'true'`,
  unusual: `CASE lower(${x}) WHEN 'true' THEN true WHEN 'false' THEN false END`,
})

const timeWays = (x: string, type: string): Ways => ({
  isUsual: `${isCanonicalTime(x)} AND ${canonicalTime(x, type)} IS NOT NULL`,
  usual: canonicalTime(x, type),
  unusual: lenientTime(x, type),
})

function waysOf(x: string, type: string): Ways {
  if (/^U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?$/.test(type)) return integerWays(x, type)
  if (FLOATS.has(type)) return floatWays(x, type)
  if (type === 'BOOLEAN') return booleanWays(x)
  if (TIME_TYPES.has(type)) return timeWays(x, type)
  return { isUsual: 'false', usual: 'NULL', unusual: `TRY_CAST(${x} AS ${type})` }
}

/** The text `x` as a value of the column; NULL where `isNull` holds. */
export function fromText(x: string, column: FileColumn, isNull = `${x} IS NULL OR ${x} = ''`): StrictValue {
  if (column.type === 'VARCHAR') return fromString(x, column)
  const { isUsual, usual, unusual } = waysOf(x, column.type)
  return {
    value: `CASE WHEN ${isUsual} THEN ${usual} WHEN ${isNull} THEN NULL WHEN (${unusual}) IS NOT NULL THEN ${unusual} ELSE ${raise(x, column)} END`,
    isBad: `CASE WHEN ${isNull} THEN false WHEN ${isUsual} THEN false ELSE (${unusual}) IS NULL END`,
  }
}

/** A column and the field it comes from: a text, or what DuckDB's own reader has made a DOUBLE. */
export interface FieldColumn {
  readonly column: FileColumn
  readonly field: string
  readonly isRead: boolean
}

/**
 * The values of the columns of fields in `from`, as `fromText` has them, in a SELECT; cheaper, because casts are made
 * once, and what DuckDB's cast takes and a float may not hold is looked for in all floats of a row at once.
 */
export function selectFromTexts(columns: readonly FieldColumn[], from: string): string {
  const floats = columns.filter(({ column, isRead }) => FLOATS.has(column.type) && !isRead)
  const times = columns.filter(({ column }) => TIME_TYPES.has(column.type))
  const foreign = ["'_'", "'+-'", ...BLANKS].map((text) => `NOT contains(floats, ${text})`)
  const tries = [
    ...floats.map(({ column, field }) => `TRY_CAST(${field} AS ${column.type}) AS try_${field}`),
    ...times.map(({ column, field }) => `${canonicalTime(field, column.type)} AS try_${field}`),
    ...(floats.length > 0 ? [`${foreign.join(' AND ')} AS are_plain`] : []),
  ]
  const joined = `SELECT *, concat(${["''", ...floats.map(({ field }) => field)].join(', ')}) AS floats FROM ${from}`
  const values = columns.map((each) => `${valueOfTried(each)} AS ${quoteIdentifier(each.column.name)}`)
  const tried = tries.length === 0 ? '*' : `*, ${tries.join(', ')}`
  return `SELECT ${values.join(', ')} FROM (SELECT ${tried} FROM (${joined}))`
}

/** What the message says when DuckDB has read a number that is not finite, as a text that is too large or that says so. */
export const NOT_FINITE = 'a number that is not finite'

function valueOfTried({ column, field, isRead }: FieldColumn): string {
  if (isRead)
    return `CASE WHEN isfinite(${field}) IS NOT FALSE THEN ${field} ELSE error(${quoteString(NOT_FINITE)}) END`
  const { value } = fromText(field, column)
  const tried = `try_${field}`
  if (FLOATS.has(column.type)) return `CASE WHEN are_plain AND isfinite(${tried}) THEN ${tried} ELSE ${value} END`
  if (!TIME_TYPES.has(column.type)) return value
  return `CASE WHEN ${isCanonicalTime(field)} AND ${tried} IS NOT NULL THEN ${tried} ELSE ${value} END`
}

/** Well-known text is checked where rows enter the table; here only the fault can be found. */
function fromString(x: string, { column }: FileColumn): StrictValue {
  const kind = column && geometryTypeOf(column.type)
  return { value: x, isBad: kind === undefined ? 'false' : `coalesce(${badGeometrySql(x, kind)}, false)` }
}

/** Raises; the reader's explanation says more than this text. */
export function raise(x: string, column: FileColumn): string {
  return `error(${quoteString(`column "${column.name}" cannot hold "`)} || left(CAST(${x} AS VARCHAR), 100) || '"')`
}

/** JSON text of a member (NULL when absent) as a string: only JSON strings are strings. */
export function fromJsonString(json: string, column: FileColumn): StrictValue {
  const x = `CAST(${json} AS VARCHAR)`
  const text = `CASE WHEN NOT contains(${x}, '\\') THEN substr(${x}, 2, length(${x}) - 2) ELSE json_extract_string(${x}, '$') END`
  const isString = `starts_with(${x}, '"')`
  const isAbsent = `${x} IS NULL OR ${x} = 'null'`
  const wkt = fromString(`(${text})`, column)
  return {
    value: `CASE WHEN ${isString} THEN ${wkt.value} WHEN ${isAbsent} THEN NULL ELSE ${raise(json, column)} END`,
    isBad: `CASE WHEN ${isAbsent} THEN false WHEN ${isString} THEN ${wkt.isBad} ELSE true END`,
  }
}
