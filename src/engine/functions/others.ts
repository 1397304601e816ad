import { always, type FunctionRule, first, scalar } from './rule.ts'

const whole = { type: always('BIGINT') }
const truth = { type: always('BOOLEAN') }

export const OTHER_FUNCTIONS: readonly FunctionRule[] = [
  scalar('nullif', 2, 2, { type: first }),
  scalar('ifnull', 2, 2, { call: 'coalesce', type: first }),
  scalar('nvl', 2, 2, { template: () => 'coalesce($1, $2)', type: first }),
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
