import { DuckDBInstance } from '@duckdb/node-api'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { csvField, doubleJson, doubleText, jsonValue, nineDigitTime, shortTime } from './value-text.ts'

let instance: DuckDBInstance
const ask = async (expression: string): Promise<unknown> => {
  const connection = await instance.connect()
  try {
    const reader = await connection.runAndReadAll(`SELECT ${expression}`)
    return reader.getRowsJson()[0]?.[0]
  } finally {
    connection.closeSync()
  }
}
beforeAll(async () => {
  instance = await DuckDBInstance.create(':memory:')
})
afterAll(() => instance.closeSync())

describe('doubleText and doubleJson', () => {
  it.each([
    ['1', '1.0', '1.0'],
    ['0.1', '0.1', '0.1'],
    ['9999999999', '9999999999.0', '9999999999.0'],
    ['1e10', '1.0e10', '10000000000.0'],
    ['-12345678901.5', '-1.23456789015e10', '-12345678901.5'],
    ['1e15', '1.0e15', '1000000000000000.0'],
    ['1e16', '1.0e16', '1e16'],
    ['1.25e300', '1.25e300', '1.25e300'],
    ['0.00001', '0.00001', '0.00001'],
    ['-0.000012345', '-0.000012345', '-0.000012345'],
    ['1e-6', '1.0e-6', '1e-6'],
    ['1.5e-7', '1.5e-7', '1.5e-7'],
    ['5e-324', '5.0e-324', '5e-324'],
    ['-0.0', '-0.0', '-0.0'],
    ['nan', 'NaN', null],
    ['-nan', 'NaN', null],
    ['inf', 'inf', null],
    ['-inf', '-inf', null],
  ])('%s is %s in CSV and %s in JSON', async (value, csv, json) => {
    const x = `'${value}'::DOUBLE`
    expect([await ask(doubleText(x)), await ask(doubleJson(x))]).toEqual([csv, json])
  })

  it('reads back to the same bits', async () => {
    const finite = fc.double({ noNaN: true, noDefaultInfinity: true })
    await fc.assert(
      fc.asyncProperty(fc.array(finite, { minLength: 50, maxLength: 200 }), async (values) => {
        const list = values.map((v) => `'${Object.is(v, -0) ? '-0.0' : v}'::DOUBLE`).join(',')
        const connection = await instance.connect()
        const sql = `SELECT ${doubleText('x')}, ${doubleJson('x')} FROM (SELECT unnest([${list}]) AS x)`
        const rows = (await connection.runAndReadAll(sql)).getRows() as unknown as [string, string][]
        connection.closeSync()
        values.forEach((value, i) => {
          expect(Number(rows[i]?.[0])).toBe(value)
          expect(JSON.parse(rows[i]?.[1] as string)).toBe(value)
          expect(rows[i]?.[0]).toMatch(/^-?\d+\.\d+(e-?\d+)?$/)
        })
      }),
      { numRuns: 20 },
    )
  })
})

describe('times', () => {
  it.each([
    ['2022-01-01 00:00:00', '2022-01-01T00:00:00'],
    ['2022-01-01 00:00:00.5', '2022-01-01T00:00:00.500'],
    ['2022-01-01 00:00:00.000001', '2022-01-01T00:00:00.000001'],
    ['2022-01-01 00:00:00.100000010', '2022-01-01T00:00:00.100000010'],
    ['1677-09-22 00:12:44.120000000', '1677-09-22T00:12:44.120'],
  ])('%s is short as %s', async (value, text) => {
    expect(await ask(shortTime(`'${value}'::TIMESTAMP_NS`, 'TIMESTAMP_NS'))).toBe(text)
  })
})

describe('csvField and jsonValue', () => {
  it.each([
    ['plain', 'plain'],
    ['a,b', '"a,b"'],
    ['say "x"', '"say ""x"""'],
    ['two\nlines', '"two\nlines"'],
    ['cr\r', '"cr\r"'],
    ['', ''],
  ])('quotes %j only when needed', async (value, text) => {
    expect(await ask(csvField(`'${value}'`, 'VARCHAR', ','))).toBe(text)
  })

  it('escapes JSON strings as JSON.parse reads them', async () => {
    const text = 'a"b\\c/\u0001\b\n\u007f\u2028é\u{1f600}'
    const json = (await ask(jsonValue(`'${text}'`, 'VARCHAR'))) as string
    expect(JSON.parse(json)).toBe(text)
    expect(json).toContain('/')
  })

  it('keeps 64 bits and decimals as bare numbers', async () => {
    expect(await ask(jsonValue('18446744073709551615::UBIGINT', 'UBIGINT'))).toBe('18446744073709551615')
    expect(await ask(jsonValue('1.50::DECIMAL(9,2)', 'DECIMAL(9,2)'))).toBe('1.50')
    expect(await ask(jsonValue("[1.5::DOUBLE, 'nan']", 'DOUBLE[]'))).toBe('[1.5,null]')
  })
})

describe('times at the ends of their range', () => {
  const first = `(SELECT t FROM (SELECT '1677-09-21 00:12:43.145225'::TIMESTAMP_NS AS t))`
  it.each([
    [`'infinity'::TIMESTAMP_NS`, 'TIMESTAMP_NS', '2262-04-11T23:47:16.854775807', '2262-04-11T23:47:16.854775807'],
    [
      `make_timestamp_ns(9223372036854775806)`,
      'TIMESTAMP_NS',
      '2262-04-11T23:47:16.854775806',
      '2262-04-11T23:47:16.854775806',
    ],
    [first, 'TIMESTAMP_NS', '1677-09-21T00:12:43.145225000', '1677-09-21T00:12:43.145225000'],
    [`'1677-09-22'::TIMESTAMP_NS`, 'TIMESTAMP_NS', '1677-09-22T00:00:00.000000000', '1677-09-22T00:00:00'],
    [`NULL::TIMESTAMP_NS`, 'TIMESTAMP_NS', null, null],
    [`'1969-12-31 23:59:59.9'::TIMESTAMP`, 'TIMESTAMP', '1969-12-31T23:59:59.900000000', '1969-12-31T23:59:59.900'],
    [
      `'1969-12-31 23:59:59.999999'::TIMESTAMP`,
      'TIMESTAMP',
      '1969-12-31T23:59:59.999999000',
      '1969-12-31T23:59:59.999999',
    ],
    [
      `'1969-12-31 23:59:59.120'::TIMESTAMP_MS`,
      'TIMESTAMP_MS',
      '1969-12-31T23:59:59.120000000',
      '1969-12-31T23:59:59.120',
    ],
    [
      `'9999-12-31 23:59:59.999'::TIMESTAMP::TIMESTAMP_MS`,
      'TIMESTAMP_MS',
      '9999-12-31T23:59:59.999000000',
      '9999-12-31T23:59:59.999',
    ],
    [`'0001-01-01'::TIMESTAMP::TIMESTAMP_S`, 'TIMESTAMP_S', '0001-01-01T00:00:00.000000000', '0001-01-01T00:00:00'],
    [`'1969-12-31 23:59:59'::TIMESTAMP_S`, 'TIMESTAMP_S', '1969-12-31T23:59:59.000000000', '1969-12-31T23:59:59'],
  ])('%s', async (value, type, nine, short) => {
    expect(await ask(nineDigitTime(value, type))).toBe(nine)
    expect(await ask(shortTime(value, type))).toBe(short)
  })
})
