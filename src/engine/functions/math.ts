import { always, type FunctionRule, first, type KnownType, scalar } from './rule.ts'

const double = { type: always('DOUBLE') }

const toDouble = [
  ...['asinh', 'atan', 'cos', 'cosh', 'cot', 'degrees', 'exp', 'radians', 'sin', 'sinh', 'tan', 'tanh'],
].map((name) => scalar(name, 1, 1, double))

const NAN = "CAST('NaN' AS DOUBLE)"
const INFINITE = "CAST('inf' AS DOUBLE)"

/** Where DuckDB raises outside of a function's domain, CnosDB answers NaN. */
const within = (name: string, outside: string) =>
  scalar(name, 1, 1, { template: () => `CASE WHEN ${outside} THEN ${NAN} ELSE ${name}($1) END`, ...double })

const LOGARITHM = `WHEN $1 < 0 THEN ${NAN} WHEN $1 = 0 THEN -${INFINITE}`
const logarithm = (name: string) =>
  scalar(name, 1, 1, { template: () => `CASE ${LOGARITHM} ELSE ${name}($1) END`, ...double })

const ATANH = `CASE WHEN abs($1) > 1 THEN ${NAN} WHEN $1 = 1 THEN ${INFINITE} WHEN $1 = -1 THEN -${INFINITE} ELSE atanh($1) END`

/** `log(x)` is of base 10; `log(base, x)`. */
const logOfBase = (types: readonly KnownType[]) =>
  types.length === 1
    ? `CASE ${LOGARITHM} ELSE log10($1) END`
    : `CASE ${LOGARITHM.replaceAll('$1', '$2')} ELSE log($1, $2) END`

/** Functions that answer whole numbers for whole numbers in DuckDB, and DOUBLE in CnosDB. */
const rounded = (name: string, maximum: number) =>
  scalar(name, 1, maximum, {
    template: (types) => `CAST(${name}($1${types.length > 1 ? ', $2' : ''}) AS DOUBLE)`,
    ...double,
  })

const wholePower = (types: readonly KnownType[]) => types.every((type) => type === 'BIGINT' || type === 'INTEGER')

const power = (name: string) =>
  scalar(name, 2, 2, {
    template: (types) => (wholePower(types) ? 'CAST(power($1, $2) AS BIGINT)' : 'power($1, $2)'),
    heading: 'power',
    type: (types) => (wholePower(types) ? 'BIGINT' : 'DOUBLE'),
  })

export const MATH_FUNCTIONS: readonly FunctionRule[] = [
  ...toDouble,
  within('acos', 'abs($1) > 1'),
  within('asin', 'abs($1) > 1'),
  within('acosh', '$1 < 1'),
  within('sqrt', '$1 < 0'),
  scalar('atanh', 1, 1, { template: () => ATANH, ...double }),
  scalar('cbrt', 1, 1, {
    template: () => 'CASE WHEN power(round(cbrt($1)), 3) = $1 THEN round(cbrt($1)) ELSE cbrt($1) END',
    ...double,
  }),
  logarithm('ln'),
  logarithm('log2'),
  logarithm('log10'),
  scalar('log', 1, 2, { template: logOfBase, ...double }),
  scalar('abs', 1, 1, { type: first }),
  scalar('atan2', 2, 2, double),
  rounded('ceil', 1),
  rounded('floor', 1),
  rounded('round', 2),
  rounded('trunc', 2),
  scalar('signum', 1, 1, { template: () => 'CAST(CASE WHEN $1 = 0 THEN 1 ELSE sign($1) END AS DOUBLE)', ...double }),
  power('power'),
  power('pow'),
  scalar('factorial', 1, 1, {
    template: () => 'CAST(factorial(CAST($1 AS INTEGER)) AS BIGINT)',
    type: always('BIGINT'),
  }),
  scalar('gcd', 2, 2, { type: always('BIGINT') }),
  scalar('lcm', 2, 2, { type: always('BIGINT') }),
  scalar('pi', 0, 0, double),
  scalar('random', 0, 0, double),
  scalar('isnan', 1, 1, { type: always('BOOLEAN') }),
  scalar('iszero', 1, 1, { template: () => '($1 = 0)', type: always('BOOLEAN') }),
  scalar('nanvl', 2, 2, { template: () => 'CASE WHEN isnan($1) THEN $2 ELSE $1 END', ...double }),
]
