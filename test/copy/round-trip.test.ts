import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { quoteString } from '../../src/engine/quote.ts'
import { tableReference } from '../../src/engine/table.ts'
import type { DataType } from '../../src/model/schema.ts'
import { storedTable } from '../engine/engine-fixture.ts'
import { type CopyFixture, type Literals, openCopyFixture, wholeTable } from './copy-fixture.ts'

const FORMATS: readonly (readonly [string, Literals])[] = [
  ['CSV', { type: 'CSV' }],
  ['CSV with another delimiter', { type: 'csv', delimiter: '|' }],
  ['CSV with a delimiter that numbers hold', { type: 'csv', delimiter: '-' }],
  ['CSV without header', { type: 'CSV', with_header: false }],
  ['CSV in gzip', { type: 'CSV', file_compression_type: 'GZIP' }],
  ['CSV in zstd', { type: 'CSV', file_compression_type: 'zstd' }],
  ['JSON', { type: 'JSON' }],
  ['NDJSON in gzip', { type: 'NDJSON', file_compression_type: 'gz' }],
  ['JSON in zstd', { type: 'JSON', file_compression_type: 'ZSTD' }],
  ['Parquet', { type: 'PARQUET' }],
  ['Parquet uncompressed', { type: 'parquet', compression: 'uncompressed' }],
  ['Parquet in snappy', { type: 'PARQUET', parquet_compression: 'snappy' }],
]

const FIELDS = {
  b: 'BIGINT',
  u: 'BIGINT UNSIGNED',
  d: 'DOUBLE',
  t: 'BOOLEAN',
  s: 'STRING',
} as const satisfies Record<string, DataType>

const TIMES: readonly (readonly [DataType, readonly string[]])[] = [
  [
    'TIMESTAMP(NANOSECOND)',
    ['1677-09-22T00:00:00', '1969-12-31T23:59:59.999999999', '2022-01-01T02:00:10.5', '2262-04-11T23:47:16.854775806'],
  ],
  [
    'TIMESTAMP(MICROSECOND)',
    ['0001-01-01T00:00:00', '1969-12-31T23:59:59.999999', '2022-01-01T02:00:10', '9999-12-31T23:59:59.999999'],
  ],
  [
    'TIMESTAMP(MILLISECOND)',
    ['0001-01-01T00:00:00', '1969-12-31T23:59:59.999', '2022-01-01T02:00:10.1', '9999-12-31T23:59:59.999'],
  ],
]

const TEXTS = [
  '',
  '"',
  '""',
  'a,b',
  'a|b',
  '-',
  'a\nb',
  'a\r\nb',
  '\r',
  '\n',
  ' x ',
  '\\',
  '\\N',
  '\\"',
  'NULL',
  'null',
  "'",
  'é',
  '漢字',
  '🙂',
  '\u0001',
  '\t',
  '#',
  '1',
  'true',
  '{"a":1}',
  '[',
  '\u2028',
  'x'.repeat(5000),
]
const NUMBERS = ['-9223372036854775808', '9223372036854775807', '0', '-1']
const UNSIGNED = ['0', '9223372036854775808', '18446744073709551615']
const DOUBLES = [
  '0',
  '-0.0',
  '1',
  '0.1',
  '9999999999',
  '1e10',
  '1e15',
  '1e16',
  '1.5e-7',
  '0.00001',
  '1e-6',
  '1.7976931348623157e308',
  '5e-324',
  '2.2250738585072014e-308',
  '123456789012345680',
  '-1e21',
  'nan',
  'inf',
  '-inf',
]

let fixture: CopyFixture
let tables = 0
beforeAll(async () => {
  fixture = await openCopyFixture()
})
afterAll(() => fixture[Symbol.asyncDispose]())

const sqlText = (text: string | null) => (text === null ? 'NULL' : quoteString(text))

interface Row {
  readonly tag: string | null
  readonly b: string | null
  readonly u: string | null
  readonly d: string | null
  readonly t: boolean | null
  readonly s: string | null
}

async function filledTable(timeType: DataType, times: readonly string[], rows: readonly Row[]) {
  tables += 1
  const table = storedTable(`t${tables}`, ['tag'], FIELDS, timeType)
  await fixture.create(table)
  const engineTime = {
    'TIMESTAMP(NANOSECOND)': 'TIMESTAMP_NS',
    'TIMESTAMP(MICROSECOND)': 'TIMESTAMP',
    'TIMESTAMP(MILLISECOND)': 'TIMESTAMP_MS',
  }[timeType as string]
  const values = rows.map((row, i) => {
    const time = times[i % times.length] as string
    const tag = row.tag === null ? 'NULL' : quoteString(`${i}${row.tag}`)
    return `(CAST('${time}' AS ${engineTime}), ${tag}, ${sqlText(row.b)}::BIGINT, ${sqlText(row.u)}::UBIGINT, ${sqlText(row.d)}::DOUBLE, ${row.t}, ${sqlText(row.s)})`
  })
  await fixture.engine.run(`INSERT INTO ${tableReference(table)} VALUES ${values.join(', ')}`)
  return table
}

/** Rows that are in one table and not in the other, told apart bit by bit. */
async function differences(a: string, b: string, isJson: boolean): Promise<number> {
  const bits = isJson
    ? 'CASE WHEN isfinite(d) THEN to_json(d)::VARCHAR END'
    : "CASE WHEN isnan(d) THEN 'NaN' WHEN isinf(d) THEN d::VARCHAR ELSE to_json(d)::VARCHAR END"
  const select = (table: string) => `SELECT time, tag, b, u, ${bits} AS d, t, s FROM data."${table}"`
  const rows = await fixture.engine.all(
    `SELECT count(*) AS n FROM ((${select(a)} EXCEPT ALL ${select(b)}) UNION ALL (${select(b)} EXCEPT ALL ${select(a)}))`,
  )
  return Number(rows[0]?.n)
}

async function roundTrip(format: Literals, timeType: DataType, times: readonly string[], rows: readonly Row[]) {
  const source = await filledTable(timeType, times, rows)
  const path = join(fixture.directory, `out-${tables}`)
  const out = await fixture.unload(`file://${path}`, source, { format })
  tables += 1
  const target = storedTable(`t${tables}`, ['tag'], FIELDS, timeType)
  await fixture.create(target)
  const back = await fixture.load(target, `file://${path}/`, { format })
  const isJson = /json/i.test(String(format.type))
  const different = await differences(source.name, target.name, isJson)
  for (const { name } of [source, target]) await fixture.engine.run(`DROP TABLE data.${name}`)
  return { rows: out.rows, back: back.rows, different, path }
}

const cycle = <T>(values: readonly T[], i: number) => values[i % values.length] as T

const edgeRows: readonly Row[] = Array.from({ length: 60 }, (_, i) => ({
  tag: i === 3 ? null : cycle(TEXTS, i),
  b: i % 5 === 1 ? null : cycle(NUMBERS, i),
  u: i % 5 === 2 ? null : cycle(UNSIGNED, i),
  d: i % 11 === 5 ? null : cycle(DOUBLES, i),
  t: [true, false, null][i % 3] as boolean | null,
  s: i % 6 === 4 ? null : cycle(TEXTS, i + 3),
}))

describe.each(FORMATS)('%s', (_name, format) => {
  it.each(TIMES)('keeps every edge value and %s', async (timeType, times) => {
    const isJson = /json/i.test(String(format.type))
    // A row that holds nothing but a non-finite number has no field left in JSON, which has no such numbers.
    const rows = edgeRows.map((row) => (isJson && row.s === null ? { ...row, s: 'filled' } : row))
    const result = await roundTrip(format, timeType, times, rows)
    expect(result).toMatchObject({ rows: 60n, back: 60n, different: 0 })
  })
})

describe('any values', () => {
  const text = fc.oneof(
    fc.constantFrom(...TEXTS),
    fc.string({ unit: 'binary', maxLength: 30 }).map((s) => s.replaceAll('\0', '')),
  )
  const row: fc.Arbitrary<Row> = fc.record({
    tag: fc.option(text),
    b: fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String)),
    u: fc.option(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String)),
    d: fc.option(
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => (Object.is(x, -0) ? '-0.0' : String(x))),
    ),
    t: fc.option(fc.boolean()),
    s: text,
  })
  const time = fc.bigInt({ min: -9_223_286_400_000_000_000n, max: 9_223_372_036_854_775_806n })

  it.each(FORMATS)('%s', async (_name, format) => {
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 30 }), time, async (rows, start) => {
        const isoOf = (ns: bigint) => {
          const ms = ns / 1_000_000n - (ns % 1_000_000n < 0n ? 1n : 0n)
          const rest = ((ns % 1_000_000n) + 1_000_000n) % 1_000_000n
          return new Date(Number(ms)).toISOString().replace('Z', String(rest).padStart(6, '0'))
        }
        const result = await roundTrip(
          format,
          'TIMESTAMP(NANOSECOND)',
          [isoOf(start)],
          // The number of the row comes before it: the bar keeps row 1 with the tag "1" apart from row 11.
          rows.map((r) => ({ ...r, tag: `|${r.tag ?? ''}` })),
        )
        expect(result.different).toBe(0)
        expect(result.back).toBe(BigInt(rows.length))
      }),
      { numRuns: 5 },
    )
  })
})

describe('text as CnosDB writes it', () => {
  const contentOf = async (path: string) => {
    const names = await readdir(path)
    expect(names).toHaveLength(1)
    return { name: names[0] as string, text: await readFile(join(path, names[0] as string), 'utf8') }
  }

  it('writes CSV', async () => {
    const rows: Row[] = [
      { tag: 'a', b: '1', u: '18446744073709551615', d: '25', t: true, s: '' },
      { tag: null, b: null, u: null, d: '1e10', t: null, s: 'x,"y"\nz' },
    ]
    const table = await filledTable('TIMESTAMP(NANOSECOND)', ['2022-01-01T02:00:10'], rows)
    const path = join(fixture.directory, 'csv-text')
    await fixture.unload(path, table)
    const { name, text } = await contentOf(path)
    expect(name).toMatch(/^queryId-\d+-part-\d+-0-0\.csv$/)
    expect(text.split('\n').sort()).toEqual(
      [
        'time,tag,b,u,d,t,s',
        '2022-01-01T02:00:10.000000000,0a,1,18446744073709551615,25.0,true,""',
        '2022-01-01T02:00:10.000000000,,,,1.0e10,,"x,""y""',
        'z"',
        '',
      ].sort(),
    )
  })

  it('writes JSON', async () => {
    const rows: Row[] = [
      { tag: 'a/é', b: '1', u: '18446744073709551615', d: '1e16', t: true, s: 'q"\\\n' },
      { tag: 'c', b: '2', u: null, d: 'nan', t: null, s: null },
    ]
    const table = await filledTable('TIMESTAMP(MICROSECOND)', ['2022-01-01T02:00:10', '2022-01-01T02:00:10.12'], rows)
    const path = join(fixture.directory, 'json-text')
    await fixture.unload(path, table, { format: { type: 'json' } })
    const { name, text } = await contentOf(path)
    expect(name).toMatch(/\.json$/)
    expect(text.split('\n').sort()).toEqual(
      [
        '',
        '{"b":1,"d":1e16,"s":"q\\"\\\\\\n","t":true,"tag":"0a/é","time":"2022-01-01T02:00:10","u":18446744073709551615}',
        '{"b":2,"tag":"1c","time":"2022-01-01T02:00:10.120"}',
      ].sort(),
    )
  })

  it('writes a row of NULLs as {} and a lone NULL as ""', async () => {
    const nothing = { columns: [{ name: 's', type: 'VARCHAR' }], select: 'SELECT NULL::VARCHAR AS s' }
    await fixture.unload(join(fixture.directory, 'null-json'), nothing, { format: { type: 'JSON' } })
    expect((await contentOf(join(fixture.directory, 'null-json'))).text).toBe('{}\n')
    await fixture.unload(join(fixture.directory, 'null-csv'), nothing)
    expect((await contentOf(join(fixture.directory, 'null-csv'))).text).toBe('s\n""\n')
  })

  it('writes no file, and no directory, for no rows', async () => {
    const table = storedTable('t0', ['tag'], FIELDS)
    await fixture.create(table)
    const path = join(fixture.directory, 'deep', 'none')
    expect(await fixture.unload(path, table)).toEqual({ files: 0, rows: 0n, bytes: 0 })
    expect(await readdir(fixture.directory)).not.toContain('deep')
  })

  it('adds files to what is there', async () => {
    const table = await filledTable('TIMESTAMP(NANOSECOND)', ['2022-01-01T02:00:10'], edgeRows)
    const path = join(fixture.directory, 'twice')
    await fixture.unload(path, table, { format: { type: 'PARQUET' } })
    await fixture.unload(`${path}/`, table, { format: { type: 'PARQUET' } })
    expect(await readdir(path)).toHaveLength(2)
    expect(wholeTable(table).columns).toHaveLength(7)
  })
})
