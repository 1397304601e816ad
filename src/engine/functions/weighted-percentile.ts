import { bound } from './bound.ts'
import { aggregate, type FunctionRule, isTimeType, type KnownType } from './rule.ts'

const NEGATIVE = "error('approx_percentile_cont_with_weight: a weight is a number that is not negative, not ' || $2)"
const WEIGHT = `CAST(CASE WHEN $2 < 0 OR NOT isfinite(CAST($2 AS DOUBLE)) THEN ${NEGATIVE} ELSE $2 END AS DOUBLE)`
const NO_PERCENTILE =
  "error('Percentile value must be between 0.0 and 1.0 inclusive, ' || CAST($3 AS DOUBLE) || ' is invalid')"
const PERCENTILE = `CAST(CASE WHEN $3 BETWEEN 0 AND 1 THEN $3 ELSE ${NO_PERCENTILE} END AS DOUBLE)`

const weightOf = (list: string) => `coalesce(list_sum(list_transform(${list}, lambda each: each.w)), 0)`

const SEEN = `list(struct_pack(x := CAST($1 AS DOUBLE), w := ${WEIGHT}) ORDER BY $1) FILTER (WHERE $1 IS NOT NULL AND $2 <> 0)`
/** One value and half of the values before and after it: halved until one is left. */
const MOST_HALVINGS = 64
const START = `struct_pack(rest := data.seen, before := CAST(0 AS DOUBLE), skipped := CAST(0 AS BIGINT), goal := data.p * ${weightOf('data.seen')})`
const HALF = 'len(here.rest) // 2'
const UPPER =
  'struct_pack(rest := here.rest[half.size + 1:], before := here.before + half.w, skipped := here.skipped + half.size, goal := here.goal)'
const LOWER =
  'struct_pack(rest := here.rest[:half.size], before := here.before, skipped := here.skipped, goal := here.goal)'
const HALVED = bound(
  `struct_pack(size := ${HALF}, w := ${weightOf(`here.rest[:${HALF}]`)})`,
  'half',
  `CASE WHEN here.before + half.w > here.goal THEN ${LOWER} ELSE ${UPPER} END`,
)
const FOUND = `list_reduce(list_resize([${START}], ${MOST_HALVINGS}), lambda here, unused: CASE WHEN len(here.rest) < 2 THEN here ELSE ${HALVED} END)`

const previous = 'data.seen[found.skipped]'
const next = 'data.seen[found.skipped + 2]'
/** Half of the way between the neighbours; at an end the way to the only one. */
const STEP = `coalesce((${next}.x - ${previous}.x) / 2, ${next}.x - found.rest[1].x, found.rest[1].x - ${previous}.x, 0)`
const WITHIN = `found.rest[1].x + ((found.goal - found.before) / found.rest[1].w - 0.5) * ${STEP}`
const VALUE = `least(greatest(${WITHIN}, coalesce(${previous}.x, found.rest[1].x)), coalesce(${next}.x, found.rest[1].x))`
const PERCENTILE_OF = bound(
  `struct_pack(seen := ${SEEN}, p := max(${PERCENTILE}))`,
  'data',
  `CASE WHEN len(data.seen) > 0 THEN ${bound(FOUND, 'found', VALUE)} END`,
)

const isWhole = (type: KnownType) => type === 'BIGINT' || type === 'UBIGINT'

const numbers = (types: readonly KnownType[]): string | undefined => {
  const other = types.find((type) => isTimeType(type) || type === 'BOOLEAN' || type === 'VARCHAR')
  return other === undefined ? undefined : `it takes a number, its weight and a percentile from 0 to 1, not ${other}`
}

export const WEIGHTED_PERCENTILE: FunctionRule = aggregate('approx_percentile_cont_with_weight', 3, 3, {
  template: ([type]) => (isWhole(type) ? `CAST(trunc(${PERCENTILE_OF}) AS ${type})` : PERCENTILE_OF),
  refusal: numbers,
  heading: 'APPROX_PERCENTILE_CONT_WITH_WEIGHT',
  type: ([type]) => (isWhole(type) ? type : 'DOUBLE'),
})
