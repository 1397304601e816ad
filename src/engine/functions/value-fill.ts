import { bound } from './bound.ts'
import { carried, carriedBack } from './carried.ts'

const VALUE = 'CAST($2 AS DOUBLE)'
const NO_NULL = "error('value_fill fills NaN, not NULL: add WHERE … IS NOT NULL')"
/** Rows in order of time; a value that is not finite is NULL here. */
const SEEN = `list(struct_pack(t := $1, v := CASE WHEN $2 IS NULL THEN ${NO_NULL} WHEN isfinite(${VALUE}) THEN ${VALUE} END) ORDER BY $1)`

const ONE_SERIES = "error('value_fill takes one series, and two rows have the same time: choose one with WHERE')"
const NOTHING = "error('value_fill: At least one non-NaN value is needed')"
const VALUES = 'list_transform(seen, lambda row: row.v)'
const CHECKED = `CASE WHEN len(list_distinct(list_transform(seen, lambda row: row.t))) < len(seen) THEN ${ONE_SERIES} WHEN list_count(${VALUES}) = 0 THEN ${NOTHING} ELSE ${VALUES} END`

const NAN = "CAST('NaN' AS DOUBLE)"
const MEAN = bound(
  "struct_pack(of := list_aggregate(filled, 'avg'))",
  'mean',
  'list_transform(filled, lambda each: coalesce(each, mean.of))',
)

/** The places of known values count, not the times between them. */
const KNOWN =
  'list_transform(filled, lambda each, place: CASE WHEN each IS NOT NULL THEN struct_pack(at := place, v := each) END)'
const POINTS = bound(KNOWN, 'points', bound('list_filter(points, lambda each: each IS NOT NULL)', 'fine', '$POINTS'))
const ON_LINE =
  'CASE WHEN pair[1].at = pair[2].at THEN pair[2].v ELSE pair[2].v + (pair[2].v - pair[1].v) / (pair[2].at - pair[1].at) * (place - pair[2].at) END'
const LINEAR = POINTS.replace(
  '$POINTS',
  `list_transform(list_zip(${carried('fine[1]', 'points')}, ${carriedBack('fine[-1]', 'points')}), lambda pair, place: ${ON_LINE})`,
)

const METHODS: ReadonlyMap<string, string> = new Map([
  ['mean', MEAN],
  ['previous', carried(NAN, 'filled')],
  ['linear', LINEAR],
])

/** The times of all rows, one a row: `$1` is the time, `$2` the value. */
export const FILLED_TIMES = `unnest(list_transform(${SEEN}, lambda row: row.t))`

/** The values beside `FILLED_TIMES`, without NaN; undefined for an unknown method. */
export function filledValues(method: string): string | undefined {
  const filled = METHODS.get(method)
  return filled && `unnest(${bound(SEEN, 'seen', bound(CHECKED, 'filled', filled))})`
}

export const FILL_METHODS: readonly string[] = [...METHODS.keys()]
