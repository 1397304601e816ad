import { bound } from './bound.ts'
import { withCounts } from './late-points.ts'
import { OUTLIERS } from './outliers.ts'
import { aggregate, always, type FunctionRule, isTimeType, type KnownType } from './rule.ts'

const VALUE = 'CAST($2 AS DOUBLE)'
const NANOS = 'epoch_ns(CAST($1 AS TIMESTAMP_NS))'
const ROWS = `coalesce(list(struct_pack(t := ${NANOS}, v := ${VALUE}, fine := isfinite(${VALUE})) ORDER BY $1) FILTER (WHERE $1 IS NOT NULL AND $2 IS NOT NULL), [])`
const GAPS = 'list_transform(list_zip(rows, rows[2:], true), lambda pair: pair[2].t - pair[1].t)'
const SERIES = `struct_pack(rows := rows, fine := list_filter(rows, lambda row: row.fine), gaps := ${GAPS})`

/** `body` over `series`, once it is one: two finite values, and every time once. */
function ofSeries(name: string, body: string): string {
  const few = `error('${name}: At least two non-NaN values are needed')`
  const several = `error('${name} takes one series, and two rows have the same time: GROUP BY the tags')`
  const checked = `CASE WHEN len(series.fine) < 2 THEN ${few} WHEN list_contains(series.gaps, 0) THEN ${several} ELSE ${body} END`
  return bound(ROWS, 'rows', bound(SERIES, 'series', checked))
}

const COUNT = 'CAST(len(series.rows) AS DOUBLE)'
const SPECIAL = '(len(series.rows) - len(series.fine))'
const SHARES: Readonly<Record<string, string>> = {
  completeness: withCounts(`1 - (found.missing + ${SPECIAL}) / (${COUNT} + found.missing)`),
  consistency: withCounts(`1 - found.redundant / ${COUNT}`),
  timeliness: withCounts(`1 - found.late / ${COUNT}`),
  validity: `1 - (${OUTLIERS}) * CAST(0.25 AS DOUBLE) / ${COUNT}`,
}

const numberSeries = ([time, value]: readonly KnownType[]): string | undefined => {
  if (time !== undefined && !isTimeType(time)) return `its first argument is a time, not ${time}`
  const isOther = isTimeType(value) || value === 'BOOLEAN' || value === 'VARCHAR'
  return isOther ? `its second argument is a number, not ${value}` : undefined
}

/** The measures of data quality of Apache IoTDB's library, of one series. */
export const QUALITY_FUNCTIONS: readonly FunctionRule[] = Object.entries(SHARES).map(([name, share]) =>
  aggregate(name, 2, 2, { template: () => ofSeries(name, share), refusal: numberSeries, type: always('DOUBLE') }),
)
