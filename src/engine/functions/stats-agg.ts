import { bound } from './bound.ts'
import { aggregate, always, type FunctionRule, isTimeType, type KnownType, scalar } from './rule.ts'

const PAIRED = 'FILTER (WHERE $1 IS NOT NULL AND $2 IS NOT NULL)'
const Y = 'CAST($1 AS DOUBLE)'
const X = 'CAST($2 AS DOUBLE)'
const COUNT = `count(*) ${PAIRED}`
const DATA = `struct_pack(pairs := list(struct_pack(y := ${Y}, x := ${X})) ${PAIRED}, y := favg(${Y}) ${PAIRED}, x := favg(${X}) ${PAIRED})`
const FROM_X = '(pair.x - means.x)'
const FROM_Y = '(pair.y - means.y)'

/** A sum over all pairs, whose means are known: sums of squares taken in one pass cancel each other out. */
const sumOf = (term: string) =>
  bound(DATA, 'means', `list_aggregate(list_transform(means.pairs, lambda pair: ${term}), 'fsum')`)

const moments = (axis: 'x' | 'y', value: string, distance: string) => {
  const powers = [2, 3, 4].map((power) => `s${axis}${power} := ${sumOf(`power(${distance}, ${power})`)}`)
  return `s${axis} := fsum(${value}) ${PAIRED}, ${powers.join(', ')}`
}

const STATS = `struct_pack(n := ${COUNT}, ${moments('x', X, FROM_X)}, ${moments('y', Y, FROM_Y)}, sxy := ${sumOf(`${FROM_X} * ${FROM_Y}`)})`

const numbers = (types: readonly KnownType[]): string | undefined => {
  const other = types.find((type) => isTimeType(type) || type === 'BOOLEAN' || type === 'VARCHAR')
  return other === undefined ? undefined : `it takes two numbers, y and x, not ${other}`
}

const part = (name: string) => `struct_extract($1, '${name}')`
const N = `CAST(${part('n')} AS DOUBLE)`
const OF_POPULATION = `nullif(${N}, 0)`
const OF_SAMPLE = `nullif(${N} - 1, 0)`

const accessor = (name: string, template: string) =>
  scalar(name, 1, 1, { template: () => template, type: always('DOUBLE') })

const SLOPE = `${part('sxy')} / nullif(${part('sx2')}, 0)`
const INTERCEPT = `(${part('sy')} - ${part('sx')} * ${SLOPE}) / ${OF_POPULATION}`
const BOTH = `${part('sx2')} * ${part('sy2')}`
const DETERMINATION = `CASE WHEN ${part('sx2')} = 0 THEN NULL WHEN ${part('sy2')} = 0 THEN CAST(1 AS DOUBLE) ELSE power(${part('sxy')}, 2) / (${BOTH}) END`

function ofDimension(axis: 'x' | 'y'): readonly FunctionRule[] {
  const sum = part(`s${axis}`)
  const square = part(`s${axis}2`)
  return [
    accessor(`average_${axis}`, `${sum} / ${OF_POPULATION}`),
    accessor(`sum_${axis}`, sum),
    ...(['pop', 'samp'] as const).flatMap((method) => {
      const divisor = method === 'pop' ? OF_POPULATION : OF_SAMPLE
      const variance = `(${square} / ${divisor})`
      const moment = (power: number) =>
        `${part(`s${axis}${power}`)} / ${divisor} / nullif(power(${variance}, ${power} / CAST(2 AS DOUBLE)), 0)`
      return [
        accessor(`var_${method}_${axis}`, variance),
        accessor(`stddev_${method}_${axis}`, `sqrt(${variance})`),
        accessor(`skewness_${method}_${axis}`, moment(3)),
        accessor(`kurtosis_${method}_${axis}`, moment(4)),
      ]
    }),
  ]
}

/** Regression of y on x, and what describes each of the two; rows with a NULL in either are left out. */
export const STATS_FUNCTIONS: readonly FunctionRule[] = [
  aggregate('stats_agg', 2, 2, { template: () => STATS, refusal: numbers }),
  scalar('num_vals', 1, 1, { template: () => part('n'), type: always('BIGINT'), clientType: always('UBIGINT') }),
  ...ofDimension('x'),
  ...ofDimension('y'),
  accessor('slope', SLOPE),
  accessor('intercept', INTERCEPT),
  accessor('x_intercept', `-(${INTERCEPT}) / (${SLOPE})`),
  accessor('correlation', `${part('sxy')} / nullif(sqrt(${BOTH}), 0)`),
  accessor('covariance_samp', `${part('sxy')} / ${OF_SAMPLE}`),
  accessor('covariance_pop', `${part('sxy')} / ${OF_POPULATION}`),
  accessor('determination_coeff', DETERMINATION),
]
