import { bound } from './bound.ts'
import { carried, carriedBack } from './carried.ts'

const POINTS = 'list_transform(series.rows, lambda row: CASE WHEN row.fine THEN row END)'
const BEFORE = carried('series.fine[1]', POINTS)
const AFTER = carriedBack('series.fine[-1]', POINTS)
const ENDS =
  'struct_pack(first := series.fine[1], second := series.fine[2], penultimate := series.fine[-2], last := series.fine[-1])'
const IS_EARLY = 'row[1].t < ends.first.t'
const IS_LATE = 'row[1].t > ends.last.t'
const FROM = `CASE WHEN ${IS_EARLY} THEN ends.first WHEN ${IS_LATE} THEN ends.penultimate ELSE row[2] END`
const TO = `CASE WHEN ${IS_EARLY} THEN ends.second WHEN ${IS_LATE} THEN ends.last ELSE row[3] END`
const ON_LINE =
  'line.a.v + (line.b.v - line.a.v) * CAST(line.t - line.a.t AS DOUBLE) / CAST(line.b.t - line.a.t AS DOUBLE)'
const INTERPOLATED = bound(`struct_pack(a := ${FROM}, b := ${TO}, t := row[1].t)`, 'line', ON_LINE)
const FILLED = bound(
  ENDS,
  'ends',
  `list_transform(list_zip(series.rows, ${BEFORE}, ${AFTER}), lambda row: CASE WHEN row[1].fine THEN row[1].v ELSE ${INTERPOLATED} END)`,
)
const VALUES = `CASE WHEN len(series.fine) = len(series.rows) THEN list_transform(series.rows, lambda row: row.v) ELSE ${FILLED} END`

const differences = (list: string) =>
  `list_transform(list_zip(${list}, ${list}[2:], true), lambda pair: pair[2] - pair[1])`
const median = (list: string) => `list_aggregate(${list}, 'median')`

/** Three times the median absolute deviation, made comparable with a standard deviation. */
const LIMIT = '3 * (1.4826 * spread.deviation)'
const outliersOf = (list: string) =>
  bound(
    `struct_pack(middle := ${median(list)})`,
    'center',
    bound(
      `list_transform(${list}, lambda each: abs(each - center.middle))`,
      'distances',
      bound(
        `struct_pack(deviation := CAST(${median('distances')} AS DOUBLE))`,
        'spread',
        `len(list_filter(distances, lambda each: each > CAST(${LIMIT} AS DOUBLE)))`,
      ),
    ),
  )

/** How many values, changes, speeds and changes of speed of `series` stand out, together. */
export const OUTLIERS = bound(
  VALUES,
  'filled',
  bound(
    differences('filled'),
    'changes',
    bound(
      'list_transform(list_zip(changes, series.gaps), lambda pair: pair[1] / CAST(pair[2] AS DOUBLE))',
      'speeds',
      bound(
        differences('speeds'),
        'turns',
        ['filled', 'changes', 'speeds', 'turns'].map((list) => `coalesce(${outliersOf(list)}, 0)`).join(' + '),
      ),
    ),
  ),
)
