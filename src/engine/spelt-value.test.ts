import { DuckDBInstance } from '@duckdb/node-api'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rowsOf } from './duckdb-values.ts'
import { canSpell, spellCsv } from './spelt-value.ts'
import { csvField } from './value-text.ts'

let instance: DuckDBInstance
beforeAll(async () => {
  instance = await DuckDBInstance.create(':memory:')
})
afterAll(() => instance.closeSync())

/** Both spellings of the values that `list` makes in DuckDB. */
async function bothSpellings(list: readonly string[], type: string, delimiter: ',' | '\t') {
  const connection = await instance.connect()
  try {
    const sql = `SELECT x, coalesce(${csvField('x', type, delimiter)}, '') AS text FROM (SELECT unnest([${list.join(', ')}]::${type}[]) AS x)`
    const chunks = await (await connection.run(sql)).fetchAllChunks()
    const rows = chunks.flatMap((chunk) => rowsOf(chunk, ['x', 'text']))
    expect(rows).toHaveLength(list.length)
    return rows.map(({ x, text }) => [spellCsv(x ?? null, type, delimiter), text])
  } finally {
    connection.closeSync()
  }
}

async function expectSame(list: readonly string[], type: string, delimiter: ',' | '\t' = ',') {
  for (const [ours, engine] of await bothSpellings(list, type, delimiter)) expect(ours).toBe(engine)
}

const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`
const lists = (one: fc.Arbitrary<string>) => fc.array(one, { minLength: 50, maxLength: 300 })

describe('spellCsv spells as the engine does', () => {
  const powers = Array.from({ length: 640 }, (_, i) => `1e${i - 324}`)
  it.each([
    ['DOUBLE', ['0', '-0.0', 'nan', 'inf', '-inf', '1e10', '9999999999.9', '1e-5', '0.000009999', '5e-324', ...powers]],
    ['BOOLEAN', ['true', 'false']],
    ['BIGINT', ['-9223372036854775808', '9223372036854775807', '0']],
    ['UBIGINT', ['18446744073709551615', '0']],
    ['VARCHAR', ['', 'plain', 'a,b', 'tab\there', 'say "x"', 'two\nlines', 'cr\r', ' blanks ', "it's"]],
    ['TIMESTAMP_NS', ['1677-09-21 00:12:43.145225', '1677-09-22', '1969-12-31 23:59:59.999999999', 'infinity']],
    ['TIMESTAMP', ['infinity', '-infinity', '0044-03-15 (BC)', '12345-06-07 08:09:10.123456', '294247-01-10']],
    ['TIMESTAMP_MS', ['1969-12-31 23:59:59.120', '0001-01-01', '9999-12-31 23:59:59.999', '290000-01-01']],
  ])('%s', async (type, values) => {
    for (const delimiter of [',', '\t'] as const)
      await expectSame(['NULL', ...values.map((value) => `${quoted(value)}::${type}`)], type, delimiter)
    expect(canSpell(type)).toBe(true)
  })

  it.each([
    [
      'DOUBLE',
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => quoted(Object.is(x, -0) ? '-0.0' : `${x}`)),
    ],
    ['VARCHAR', fc.string({ unit: 'grapheme' }).map((text) => quoted(text.replaceAll('\0', '')))],
    ['TIMESTAMP_NS', fc.bigInt(-9_223_286_400_000_000_000n, 2n ** 63n - 2n).map((ns) => `make_timestamp_ns(${ns})`)],
    ['TIMESTAMP', fc.bigInt(-9_223_372_022_400_000_000n, 2n ** 63n - 2n).map((us) => `make_timestamp(${us})`)],
    [
      'TIMESTAMP_MS',
      fc
        .bigInt(-9_223_372_022_400_000n, 9_223_372_036_854_775n)
        .map((ms) => `CAST(make_timestamp_ms(${ms}) AS TIMESTAMP_MS)`),
    ],
  ])('%s of any value', async (type, value) => {
    await fc.assert(
      fc.asyncProperty(lists(value), (list) => expectSame(list, type)),
      { numRuns: 20 },
    )
  })
})

it.each(['DATE', 'TIME', 'BIGINT[]', 'TIMESTAMP WITH TIME ZONE', 'toString'])('leaves %s to the engine', (type) =>
  expect(canSpell(type)).toBe(false),
)
