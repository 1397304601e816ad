import { bound } from './bound.ts'
import { intervalText } from './interval-text.ts'
import { aggregate, always, type FunctionRule, isTimeType, type KnownType, scalar } from './rule.ts'

const timeFirst = ([type]: readonly KnownType[]): string | undefined =>
  type === undefined || isTimeType(type) ? undefined : `its first argument is a time, not ${type}`

const gaugeRefusal = (types: readonly KnownType[]): string | undefined => {
  const value = types[1]
  const isOther = isTimeType(value) || value === 'BOOLEAN' || value === 'VARCHAR'
  return isOther ? `its second argument is a number, not ${value}` : timeFirst(types)
}

/** The first and the last two points; unsigned values are widened, since what is asked of a gauge are differences. */
function gauge([, type]: readonly KnownType[]): string {
  const point = `struct_pack(ts := $1, val := ${type === 'UBIGINT' ? 'CAST($2 AS HUGEINT)' : '$2'})`
  const first = `(arg_min(${point}, $1, 2) FILTER (WHERE $2 IS NOT NULL))`
  const last = `(arg_max(${point}, $1, 2) FILTER (WHERE $2 IS NOT NULL))`
  return `struct_pack("first" := ${first}[1], "second" := ${first}[2], penultimate := ${last}[2], "last" := ${last}[1], num_elements := count($2))`
}

const part = (...path: readonly string[]) => path.reduce((text, name) => `struct_extract(${text}, '${name}')`, '$1')
const nanos = (time: string) => `epoch_ns(CAST(${time} AS TIMESTAMP_NS))`

/** An interval of days and the rest of a day. */
const durationOf = (ns: string) =>
  `(to_days(CAST((${ns}) // 86400000000000 AS INTEGER)) + to_microseconds((${ns}) % 86400000000000 // 1000))`

const GAUGE_NS = `${nanos(part('last', 'ts'))} - ${nanos(part('first', 'ts'))}`
/** Exact for integers, and DOUBLE in the end, as CnosDB has it. */
const difference = (of: string, from: string) => `CAST(${part(of, 'val')} - ${part(from, 'val')} AS DOUBLE)`
const DELTA = difference('last', 'first')
const valueAt = (point: string) => `CAST(${part(point, 'val')} AS DOUBLE)`

const accessor = (name: string, template: string, type?: string) =>
  scalar(name, 1, 1, { template: () => template, ...(type === undefined ? {} : { type: always(type) }) })

/** `rate` counts in nanoseconds, as CnosDB does. */
const GAUGE_RULES: readonly FunctionRule[] = [
  aggregate('gauge_agg', 2, 2, { template: gauge, refusal: gaugeRefusal }),
  accessor('delta', DELTA, 'DOUBLE'),
  accessor('time_delta', durationOf(GAUGE_NS), 'INTERVAL'),
  accessor('rate', `${DELTA} / nullif(${GAUGE_NS}, 0)`, 'DOUBLE'),
  accessor('first_time', part('first', 'ts')),
  accessor('last_time', part('last', 'ts')),
  accessor('first_val', valueAt('first'), 'DOUBLE'),
  accessor('last_val', valueAt('last'), 'DOUBLE'),
  accessor('idelta_left', difference('second', 'first'), 'DOUBLE'),
  accessor('idelta_right', difference('last', 'penultimate'), 'DOUBLE'),
]

const PRICE = 'struct_pack(ts := $1, val := CAST($2 AS DOUBLE))'
const IF_PRICED = 'FILTER (WHERE $2 IS NOT NULL)'
const CANDLESTICK = `struct_pack(
  "open" := arg_min(${PRICE}, $1) ${IF_PRICED},
  "close" := arg_max(${PRICE}, $1) ${IF_PRICED},
  low := arg_min(${PRICE}, struct_pack(p := CAST($2 AS DOUBLE), t := $1)) ${IF_PRICED},
  high := arg_min(${PRICE}, struct_pack(p := -CAST($2 AS DOUBLE), t := $1)) ${IF_PRICED},
  volume := struct_pack(vol := sum(CAST($3 AS DOUBLE)), vwap := sum(CAST($2 AS DOUBLE) * CAST($3 AS DOUBLE))))`

const CANDLESTICK_RULES: readonly FunctionRule[] = [
  aggregate('candlestick_agg', 3, 3, { template: () => CANDLESTICK, refusal: timeFirst }),
  ...['open', 'close', 'high', 'low'].flatMap((name) => [
    accessor(name, part(name, 'val'), 'DOUBLE'),
    accessor(`${name}_time`, part(name, 'ts')),
  ]),
  accessor('volume', part('volume', 'vol'), 'DOUBLE'),
  accessor('vwap', `${part('volume', 'vwap')} / ${part('volume', 'vol')}`, 'DOUBLE'),
]

const STATES =
  'struct_pack(seen := list(struct_pack(t := $1, s := $2) ORDER BY $1) FILTER (WHERE $2 IS NOT NULL), ended := max($1) FILTER (WHERE $2 IS NOT NULL))'
/** Rows in which the state changes, each with the time of the next change; the last state ends with the last row. */
const CHANGES =
  'list_filter(states.seen, lambda each, place: place = 1 OR each.s IS DISTINCT FROM states.seen[place - 1].s)'
const PERIODS =
  'list_transform(list_zip(changes, changes[2:]), lambda pair: struct_pack(s := pair[1].s, opened := pair[1].t, closed := CASE WHEN pair[2] IS NULL THEN states.ended ELSE pair[2].t END))'
const NAMES = 'list_sort(list_distinct(list_transform(periods, lambda each: each.s)))'
const LENGTH = 'epoch_ns(each.closed) - epoch_ns(each.opened)'
const TOTAL = `list_sum(list_transform(list_filter(periods, lambda each: each.s = name), lambda each: ${LENGTH}))`
const DURATION_TEXT = bound(durationOf(`CAST(${TOTAL} AS BIGINT)`), 'whole', intervalText('whole'))
const DURATIONS = `list_transform(${NAMES}, lambda name: struct_pack(state := name, duration := ${DURATION_TEXT}))`
const OF_STATE = 'list_filter(periods, lambda each: each.s = name AND each.closed > each.opened)'
const BY_STATE = `list_transform(${NAMES}, lambda name: struct_pack(state := name, periods := list_transform(${OF_STATE}, lambda each: struct_pack(start_time := each.opened, end_time := each.closed))))`
const SUMMARY = `struct_pack(state_duration := ${DURATIONS}, state_periods := list_filter(${BY_STATE}, lambda each: len(each.periods) > 0))`
const STATE = bound(STATES, 'states', bound(CHANGES, 'changes', bound(PERIODS, 'periods', SUMMARY)))

/** The periods of the state `$2`. */
const PERIODS_IN = `flatten(list_transform(list_filter(${part('state_periods')}, lambda each: each.state = $2), lambda each: each.periods))`

function durationIn({ length }: readonly KnownType[]): string {
  const from = length > 2 ? `greatest(epoch_ns(period.start_time), ${nanos('$3')})` : 'epoch_ns(period.start_time)'
  const to = length > 3 ? `least(epoch_ns(period.end_time), ${nanos('$3 + $4')})` : 'epoch_ns(period.end_time)'
  const total = `list_sum(list_transform(${PERIODS_IN}, lambda period: greatest(${to} - ${from}, 0)))`
  return durationOf(`CAST(coalesce(${total}, 0) AS BIGINT)`)
}

const HOLDS = 'period.start_time <= $2 AND $2 < period.end_time'
const STATE_AT = `list_filter(${part('state_periods')}, lambda each: len(list_filter(each.periods, lambda period: ${HOLDS})) > 0)[1].state`

const STATE_RULES: readonly FunctionRule[] = [
  ...['state_agg', 'compact_state_agg'].map((name) =>
    aggregate(name, 2, 2, { template: () => STATE, refusal: timeFirst }),
  ),
  scalar('duration_in', 2, 4, { template: durationIn, type: always('INTERVAL') }),
  scalar('state_at', 2, 2, { template: () => STATE_AT }),
]

/** Aggregates whose value is a struct, and what is asked of it. */
export const TWO_STEP_FUNCTIONS: readonly FunctionRule[] = [...GAUGE_RULES, ...CANDLESTICK_RULES, ...STATE_RULES]
