/** Times as text, ticks or other engine times, as DuckDB expressions. Every function repeats its argument. */

const HOUR_MINUTE = '(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]'
const CANONICAL = `[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]${HOUR_MINUTE}(?:\\.[0-9]{1,9})?`
const LENIENT =
  '[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]?(?:(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]|(?:[01][0-9]|2[0-3])[0-5][0-9][0-5][0-9])(?:\\.[0-9]{1,9})? ?(?:[Zz]|[+-][0-9]{2}:?(?:[0-9]{2})?)?'
/** What LENIENT matches, in the nine groups that RE2 gives at most. */
const PARTS =
  '([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]?([0-9]{2}):?([0-9]{2}):?([0-9]{2})(\\.[0-9]{1,9})? ?(?:[Zz]|([+-][0-9]{2}):?([0-9]{2})?)?'
const DATE_ONLY = '[0-9]{4}-[0-9]{2}-[0-9]{2}'
const INTEGER = '[+-]?[0-9]+'
/** What DuckDB calls infinity is the last nanosecond of CnosDB. */
const LAST_NANOSECOND = '2262-04-11 23:47:16.854775807+00:00'

export const TIME_TYPES: ReadonlySet<string> = new Set(['TIMESTAMP_NS', 'TIMESTAMP', 'TIMESTAMP_MS', 'TIMESTAMP_S'])

/** Whether most texts of CnosDB take the short way of `canonicalTime`. */
export function isCanonicalTime(text: string): string {
  return `regexp_full_match(${text}, '${CANONICAL}')`
}

/** NULL for a date that does not exist or does not fit. Digits finer than the type are cut off. */
export function canonicalTime(text: string, type: string): string {
  if (type === 'TIMESTAMP_NS') return `TRY_CAST(${text} AS TIMESTAMP_NS)`
  if (type === 'TIMESTAMP') return `TRY_CAST(${text} AS TIMESTAMP)`
  return `CAST(TRY_CAST(left(${text}, ${type === 'TIMESTAMP_S' ? 19 : 23}) AS TIMESTAMP) AS ${type})`
}

/**
 * Every other text CnosDB takes: `t`, no separator, `HHMMSS`, `Z` and offsets, a date alone (midnight), an integer
 * (ticks of the type). No zone means UTC. NULL for anything else.
 */
export function lenientTime(text: string, type: string): string {
  const digits = { TIMESTAMP_NS: 9, TIMESTAMP: 6, TIMESTAMP_MS: 3 }[type] ?? 0
  const part = (group: number) => `regexp_extract(${text}, '${PARTS}', ${group})`
  const fraction = digits === 0 ? `''` : `left(${part(5)}, ${digits + 1})`
  const zone = `CASE WHEN ${part(6)} = '' THEN '+00:00' ELSE ${part(6)} || ':' || CASE WHEN ${part(7)} = '' THEN '00' ELSE ${part(7)} END END`
  const clock = `${part(2)} || ':' || ${part(3)} || ':' || ${part(4)}`
  const normal = `(${part(1)} || ' ' || ${clock} || ${fraction} || ${zone})`
  return `CASE WHEN regexp_full_match(${text}, '${LENIENT}') THEN ${zonedTime(normal, type)} \
WHEN regexp_full_match(${text}, '${DATE_ONLY}') THEN ${canonicalTime(`(${text} || ' 00:00:00')`, type)} \
WHEN regexp_full_match(${text}, '${INTEGER}') THEN ${timeFromTicks(`TRY_CAST(${text} AS BIGINT)`, type)} END`
}

/** `2022-01-01 00:00:00.5+08:00`; NULL when it does not fit. A cast to TIMESTAMP would ignore the offset. */
function zonedTime(text: string, type: string): string {
  if (type !== 'TIMESTAMP_NS') return `CAST(timezone('UTC', TRY_CAST(${text} AS TIMESTAMPTZ)) AS ${type})`
  return `CASE WHEN ${text} = '${LAST_NANOSECOND}' THEN 'infinity'::TIMESTAMP_NS ELSE TRY_CAST(${text} AS TIMESTAMP_NS) END`
}

/** Ticks of the type's own unit; NULL when DuckDB has no such time. */
export function timeFromTicks(ticks: string, type: string): string {
  switch (type) {
    case 'TIMESTAMP_NS':
      return `CASE WHEN ${ticks} = 9223372036854775807 THEN 'infinity'::TIMESTAMP_NS WHEN ${ticks} BETWEEN -9223372036854775000 AND 9223372036854775806 THEN make_timestamp_ns(${ticks}) END`
    case 'TIMESTAMP':
      return `CASE WHEN ${ticks} BETWEEN -9223372022400000000 AND 9223372036854775806 THEN make_timestamp(${ticks}) END`
    case 'TIMESTAMP_MS':
      return `CASE WHEN ${ticks} BETWEEN -9223372022400000 AND 9223372036854775 THEN CAST(make_timestamp_ms(${ticks}) AS TIMESTAMP_MS) END`
    default:
      return `CASE WHEN ${ticks} BETWEEN -62135596800 AND 8210266876799 THEN CAST(make_timestamp_ms(${ticks} * 1000) AS ${type}) END`
  }
}

/** Rounded down to a multiple, also before 1970. */
const floorDivide = (x: string, by: number) => `((${x} - ((${x} % ${by}) + ${by}) % ${by}) // ${by})`

const PER_SECOND: Readonly<Record<string, number>> = {
  TIMESTAMP_NS: 1e9,
  TIMESTAMP: 1e6,
  'TIMESTAMP WITH TIME ZONE': 1e6,
  TIMESTAMP_MS: 1e3,
  TIMESTAMP_S: 1,
}

/** One engine time as another, rounded down; raises when it does not fit. A cast would round to the nearest. */
export function timeFromTime(x: string, from: string, to: string): string {
  if (from === to) return x
  if (from === 'DATE') return `CAST(${x} AS ${to})`
  const [source, target] = [PER_SECOND[from] as number, PER_SECOND[to] as number]
  const plain = from === 'TIMESTAMP WITH TIME ZONE' ? `timezone('UTC', ${x})` : x
  if (source <= target) return to === 'TIMESTAMP' && source === 1e6 ? plain : `CAST(${plain} AS ${to})`
  const ticks = from === 'TIMESTAMP_NS' ? `epoch_ns(${x})` : source === 1e6 ? `epoch_us(${x})` : `epoch_ms(${x})`
  return timeFromTicks(floorDivide(ticks, source / target), to)
}
