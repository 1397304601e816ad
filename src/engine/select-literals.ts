import { isTimeType, type KnownType } from './functions/rule.ts'
import { errorAt, type RewriteContext, type Typed, unsupported } from './select-context.ts'
import { isObject, type Json } from './select-json.ts'
import { textOfValue } from './select-text-cast.ts'
import { textToTime } from './select-time-text.ts'
import {
  castNode,
  childOf,
  childrenOf,
  constantType,
  functionNode,
  INTEGER_TYPES,
  integerOf,
  locationOf,
  type Node,
  stringNode,
  textOf,
  wholeOf,
} from './select-tree.ts'

const MAX_I64 = (1n << 63n) - 1n
const MAX_U64 = (1n << 64n) - 1n

/**
 * Literals mean in CnosDB: i64, else u64, else f64; everything with a point or exponent f64. Numbers travel as text
 * inside a cast, because DuckDB prints a DOUBLE as a DECIMAL and rounds on the way back.
 */
export function rewriteConstant(context: RewriteContext, node: Node): Typed {
  const value = childOf(node, 'value')
  const type = textOf(childOf(value, 'type'), 'id')
  if (value.is_null === true) return { node, type: undefined }
  switch (type) {
    case 'INTEGER':
    case 'BIGINT':
      return { node, type: 'BIGINT' }
    case 'HUGEINT':
      return wideInteger(node, wholeOf(value.value) ?? 0n)
    case 'DECIMAL':
      return asDouble(node, decimalText(value))
    case 'DOUBLE':
      return asDouble(node, doubleText(Number(value.value)))
    case 'VARCHAR':
      return { node, type }
    case 'BOOLEAN':
      // IS TRUE has a constant, which DuckDB prints as a word and reads back as a cast.
      return { node: castNode(stringNode(value.value === true ? 't' : 'f', locationOf(node)), 'BOOLEAN'), type }
    default:
      throw unsupported(context, node, `A literal of type ${type}`)
  }
}

function wideInteger(node: Node, whole: bigint): Typed {
  if (whole < 0n && whole >= -MAX_I64 - 1n) return { node: castNode(node, 'BIGINT'), type: 'BIGINT' }
  if (whole >= 0n && whole <= MAX_U64) return { node: castNode(node, 'UBIGINT'), type: 'UBIGINT' }
  return asDouble(node, whole.toString())
}

function asDouble(node: Node, text: string): Typed {
  const location = locationOf(node)
  const cast = castNode(stringNode(text, location), 'DOUBLE', location)
  return { node: { ...cast, alias: node.alias ?? '' }, type: 'DOUBLE' }
}

/** JavaScript and DuckDB both read the shortest text back exactly. */
function doubleText(value: number): string {
  if (Number.isFinite(value)) return Object.is(value, -0) ? '-0' : String(value)
  return value > 0 ? 'inf' : '-inf'
}

/** A DECIMAL constant is an integer and a scale. */
export function decimalText(value: Node): string {
  const info: Json | undefined = childOf(value, 'type').type_info
  const scale = isObject(info) && typeof info.scale === 'number' ? info.scale : 0
  const whole = wholeOf(value.value) ?? 0n
  const digits = (whole < 0n ? -whole : whole).toString().padStart(scale + 1, '0')
  const point = digits.length - scale
  const sign = whole < 0n ? '-' : ''
  return scale === 0 ? `${sign}${digits}` : `${sign}${digits.slice(0, point)}.${digits.slice(point)}`
}

const CAST_TYPES: ReadonlySet<string> = new Set([
  ...INTEGER_TYPES,
  ...['DOUBLE', 'FLOAT', 'DECIMAL', 'VARCHAR', 'BOOLEAN', 'DATE', 'TIME', 'INTERVAL', 'BLOB'],
  ...['TIMESTAMP', 'TIMESTAMP_NS', 'TIMESTAMP_MS', 'TIMESTAMP_S', 'TIMESTAMP WITH TIME ZONE'],
])

/** CnosDB's timestamps have nanoseconds and no zone. */
const NANOSECOND_TYPES: ReadonlySet<string> = new Set(['TIMESTAMP', 'TIMESTAMP_NS', 'TIMESTAMP WITH TIME ZONE'])
const TICKS_OF: Readonly<Record<string, string>> = {
  TIMESTAMP_NS: 'epoch_ns',
  TIMESTAMP: 'epoch_us',
  TIMESTAMP_MS: 'epoch_ms',
  TIMESTAMP_S: 'epoch_ms',
}

/** CAST and TRY_CAST as CnosDB means them: between time and integer by ticks, from DOUBLE to integer towards zero. */
export function rewriteCast(context: RewriteContext, node: Node, child: Typed): Typed {
  const wanted = textOf(childOf(node, 'cast_type'), 'id')
  if (!CAST_TYPES.has(wanted)) {
    const name = wanted === 'UNBOUND' ? textOf(childOf(childOf(node, 'cast_type'), 'type_info'), 'name') : wanted
    throw errorAt(context, node, 'UNSUPPORTED', `Unsupported SQL type ${name}`)
  }
  const type = NANOSECOND_TYPES.has(wanted) ? 'TIMESTAMP_NS' : wanted
  const castType = type === wanted ? childOf(node, 'cast_type') : { id: type, type_info: null }
  const cast = (inner: Node): Typed => ({ node: { ...node, child: inner, cast_type: castType }, type })
  if (isTimeType(type) && child.type === 'VARCHAR' && node.try_cast !== true) {
    return { node: textToTime(context, child.node, type), type }
  }
  if (isTimeType(type) && isIntegerType(child.type)) return { node: ticksToTime(child.node, type), type }
  if (isTimeType(child.type) && isIntegerType(type)) {
    return cast(functionNode(TICKS_OF[child.type] as string, [child.node], locationOf(node)))
  }
  if (child.type === 'DOUBLE' && isIntegerType(type)) return cast(functionNode('trunc', [child.node], locationOf(node)))
  if (child.type === 'VARCHAR' && isIntegerType(type)) return cast(integerText(child.node))
  if (type === 'VARCHAR') return cast(textOfValue(context, child))
  return cast(child.node)
}

/** Text that DuckDB casts to an integer only when it is one: by itself it rounds `2.5` and takes `1e3`, `0x1F`, ` 1`. */
function integerText(text: Node): Node {
  const location = locationOf(text)
  const pattern = stringNode('(?s)^(.*[^0-9+-].*)$', location)
  return functionNode('regexp_replace', [text, pattern, stringNode('\\1 (no integer)', location)], location)
}

const ARROW_TYPES: Readonly<Record<string, string>> = {
  Int8: 'TINYINT',
  Int16: 'SMALLINT',
  Int32: 'INTEGER',
  Int64: 'BIGINT',
  UInt8: 'UTINYINT',
  UInt16: 'USMALLINT',
  UInt32: 'UINTEGER',
  UInt64: 'UBIGINT',
  Float32: 'FLOAT',
  Float64: 'DOUBLE',
  Utf8: 'VARCHAR',
  LargeUtf8: 'VARCHAR',
  Boolean: 'BOOLEAN',
  Binary: 'BLOB',
  Date32: 'DATE',
  'Timestamp(Nanosecond, None)': 'TIMESTAMP_NS',
  'Timestamp(Millisecond, None)': 'TIMESTAMP_MS',
  'Timestamp(Second, None)': 'TIMESTAMP_S',
}

/** `arrow_cast(value, 'Int64')`: a CAST with Arrow's name of the type, which is a literal. */
export function arrowCast(context: RewriteContext, node: Node, [value, name]: readonly Typed[]): Typed {
  if (value === undefined || name === undefined || childrenOf(node, 'children').length !== 2) {
    const message = 'Datafusion: Error during planning: arrow_cast takes a value and the name of a type.'
    throw errorAt(context, node, 'PLANNING', message)
  }
  const text = constantType(name.node) === 'VARCHAR' ? textOf(childOf(name.node, 'value'), 'value') : ''
  const type = Object.hasOwn(ARROW_TYPES, text) ? ARROW_TYPES[text] : undefined
  if (type === undefined) {
    const hint = `Take one of ${Object.keys(ARROW_TYPES).join('; ')}.`
    throw unsupported(context, node, `arrow_cast to '${text}'`, hint)
  }
  return rewriteCast(context, castNode(value.node, type, locationOf(node)), value)
}

export const isIntegerType = (type: KnownType) => type !== undefined && INTEGER_TYPES.has(type)

const FROM_TICKS: Readonly<Record<string, string>> = {
  TIMESTAMP_NS: 'make_timestamp_ns',
  TIMESTAMP: 'make_timestamp',
  TIMESTAMP_MS: 'make_timestamp_ms',
}

/** The ticks that DuckDB has a time for; beyond them is infinity, which compares as it should. */
const TICKS: Readonly<Record<string, readonly [bigint, bigint]>> = {
  TIMESTAMP_NS: [-9223372036854775000n, 9223372036854775806n],
  TIMESTAMP: [-62135596800000000n, 8210266876799999999n],
  TIMESTAMP_MS: [-62135596800000n, 8210266876799999n],
}

/** An integer as a time that counts in the unit of `type`. */
export function ticksToTime(node: Node, type: string): Node {
  const ticks = integerOf(node)
  const [least, greatest] = TICKS[type] ?? (TICKS.TIMESTAMP_NS as readonly [bigint, bigint])
  if (ticks !== undefined && ticks > greatest) return castNode(stringNode('infinity', locationOf(node)), type)
  if (ticks !== undefined && ticks < least) return castNode(stringNode('-infinity', locationOf(node)), type)
  const make = FROM_TICKS[type] ?? 'make_timestamp_ns'
  return castNode(functionNode(make, [node], locationOf(node)), type)
}
