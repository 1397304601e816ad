import type { KnownType } from './rule.ts'

const WIDTH = '(1000 * epoch_us(CAST($2 AS INTERVAL)))'
const SLIDE = '(1000 * epoch_us(CAST($3 AS INTERVAL)))'

const windowAt = (start: string) =>
  `struct_pack("start" := make_timestamp_ns(${start}), "end" := make_timestamp_ns(${start} + ${WIDTH}))`

const flooredTo = (step: string, time: string, origin: string) =>
  `(${time} - (((${time} - ${origin}) % ${step}) + ${step}) % ${step})`

const ticks = (type: KnownType) => (type === 'TIMESTAMP_NS' ? 'epoch_ns($1)' : 'epoch_ns(CAST($1 AS TIMESTAMP_NS))')

/** `time_window(time, width)`: the window of that width, counted from 1970, that holds the time. */
export const tumblingWindow = ([type]: readonly KnownType[]): string => windowAt(flooredTo(WIDTH, ticks(type), '0'))

/** All windows that hold the time, as a list; they start every `slide` after the origin. */
export function slidingWindows(types: readonly KnownType[]): string {
  const [type, , , origin] = types
  const time = ticks(type)
  const from = types.length < 4 ? '0' : `epoch_ns(${origin === 'TIMESTAMP_NS' ? '$4' : 'CAST($4 AS TIMESTAMP_NS)'})`
  const last = flooredTo(SLIDE, time, from)
  const starts = `range(${last} - ((${WIDTH} - 1) // ${SLIDE}) * ${SLIDE}, ${time} + 1, ${SLIDE})`
  const holding = `list_filter(${starts}, lambda opened: opened + ${WIDTH} > ${time})`
  return `list_transform(${holding}, lambda opened: ${windowAt('opened')})`
}

/** The start of the first window that holds `$1` nanoseconds or ends later; `$4` is the origin, a time. */
export const FIRST_WINDOW = `${flooredTo(SLIDE, `($1 - ${WIDTH})`, 'epoch_ns(CAST($4 AS TIMESTAMP_NS))')} + ${SLIDE}`

/** The start of the last window that holds `$1` nanoseconds or starts before. */
export const LAST_WINDOW = flooredTo(SLIDE, '$1', 'epoch_ns(CAST($4 AS TIMESTAMP_NS))')

/** More windows than this are taken for a mistake in the bounds. */
const MOST_WINDOWS = 10_000_000

const TOO_MANY = `error('time_window_gapfill would make more than ${MOST_WINDOWS} windows: narrow the bounds of the time in WHERE, or take wider windows')`

/** Rows with the starts of all windows from `$1` to `$2` nanoseconds, every `$3`, as times. */
export const WINDOW_STARTS = `make_timestamp_ns(unnest(CASE WHEN ($2 - $1) // ${SLIDE} >= ${MOST_WINDOWS} THEN ${TOO_MANY} ELSE range($1, $2 + 1, ${SLIDE}) END))`
