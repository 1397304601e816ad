import { always, type FunctionRule, isTimeType, type KnownType, scalar } from './rule.ts'
import { tumblingWindow } from './time-window.ts'

const NS = always('TIMESTAMP_NS')
const EPOCH = "TIMESTAMP_NS '1970-01-01 00:00:00'"

const asNs = (argument: string, type: KnownType) =>
  type === 'TIMESTAMP_NS' ? argument : `CAST(${argument} AS TIMESTAMP_NS)`

/** Days and shorter count from the origin in nanoseconds; months and years follow the calendar. */
function dateBin(types: readonly KnownType[]): string {
  const time = asNs('$2', types[1])
  const origin = types.length < 3 ? EPOCH : asNs('$3', types[2])
  const width = '(1000 * epoch_us(CAST($1 AS INTERVAL)))'
  const offset = `(epoch_ns(${time}) - epoch_ns(${origin}))`
  const fixed = `make_timestamp_ns(epoch_ns(${time}) - ((${offset} % ${width}) + ${width}) % ${width})`
  const calendar = `CAST(time_bucket(CAST($1 AS INTERVAL), CAST(${time} AS TIMESTAMP), CAST(${origin} AS TIMESTAMP)) AS TIMESTAMP_NS)`
  const months = "date_part('year', CAST($1 AS INTERVAL)) <> 0 OR date_part('month', CAST($1 AS INTERVAL)) <> 0"
  return `CASE WHEN ${months} THEN ${calendar} ELSE ${fixed} END`
}

/** DuckDB's cast to microseconds goes towards zero, which is the wrong way before 1970. */
function flooredMicros(types: readonly KnownType[]): string {
  if (types[1] === 'TIMESTAMP' || types[1] === 'TIMESTAMP_MS' || types[1] === 'DATE') return '$2'
  const ns = `epoch_ns(${asNs('$2', types[1])})`
  return `make_timestamp((${ns} - ((${ns} % 1000) + 1000) % 1000) // 1000)`
}

const dateTrunc = (name: string) =>
  scalar(name, 2, 2, {
    template: (types) => `CAST(date_trunc($1, ${flooredMicros(types)}) AS TIMESTAMP_NS)`,
    heading: 'date_trunc',
    type: NS,
  })

const NS_OF_MINUTE = 60_000_000_000
const sinceMinute = `((epoch_ns($2) % ${NS_OF_MINUTE}) + ${NS_OF_MINUTE}) % ${NS_OF_MINUTE}`

function datePart(types: readonly KnownType[]): string {
  const time = types[1] === 'INTERVAL' ? undefined : asNs('$2', types[1])
  if (time === undefined) return 'CAST(date_part($1, $2) AS DOUBLE)'
  const within = sinceMinute.replaceAll('$2', time)
  const fraction = (divisor: string) => `CAST(${within} AS DOUBLE) / ${divisor}`
  return `CASE lower($1)
    WHEN 'second' THEN ${fraction("CAST('1e9' AS DOUBLE)")}
    WHEN 'millisecond' THEN ${fraction("CAST('1e6' AS DOUBLE)")}
    WHEN 'microsecond' THEN ${fraction("CAST('1e3' AS DOUBLE)")}
    WHEN 'nanosecond' THEN CAST(${within} AS DOUBLE)
    WHEN 'epoch' THEN CAST(epoch_ns(${time}) AS DOUBLE) / CAST('1e9' AS DOUBLE)
    ELSE CAST(date_part(CASE lower($1) WHEN 'nanosecond' THEN 'second' ELSE $1 END, ${time}) AS DOUBLE) END`
}

const datePartRule = (name: string) =>
  scalar(name, 2, 2, { template: datePart, heading: 'date_part', type: always('DOUBLE') })

/** A cast to TIMESTAMP would ignore the offset. */
const UTC_MICROS = "timezone('UTC', CAST($1 AS TIMESTAMP WITH TIME ZONE))"

/** DuckDB's casts to these round, CnosDB's cut. */
const UNIT_OF: Readonly<Record<string, string>> = { TIMESTAMP_MS: 'millisecond', TIMESTAMP_S: 'second' }

/** Integers count ticks of the target, text is ISO 8601. */
function toTimestamp(target: string, fromTicks: string) {
  return ([type]: readonly KnownType[]): string => {
    const isWhole = type !== undefined && /^U?(BIG|HUGE|SMALL|TINY)?INT(EGER)?$/.test(type)
    if (isWhole) return `CAST(${fromTicks} AS ${target})`
    if (target === 'TIMESTAMP_NS') return 'CAST($1 AS TIMESTAMP_NS)'
    const unit = UNIT_OF[target]
    const micros = isTimeType(type) ? 'CAST($1 AS TIMESTAMP)' : UTC_MICROS
    const cut = unit === undefined ? micros : `date_trunc('${unit}', ${micros})`
    return `CAST(${cut} AS ${target})`
  }
}

/** A fraction of what? CnosDB refuses it as well. */
const noFraction = ([type]: readonly KnownType[]): string | undefined =>
  type === 'DOUBLE' ? 'it takes an integer, not DOUBLE: CAST it to BIGINT' : undefined

const converter = (name: string, target: string, fromTicks: string) =>
  scalar(name, 1, 1, { template: toTimestamp(target, fromTicks), refusal: noFraction, type: always(target) })

const interval = (unit: string) => scalar(`to_${unit}`, 1, 1, { type: always('INTERVAL') })

export const TIME_FUNCTIONS: readonly FunctionRule[] = [
  scalar('time_window', 2, 4, { template: tumblingWindow, heading: 'TIME_WINDOW' }),
  scalar('date_bin', 2, 3, { template: dateBin, type: NS }),
  dateTrunc('date_trunc'),
  dateTrunc('datetrunc'),
  datePartRule('date_part'),
  datePartRule('datepart'),
  converter('to_timestamp', 'TIMESTAMP_NS', 'make_timestamp_ns($1)'),
  converter('to_timestamp_nanos', 'TIMESTAMP_NS', 'make_timestamp_ns($1)'),
  converter('to_timestamp_micros', 'TIMESTAMP', 'make_timestamp($1)'),
  converter('to_timestamp_millis', 'TIMESTAMP_MS', 'make_timestamp_ms($1)'),
  converter('to_timestamp_seconds', 'TIMESTAMP_S', 'make_timestamp(CAST($1 AS BIGINT) * 1000000)'),
  scalar('from_unixtime', 1, 1, {
    template: () => 'make_timestamp_ns(CAST($1 AS BIGINT) * 1000000000)',
    refusal: noFraction,
    type: NS,
  }),
  // What DuckDB's parser makes of INTERVAL 5 HOUR
  ...['years', 'months', 'weeks', 'days', 'hours', 'minutes', 'seconds', 'milliseconds', 'microseconds'].map(interval),
  ...['quarters', 'decades', 'centuries', 'millennia'].map(interval),
]

/** `$1` is the time, `$2` the interval: DuckDB adds in microseconds, the nanoseconds below are carried over. */
export function addIntervalTemplate(operator: '+' | '-', time: KnownType): string | undefined {
  if (time === 'TIMESTAMP_MS') return `CAST(($1 ${operator} $2) AS TIMESTAMP_MS)`
  if (time !== 'TIMESTAMP_NS' || !isTimeType(time)) return undefined
  return `make_timestamp_ns(epoch_ns(CAST($1 AS TIMESTAMP) ${operator} $2) + (epoch_ns($1) - epoch_ns(CAST($1 AS TIMESTAMP))))`
}
