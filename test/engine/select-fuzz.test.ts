import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { isCnosError } from '../../src/errors/cnos-error.ts'
import { ATTACKS } from './select-attacks.ts'
import { openSelectFixture, SECRET, type SelectFixture } from './select-fixture.ts'

let fixture: SelectFixture
beforeAll(async () => {
  fixture = await openSelectFixture()
})
afterAll(() => fixture.close())

const QUERIES = [
  'SELECT station, sum(temp), count(*) FROM air WHERE time > 5 GROUP BY station ORDER BY 2 DESC LIMIT 3',
  "WITH x AS (SELECT * FROM air), y AS (SELECT max(temp) AS m FROM x) SELECT x.*, y.m FROM x CROSS JOIN y WHERE station LIKE 's%'",
  "SELECT a.time + interval '1 hour', CASE WHEN a.temp > 1.5 THEN 1 ELSE 0 END FROM air a LEFT JOIN slow b ON a.time = b.time",
  "SELECT date_bin(interval '1 hour', time), first(time, temp), row_number() OVER (PARTITION BY station ORDER BY time) FROM air",
  "SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS v(id, name) WHERE id IN (SELECT k FROM air) UNION SELECT 3, 'c'",
  "SELECT CAST(n AS DOUBLE), n / 2, [1, 2][1], {'a': 1}, regexp_match('abc', '(b)') FROM public.air",
  "SELECT station, time_window_gapfill(time, interval '1 hour') AS w, locf(avg(temp)), interpolate(sum(k)) FROM air WHERE time BETWEEN '2024-01-01' AND now() GROUP BY station, w",
  "SELECT rate(gauge_agg(time, temp)), duration_in(state_agg(time, station), 's1'), vwap(candlestick_agg(time, temp, n)), k % n FROM air GROUP BY k, n",
  'SELECT station, slope(stats_agg(temp, k)), kurtosis_samp_x(stats_agg(n, temp)), approx_percentile_cont_with_weight(temp, n, 0.5) FROM air GROUP BY station',
  'SELECT completeness(time, temp) FILTER (WHERE k > 1), consistency(time, k), timeliness(time, n), validity(time, k) FROM air',
  "SELECT time, v FROM (SELECT value_fill(time, k, 'method=previous') AS v FROM air WHERE temp > 0) AS q",
]
const TOKENS = [
  ...new Set([...QUERIES, ...ATTACKS.map((attack) => attack.text)].flatMap((text) => tokensOf(text.slice(0, 300)))),
]

function tokensOf(text: string): string[] {
  return text.match(/'(?:[^']|'')*'|"(?:[^"]|"")*"|\w+|\s+|[^\w\s]/g) ?? []
}

const number = fc.oneof(
  fc.double().map(String),
  fc.bigInt({ max: 2n ** 128n, min: -(2n ** 128n) }).map(String),
  fc.constant('0.960536205831008516042857081629335880279541015625'),
)
const token = fc.oneof(
  { weight: 1, arbitrary: number },
  { weight: 6, arbitrary: fc.constantFrom(...TOKENS) },
  {
    weight: 1,
    arbitrary: fc.constantFrom("'", '"', '$$', '/*', '*/', '--', ';', '\\', '(', ')', '\u00e9', '\n', "'@/secret.csv'"),
  },
)
const edit = fc.record({ at: fc.nat(200), remove: fc.nat(3), insert: fc.array(token, { maxLength: 4 }) })
const mutant = fc
  .record({
    base: fc.constantFrom(...QUERIES, ...ATTACKS.map((attack) => attack.text.slice(0, 400))),
    edits: fc.array(edit, { maxLength: 4 }),
  })
  .map(({ base, edits }) => {
    const tokens = tokensOf(base)
    for (const { at, remove, insert } of edits) {
      tokens.splice(at % (tokens.length + 1), remove, ...insert.flatMap((text) => [text, ' ']))
    }
    return tokens.join('')
  })

/** Plans, runs when accepted, and returns what a client would see: rows, or the error's message. */
async function answerTo(text: string): Promise<string> {
  try {
    return JSON.stringify(await fixture.query(text), (_, value) => (typeof value === 'bigint' ? `${value}` : value))
  } catch (error) {
    if (!isCnosError(error)) throw error
    expect(error.errorName, `${text}\n${error.message}`).not.toBe('INTERNAL')
    return error.fullMessage
  }
}

it('never shows a file or a foreign table, and never fails but with an error of ours', {
  timeout: 120_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(mutant, async (mutated) => {
      const text = mutated.replaceAll('@', fixture.directory)
      const answer = await answerTo(text)
      expect(answer.replaceAll(text, '')).not.toContain(SECRET)
    }),
    { numRuns: Number(process.env.SELECT_FUZZ_RUNS ?? 1500) },
  )
})
