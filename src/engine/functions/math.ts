import { always, type FunctionRule, first, type KnownType, scalar } from './rule.ts'

const double = { type: always('DOUBLE') }

const toDouble = [
  ...['acos', 'acosh', 'asin', 'asinh', 'atan', 'atanh', 'cbrt', 'cos', 'cosh', 'cot', 'degrees', 'exp'],
  ...['ln', 'log2', 'log10', 'radians', 'sin', 'sinh', 'sqrt', 'tan', 'tanh'],
].map((name) => scalar(name, 1, 1, double))

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
  scalar('abs', 1, 1, { type: first }),
  scalar('atan2', 2, 2, double),
  rounded('ceil', 1),
  rounded('floor', 1),
  rounded('round', 2),
  rounded('trunc', 2),
  scalar('signum', 1, 1, { template: () => 'CAST(sign($1) AS DOUBLE)', ...double }),
  scalar('log', 1, 2, double),
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
