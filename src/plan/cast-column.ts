import { quoteString } from '../engine/quote.ts'
import { engineTypeOf } from '../engine/table.ts'
import { CnosError } from '../errors/cnos-error.ts'
import { fromText } from '../format/strict-value.ts'
import { lenientTime, timeFromTicks, timeFromTime } from '../format/time-value.ts'
import type { Column, DataType, Precision } from '../model/schema.ts'

const INTEGERS = /^U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?$/
const FRACTIONS = /^(FLOAT|DOUBLE|REAL|DECIMAL\(.*\))$/
const TIMES = /^(DATE|TIMESTAMP.*)$/

/** For which text is read as COPY reads it: DuckDB's cast rounds `2.5` to an integer, and takes `1_000`. */
const NUMBERS: ReadonlySet<DataType> = new Set<DataType>(['BIGINT', 'BIGINT UNSIGNED', 'DOUBLE'])

/** A DuckDB expression without side effects (it may be repeated), and its type. */
export interface CastSource {
  readonly expression: string
  readonly type: string
}

/**
 * The DuckDB expression that turns a value of a SELECT into what a table's column stores. A value that would change
 * (a fraction for an integer, a time out of range) raises while the rows are read. Throws PLANNING for types that have
 * nothing in common.
 */
export function castColumn(source: CastSource, target: Column, precision: Precision): string {
  const cell = source.expression
  if (source.type === '"NULL"' || source.type === 'NULL') return `CAST(NULL AS ${engineTypeOf(target.type)})`
  const cast = target.kind === 'time' ? castTime(cell, source.type, precision) : castValue(cell, source.type, target)
  if (cast !== undefined) return cast
  throw new CnosError(
    'PLANNING',
    `Datafusion: Error during planning: Cannot cast ${source.type} to ${target.type} of column ${target.name}`,
    { context: { column: target.name }, hint: `select a value of type ${target.type}, or CAST it` },
  )
}

const TIME_TYPE: Readonly<Record<Precision, string>> = { NS: 'TIMESTAMP_NS', US: 'TIMESTAMP', MS: 'TIMESTAMP_MS' }

/** Times in the words of COPY: what a file may say, a SELECT may say. */
function castTime(cell: string, type: string, precision: Precision): string | undefined {
  const wanted = TIME_TYPE[precision]
  if (INTEGERS.test(type)) return orError(cell, timeFromTicks(`CAST(${cell} AS BIGINT)`, wanted))
  if (type === 'VARCHAR') return orError(cell, lenientTime(cell, wanted))
  return TIMES.test(type) ? timeFromTime(cell, type, wanted) : undefined
}

const orError = (cell: string, time: string) =>
  `CASE WHEN ${cell} IS NULL THEN NULL ELSE coalesce(${time}, error('column time: ' || ${cell} || ' is no time that can be stored')) END`

function castValue(cell: string, type: string, column: Column): string | undefined {
  const { name, type: wanted } = column
  if (type === 'VARCHAR' && NUMBERS.has(wanted)) {
    return fromText(cell, { name, type: engineTypeOf(wanted), column }, `${cell} IS NULL`).value
  }
  const cast = `CAST(${cell} AS ${engineTypeOf(wanted)})`
  const isNumber = INTEGERS.test(type) || FRACTIONS.test(type)
  if (wanted === 'BIGINT' || wanted === 'BIGINT UNSIGNED') {
    if (FRACTIONS.test(type)) return wholeNumber(cell, cast, name)
    return INTEGERS.test(type) ? cast : undefined
  }
  if (wanted === 'DOUBLE') return isNumber ? cast : undefined
  if (wanted === 'BOOLEAN') return type === 'BOOLEAN' || type === 'VARCHAR' ? cast : undefined
  return isNumber || type === 'VARCHAR' || type === 'BOOLEAN' ? cast : undefined
}

const wholeNumber = (cell: string, cast: string, column: string) =>
  `CASE WHEN ${cell} = trunc(${cell}) OR ${cell} IS NULL THEN ${cast} ` +
  `ELSE error(${quoteString(`column ${column} holds integers only, not `)} || ${cell}) END`
