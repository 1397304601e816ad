import { afterAll, beforeAll, expect, it } from 'vitest'
import { findFunction, functionNames } from '../../src/engine/function-list.ts'
import { openSelectFixture, type SelectFixture } from './select-fixture.ts'

let fixture: SelectFixture
beforeAll(async () => {
  fixture = await openSelectFixture()
})
afterAll(() => fixture.close())

const ROWS = `(SELECT to_timestamp(t) AS time, x, y, s, n, t < 3 AS b FROM (VALUES
  (1, 1.5, 4.0, 'a', 7), (2, 2.25, 2.0, 'b', 5), (4, 3.0, 8.5, 'a', 5), (5, NULL, 1.0, 'c', 2), (7, 9.0, NULL, 'b', 1),
  (9, 7.5, 3.5, 'a', 9), (10, 7.5, 3.25, 'c', 3)) AS t(t, x, y, s, n)) AS rows`

const ARGUMENTS: Readonly<Record<string, string>> = {
  string_agg: `s, ','`,
  sample: 'n, 100',
  candlestick_agg: 'time, x, y',
  approx_percentile_cont: 'x, 0.5',
  approx_percentile_cont_with_weight: 'x, n, 0.4',
  ...Object.fromEntries(['first', 'last', 'increase', 'gauge_agg'].map((name) => [name, 'time, x'])),
  ...Object.fromEntries(['state_agg', 'compact_state_agg'].map((name) => [name, 'time, s'])),
  ...Object.fromEntries(['completeness', 'consistency', 'timeliness', 'validity'].map((name) => [name, 'time, x'])),
  ...Object.fromEntries(['bit_and', 'bit_or', 'bit_xor', 'median', 'mode'].map((name) => [name, 'n'])),
  ...Object.fromEntries(['bool_and', 'bool_or'].map((name) => [name, 'b'])),
}
const argumentsOf = (name: string, minimum: number) => ARGUMENTS[name] ?? ['*', 'x', 'y, x'][minimum]

const aggregates = functionNames().flatMap((name) => {
  const rule = findFunction(name)
  return rule?.kind === 'aggregate' && name !== 'count_star'
    ? [[name, String(argumentsOf(name, rule.minimum))] as const]
    : []
})

/** A list in any order, since `sample` has none. */
const comparable = (value: unknown) =>
  String(JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? String(part) : part)))
    .split(/[[\], ]+/)
    .sort()

it.each(aggregates)('FILTER chooses the rows of %s(%s)', async (name, written) => {
  const call = `${name}(${written})`
  const [filtered] = await fixture.query(`SELECT ${call} FILTER (WHERE n < 7 AND s <> 'c') AS v FROM ${ROWS}`)
  const [chosen] = await fixture.query(`SELECT ${call} AS v FROM ${ROWS} WHERE n < 7 AND s <> 'c'`)
  expect(comparable(filtered?.v)).toEqual(comparable(chosen?.v))
})
