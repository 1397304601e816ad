import { aggregate, always, type FunctionRule, first, isTimeType, type KnownType, second, windowed } from './rule.ts'

const DOUBLE = always('DOUBLE')
const count = always('UBIGINT')
const same = { type: first }

const sumType = ([type]: readonly KnownType[]): KnownType => {
  if (type === undefined || type === 'DOUBLE') return type
  return type === 'FLOAT' ? 'DOUBLE' : 'HUGEINT'
}
const sumClientType = ([type]: readonly KnownType[]): KnownType => (type === 'UBIGINT' ? 'UBIGINT' : undefined)

/** Rows in which none of several values is NULL. */
const countAll = (types: readonly KnownType[]): string | undefined => {
  if (types.length < 2) return undefined
  const present = types.map((_, at) => `$${at + 1} IS NOT NULL`)
  return `count(CASE WHEN ${present.join(' AND ')} THEN 1 END)`
}

const isWhole = (type: KnownType) => type === 'BIGINT' || type === 'UBIGINT'

/** The mean of the two middle integers, cut, as CnosDB has it; exact, while DuckDB's goes through DOUBLE. */
const median = ([type]: readonly KnownType[]): string | undefined => {
  if (!isWhole(type)) return undefined
  const least = 'CAST(quantile_disc($1, 0.5) AS HUGEINT)'
  return `CAST((${least} - quantile_disc(-CAST($1 AS HUGEINT), 0.5)) // 2 AS ${type})`
}

/** Swapped arguments would be taken for a different question. */
const timeFirst = ([type]: readonly KnownType[]): string | undefined =>
  type === undefined || isTimeType(type) ? undefined : `its first argument is a time, not ${type}`

const numeric = ([type]: readonly KnownType[]): string | undefined =>
  isTimeType(type) || type === 'BOOLEAN' || type === 'VARCHAR' ? `its argument is a number, not ${type}` : undefined

const statistic = (name: string, call: string, heading: string, arity = 1) =>
  aggregate(name, arity, arity, { call, heading, type: DOUBLE })

const ordered = 'list($2 ORDER BY $1) FILTER (WHERE $2 IS NOT NULL)'
/** Prometheus' meaning: a value below the one before it is a restarted counter. */
const INCREASE = `list_sum(list_transform(list_zip((${ordered})[1:-2], (${ordered})[2:]), lambda pair: CASE WHEN pair[2] >= pair[1] THEN pair[2] - pair[1] ELSE pair[2] END))`

const regressions = ['slope', 'intercept', 'r2', 'avgx', 'avgy', 'sxx', 'syy', 'sxy'].map((name) =>
  statistic(`regr_${name}`, `regr_${name}`, `REGR_${name.toUpperCase()}`, 2),
)

export const AGGREGATES: readonly FunctionRule[] = [
  aggregate('count', 0, 255, { template: countAll, heading: 'COUNT', type: always('BIGINT'), clientType: count }),
  aggregate('count_star', 0, 0, { heading: 'COUNT', type: always('BIGINT'), clientType: count }),
  aggregate('exact_count', 0, 1, { call: 'count', heading: 'COUNT', type: always('BIGINT'), clientType: count }),
  aggregate('sum', 1, 1, { heading: 'SUM', refusal: numeric, type: sumType, clientType: sumClientType }),
  aggregate('avg', 1, 1, { heading: 'AVG', refusal: numeric, type: DOUBLE }),
  aggregate('mean', 1, 1, { call: 'avg', heading: 'AVG', refusal: numeric, type: DOUBLE }),
  aggregate('min', 1, 1, { heading: 'MIN', ...same }),
  aggregate('max', 1, 1, { heading: 'MAX', ...same }),
  aggregate('median', 1, 1, {
    template: median,
    heading: 'MEDIAN',
    type: ([type]) => (isWhole(type) || type === 'DOUBLE' ? type : undefined),
  }),
  aggregate('mode', 1, 1, same),
  aggregate('array_agg', 1, 1, { heading: 'ARRAY_AGG' }),
  aggregate('string_agg', 2, 2, { heading: 'STRING_AGG', type: always('VARCHAR') }),
  aggregate('first', 2, 2, { template: () => 'arg_min($2, $1)', refusal: timeFirst, type: second }),
  aggregate('last', 2, 2, { template: () => 'arg_max($2, $1)', refusal: timeFirst, type: second }),
  aggregate('first_value', 1, 1, { call: 'first', heading: 'FIRST_VALUE', ...same }),
  aggregate('last_value', 1, 1, { call: 'last', heading: 'LAST_VALUE', ...same }),
  aggregate('increase', 2, 2, {
    template: () => INCREASE,
    refusal: timeFirst,
    type: ([, value]) => (value === 'DOUBLE' ? value : undefined),
    clientType: second,
  }),
  aggregate('sample', 2, 2, { template: () => '(list($1 ORDER BY random()))[1:$2]' }),
  statistic('stddev', 'stddev_samp', 'STDDEV'),
  statistic('stddev_samp', 'stddev_samp', 'STDDEV'),
  statistic('stddev_pop', 'stddev_pop', 'STDDEV_POP'),
  statistic('var', 'var_samp', 'VARIANCE'),
  statistic('variance', 'var_samp', 'VARIANCE'),
  statistic('var_samp', 'var_samp', 'VARIANCE'),
  statistic('var_pop', 'var_pop', 'VARIANCE_POP'),
  statistic('covar', 'covar_samp', 'COVARIANCE', 2),
  statistic('covar_samp', 'covar_samp', 'COVARIANCE', 2),
  statistic('covar_pop', 'covar_pop', 'COVARIANCE_POP', 2),
  statistic('corr', 'corr', 'CORRELATION', 2),
  ...regressions,
  aggregate('regr_count', 2, 2, { heading: 'REGR_COUNT', clientType: count }),
  aggregate('approx_distinct', 1, 1, {
    call: 'approx_count_distinct',
    heading: 'APPROX_DISTINCT',
    type: always('BIGINT'),
    clientType: count,
  }),
  aggregate('approx_median', 1, 1, {
    template: () => 'approx_quantile($1, 0.5)',
    heading: 'APPROX_MEDIAN',
    type: first,
  }),
  aggregate('approx_percentile_cont', 2, 3, {
    template: () => 'approx_quantile($1, CAST($2 AS FLOAT))',
    heading: 'APPROX_PERCENTILE_CONT',
    type: first,
  }),
  aggregate('bit_and', 1, 1, { heading: 'BIT_AND', ...same }),
  aggregate('bit_or', 1, 1, { heading: 'BIT_OR', ...same }),
  aggregate('bit_xor', 1, 1, { heading: 'BIT_XOR', ...same }),
  aggregate('bool_and', 1, 1, { heading: 'BOOL_AND', type: always('BOOLEAN') }),
  aggregate('bool_or', 1, 1, { heading: 'BOOL_OR', type: always('BOOLEAN') }),
]

export const WINDOW_FUNCTIONS: readonly FunctionRule[] = [
  ...['row_number', 'rank', 'dense_rank'].map((name) =>
    windowed(name, 0, 0, { heading: name.toUpperCase(), type: always('BIGINT'), clientType: count }),
  ),
  ...['percent_rank', 'cume_dist'].map((name) => windowed(name, 0, 0, { heading: name.toUpperCase(), type: DOUBLE })),
  windowed('ntile', 1, 1, { heading: 'NTILE', type: always('BIGINT'), clientType: count }),
  windowed('lag', 1, 3, { heading: 'LAG', ...same }),
  windowed('lead', 1, 3, { heading: 'LEAD', ...same }),
  windowed('first_value', 1, 1, { heading: 'FIRST_VALUE', ...same }),
  windowed('last_value', 1, 1, { heading: 'LAST_VALUE', ...same }),
  windowed('nth_value', 2, 2, { heading: 'NTH_VALUE', ...same }),
]
