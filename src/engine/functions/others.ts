import { always, type FunctionRule, first, type KnownType, scalar } from './rule.ts'

const whole = { type: always('BIGINT') }
const truth = { type: always('BOOLEAN') }

/** The type of both arguments when it is the same; DOUBLE beside an integer is DOUBLE. */
const same = ([left, right]: readonly KnownType[]): KnownType => {
  if (left === right) return left
  return /^(DOUBLE U?BIGINT|U?BIGINT DOUBLE)$/.test(`${left} ${right}`) ? 'DOUBLE' : undefined
}

/** Arrow's names of types; an integer literal is narrower in the engine than it is said to be. */
const ARROW_TYPES: Readonly<Record<string, string>> = {
  INTEGER: 'Int64',
  BIGINT: 'Int64',
  HUGEINT: 'Int64',
  UBIGINT: 'UInt64',
  DOUBLE: 'Float64',
  VARCHAR: 'Utf8',
  BOOLEAN: 'Boolean',
  BLOB: 'Binary',
  DATE: 'Date32',
  TIME: 'Time64(Nanosecond)',
  INTERVAL: 'Interval(MonthDayNano)',
  '"NULL"': 'Null',
  TIMESTAMP_NS: 'Timestamp(Nanosecond, None)',
  TIMESTAMP: 'Timestamp(Microsecond, None)',
  TIMESTAMP_MS: 'Timestamp(Millisecond, None)',
  TIMESTAMP_S: 'Timestamp(Second, None)',
}
const ARROW_TYPE = `CASE typeof($1) ${Object.entries(ARROW_TYPES)
  .map(([type, name]) => `WHEN '${type}' THEN '${name}'`)
  .join(' ')} ELSE typeof($1) END`

export const OTHER_FUNCTIONS: readonly FunctionRule[] = [
  scalar('nullif', 2, 2, { type: first }),
  scalar('ifnull', 2, 2, { call: 'coalesce', type: same }),
  scalar('nvl', 2, 2, { template: () => 'coalesce($1, $2)', type: same }),
  scalar('arrow_typeof', 1, 1, { template: () => ARROW_TYPE, type: always('VARCHAR') }),
  scalar('nvl2', 3, 3, { template: () => 'CASE WHEN $1 IS NOT NULL THEN $2 ELSE $3 END' }),
  // What DuckDB's parser makes of [a, b], {a: b}, MAP {…} and (a, b)
  scalar('list_value', 0, 100_000, { heading: 'make_array' }),
  scalar('struct_pack', 1, 10_000, { heading: 'struct' }),
  scalar('row', 1, 10_000, { heading: 'struct' }),
  scalar('struct', 1, 10_000, { call: 'row' }),
  scalar('make_array', 0, 100_000, { call: 'list_value' }),
  scalar('get_field', 2, 2, { call: 'struct_extract' }),
  scalar('unnest', 1, 1),
  scalar('array_length', 1, 1, whole),
  scalar('cardinality', 1, 1, { call: 'array_length', ...whole }),
  scalar('array_has', 2, 2, { call: 'list_contains', ...truth }),
  scalar('array_contains', 2, 2, { call: 'list_contains', ...truth }),
  scalar('array_append', 2, 2, { call: 'list_append' }),
  scalar('array_prepend', 2, 2, { template: () => 'list_prepend($1, $2)' }),
  scalar('array_concat', 2, 2, { call: 'list_concat' }),
  scalar('array_element', 2, 2, { call: 'list_extract' }),
  scalar('array_position', 2, 2, { call: 'list_position', ...whole }),
  scalar('array_distinct', 1, 1, { call: 'list_distinct' }),
  scalar('array_sort', 1, 1, { call: 'list_sort' }),
  scalar('array_reverse', 1, 1, { call: 'list_reverse' }),
  scalar('flatten', 1, 1),
  scalar('array_to_string', 2, 2, { type: always('VARCHAR') }),
]
