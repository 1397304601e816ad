import type { FileColumn } from './file-format.ts'
import { fromText, raise, type StrictValue } from './strict-value.ts'
import { TIME_TYPES, timeFromTicks, timeFromTime } from './time-value.ts'

const INTEGER = /^U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?$/
const FRACTION = /^(FLOAT|DOUBLE|DECIMAL\(.*\))$/
/** Those that are sums of powers of two of few bits, or come from a division that rounds once. */
const EXACT = /^(FLOAT|DOUBLE|DECIMAL\(([0-9]|1[0-5]),[0-9]+\))$/
/** More digits than DuckDB has. */
const TOO_WIDE = /^DECIMAL\((39|[4-9][0-9]|[0-9]{3,}),/
const TIME = /^(DATE|TIMESTAMP.*)$/
const NESTED = /\]$|^(STRUCT|MAP|UNION|VARIANT|GEOMETRY)\b/

/**
 * A Parquet column as a table's column: whatever Arrow casts, but a value that would change raises. Undefined for types
 * that have nothing in common.
 */
export function fromTyped(x: string, type: string, column: FileColumn): StrictValue | undefined {
  if (NESTED.test(type) || TOO_WIDE.test(type)) return undefined
  if (type === '"NULL"') return { value: `CAST(NULL AS ${column.type})`, isBad: 'false' }
  if (type === 'VARCHAR' || type.startsWith('ENUM')) return fromText(x, column)
  if (type === 'BLOB') return fromBlob(x, column)
  if (column.type === 'VARCHAR') return checked(`CAST(${x} AS VARCHAR)`, x, column)
  if (TIME_TYPES.has(column.type)) return asTime(x, type, column)
  if (column.type === 'BOOLEAN') return type === 'BOOLEAN' ? { value: x, isBad: 'false' } : undefined
  if (INTEGER.test(column.type)) return asInteger(x, type, column)
  if (FRACTION.test(column.type)) return asFraction(x, type, column)
  return checked(`TRY_CAST(${x} AS ${column.type})`, x, column)
}

/** `value` is NULL exactly for what does not fit. */
function checked(value: string, x: string, column: FileColumn): StrictValue {
  return {
    value: `CASE WHEN (${value}) IS NOT NULL THEN ${value} WHEN ${x} IS NULL THEN NULL ELSE ${raise(x, column)} END`,
    isBad: `(${x} IS NOT NULL AND (${value}) IS NULL)`,
  }
}

function fromBlob(x: string, column: FileColumn): StrictValue {
  const inner = fromText(`decode(${x})`, column)
  return { value: inner.value, isBad: `coalesce(${inner.isBad}, false)` }
}

function asTime(x: string, type: string, column: FileColumn): StrictValue | undefined {
  if (INTEGER.test(type)) return checked(timeFromTicks(`TRY_CAST(${x} AS BIGINT)`, column.type), x, column)
  if (!TIME.test(type)) return undefined
  if (type === column.type) return { value: x, isBad: 'false' }
  return checked(`TRY(${timeFromTime(x, type, column.type)})`, x, column)
}

function asInteger(x: string, type: string, column: FileColumn): StrictValue | undefined {
  if (type === column.type) return { value: x, isBad: 'false' }
  const cast = `TRY_CAST(${x} AS ${column.type})`
  if (INTEGER.test(type)) return checked(cast, x, column)
  if (FRACTION.test(type)) return checked(`CASE WHEN ${x} = trunc(${x}) THEN ${cast} END`, x, column)
  return undefined
}

function asFraction(x: string, type: string, column: FileColumn): StrictValue | undefined {
  if (type === column.type) return { value: x, isBad: 'false' }
  const cast = `CAST(${x} AS ${column.type})`
  if (EXACT.test(type)) return { value: cast, isBad: 'false' }
  if (FRACTION.test(type)) return { value: `CAST(CAST(${x} AS VARCHAR) AS ${column.type})`, isBad: 'false' }
  if (INTEGER.test(type)) return checked(`CASE WHEN CAST(${cast} AS HUGEINT) = ${x} THEN ${cast} END`, x, column)
  return undefined
}
