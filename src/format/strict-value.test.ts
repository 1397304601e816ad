import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openEngine } from '../engine/duckdb.ts'
import type { Engine } from '../engine/engine.ts'
import { quoteString } from '../engine/quote.ts'
import { fromTyped } from './parquet-value.ts'
import { fromJsonString, fromText, type StrictValue } from './strict-value.ts'

let directory: string
let engine: Engine
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cnosdb-strict-'))
  engine = await openEngine({
    path: join(directory, 'x.duckdb'),
    memoryBytes: 2 ** 28,
    tempDirectory: join(directory, 'spill'),
    tempBytes: 2 ** 28,
    maxQueries: 2,
  })
})
afterAll(async () => {
  await engine.close()
  await rm(directory, { recursive: true, force: true })
})

/** The value as text, or what `isBad` and the error agree to refuse. */
async function outcome({ value, isBad }: StrictValue, from: string): Promise<string | null | 'refused'> {
  const [fault] = await engine.all(`SELECT ${isBad} AS bad FROM ${from}`)
  try {
    const [row] = await engine.all(`SELECT CAST(${value} AS VARCHAR) AS v FROM ${from}`)
    expect(fault?.bad).toBe(false)
    return row?.v as string | null
  } catch (error) {
    expect(String(error)).toContain('cannot hold')
    expect(fault?.bad).toBe(true)
    return 'refused'
  }
}

const textAs = (type: string, text: string | null) =>
  outcome(fromText('x', { name: 'c', type }), `(SELECT ${text === null ? 'NULL::VARCHAR' : quoteString(text)} AS x)`)

describe('text', () => {
  it.each<readonly [string, string | null, string | null]>([
    ['BIGINT', '1', '1'],
    ['BIGINT', '+1', '1'],
    ['BIGINT', '-0', '0'],
    ['BIGINT', '007', '7'],
    ['BIGINT', '-9223372036854775808', '-9223372036854775808'],
    ['BIGINT', '9223372036854775808', 'refused'],
    ['BIGINT', '1.5', 'refused'],
    ['BIGINT', '1.0', 'refused'],
    ['BIGINT', '1e3', 'refused'],
    ['BIGINT', '0x1F', 'refused'],
    ['BIGINT', '1_000', 'refused'],
    ['BIGINT', ' 1', 'refused'],
    ['BIGINT', '1 ', 'refused'],
    ['BIGINT', '1\t', 'refused'],
    ['BIGINT', 'abc', 'refused'],
    ['BIGINT', '', null],
    ['BIGINT', null, null],
    ['UBIGINT', '18446744073709551615', '18446744073709551615'],
    ['UBIGINT', '18446744073709551616', 'refused'],
    ['UBIGINT', '-1', 'refused'],
    ['UBIGINT', '-0', 'refused'],
    ['UBIGINT', '+5', '5'],
    ['DOUBLE', '+1', '1.0'],
    ['DOUBLE', '.5', '0.5'],
    ['DOUBLE', '1.', '1.0'],
    ['DOUBLE', '1e5', '100000.0'],
    ['DOUBLE', '1E+05', '100000.0'],
    ['DOUBLE', '-0.0', '-0.0'],
    ['DOUBLE', 'NaN', 'nan'],
    ['DOUBLE', 'nan', 'nan'],
    ['DOUBLE', 'INF', 'inf'],
    ['DOUBLE', '-Infinity', '-inf'],
    ['DOUBLE', '1e400', 'refused'],
    ['DOUBLE', '1_0', 'refused'],
    ['DOUBLE', '+-1', 'refused'],
    ['DOUBLE', ' 1', 'refused'],
    ['DOUBLE', '1\n', 'refused'],
    ['DOUBLE', '\u000b1', 'refused'],
    ['DOUBLE', '1,5', 'refused'],
    ['DOUBLE', '.', 'refused'],
    ['DOUBLE', 'true', 'refused'],
    ['DOUBLE', '', null],
    ['BOOLEAN', 'true', 'true'],
    ['BOOLEAN', 'FALSE', 'false'],
    ['BOOLEAN', 'tRuE', 'true'],
    ['BOOLEAN', 't', 'refused'],
    ['BOOLEAN', '1', 'refused'],
    ['BOOLEAN', 'yes', 'refused'],
    ['BOOLEAN', '', null],
    ['VARCHAR', '', ''],
    ['VARCHAR', null, null],
    ['VARCHAR', ' x ', ' x '],
  ])('%s from %j is %j', async (type, text, expected) => {
    expect(await textAs(type, text)).toBe(expected)
  })

  it.each<readonly [string, string | null]>([
    ['2022-01-01T02:00:10.123456789', '2022-01-01 02:00:10.123456789'],
    ['2022-01-01 02:00:10', '2022-01-01 02:00:10'],
    ['2022-01-01t02:00:10', '2022-01-01 02:00:10'],
    ['2022-01-0102:00:10', '2022-01-01 02:00:10'],
    ['2022-01-01T020010', '2022-01-01 02:00:10'],
    ['2022-01-01T020010.5Z', '2022-01-01 02:00:10.5'],
    ['2022-01-01T02:00:10Z', '2022-01-01 02:00:10'],
    ['2022-01-01T02:00:10+08:00', '2021-12-31 18:00:10'],
    ['2022-01-01T02:00:10.123456789+08:00', '2021-12-31 18:00:10.123456789'],
    ['2022-01-01T02:00:10 -08', '2022-01-01 10:00:10'],
    ['2022-01-01T02:00:10+0530', '2021-12-31 20:30:10'],
    ['2022-01-01', '2022-01-01 00:00:00'],
    ['1640995210000000001', '2022-01-01 00:00:10.000000001'],
    ['-1', '1969-12-31 23:59:59.999999999'],
    ['2262-04-11T23:47:16.854775806', '2262-04-11 23:47:16.854775806'],
    ['1677-09-22T00:00:00', '1677-09-22 00:00:00'],
    ['', null],
    ['2022-02-30T00:00:00', 'refused'],
    ['2022-01-01T24:00:00', 'refused'],
    ['2022-01-01T23:59:60', 'refused'],
    ['2022-01-01T02:00', 'refused'],
    ['2022-1-1 2:0:0', 'refused'],
    [' 2022-01-01T02:00:10', 'refused'],
    ['2022-01-01T02:00:10 UTC', 'refused'],
    ['2022-01-01T02:00:10.1234567890', 'refused'],
    ['2300-01-01T00:00:00', 'refused'],
    ['1600-01-01T00:00:00', 'refused'],
    ['infinity', 'refused'],
    ['epoch', 'refused'],
    ['now', 'refused'],
    ['1.5', 'refused'],
    ['yesterday', 'refused'],
  ])('TIMESTAMP_NS from %j is %j', async (text, expected) => {
    expect(await textAs('TIMESTAMP_NS', text)).toBe(expected)
  })

  it.each<readonly [string, string, string]>([
    ['TIMESTAMP', '2022-01-01T02:00:10.123456789', '2022-01-01 02:00:10.123456'],
    ['TIMESTAMP', '1969-12-31T23:59:59.9999999', '1969-12-31 23:59:59.999999'],
    ['TIMESTAMP', '2022-01-01T02:00:10.1239999+08:00', '2021-12-31 18:00:10.123999'],
    ['TIMESTAMP', '9999-12-31T23:59:59.999999', '9999-12-31 23:59:59.999999'],
    ['TIMESTAMP', '1640995210000001', '2022-01-01 00:00:10.000001'],
    ['TIMESTAMP_MS', '2022-01-01T02:00:10.123999', '2022-01-01 02:00:10.123'],
    ['TIMESTAMP_MS', '1969-12-31T23:59:59.9999', '1969-12-31 23:59:59.999'],
    ['TIMESTAMP_MS', '2022-01-01T02:00:10.1239-01:00', '2022-01-01 03:00:10.123'],
    ['TIMESTAMP_MS', '1640995210001', '2022-01-01 00:00:10.001'],
    ['TIMESTAMP_MS', '99999999999999999999', 'refused'],
  ])('%s from %j cuts what is finer', async (type, text, expected) => {
    expect(await textAs(type, text)).toBe(expected)
  })
})

describe('members of JSON', () => {
  it.each<readonly [string, string | null]>([
    ['"x"', 'x'],
    ['""', ''],
    ['"a\\"b\\u00e9\\n"', 'a"bé\n'],
    ['"漢字"', '漢字'],
    ['null', null],
    ['5', 'refused'],
    ['true', 'refused'],
    ['{"a":1}', 'refused'],
    ['["x"]', 'refused'],
  ])('a string from %s is %j', async (json, expected) => {
    const from = `(SELECT ${quoteString(json)}::JSON AS x)`
    expect(await outcome(fromJsonString('x', { name: 'c', type: 'VARCHAR' }), from)).toBe(expected)
  })
})

describe('columns of Parquet', () => {
  it.each<readonly [string, string, string, string | null | undefined]>([
    ['5::INTEGER', 'INTEGER', 'BIGINT', '5'],
    ['5::UBIGINT', 'UBIGINT', 'BIGINT', '5'],
    ['18446744073709551615::UBIGINT', 'UBIGINT', 'BIGINT', 'refused'],
    ['-1::BIGINT', 'BIGINT', 'UBIGINT', 'refused'],
    ['2.0::DOUBLE', 'DOUBLE', 'BIGINT', '2'],
    ['1.5::DOUBLE', 'DOUBLE', 'BIGINT', 'refused'],
    ["'nan'::DOUBLE", 'DOUBLE', 'BIGINT', 'refused'],
    ['1.5::DECIMAL(4,2)', 'DECIMAL(4,2)', 'BIGINT', 'refused'],
    ['1.5::FLOAT', 'FLOAT', 'DOUBLE', '1.5'],
    ['9007199254740992::BIGINT', 'BIGINT', 'DOUBLE', '9007199254740992.0'],
    ['9007199254740993::BIGINT', 'BIGINT', 'DOUBLE', 'refused'],
    ['NULL::BIGINT', 'BIGINT', 'DOUBLE', null],
    ["'12'", 'VARCHAR', 'BIGINT', '12'],
    ["'12 '", 'VARCHAR', 'BIGINT', 'refused'],
    ['12::BIGINT', 'BIGINT', 'VARCHAR', '12'],
    ["'abc'::BLOB", 'BLOB', 'VARCHAR', 'abc'],
    ['true', 'BOOLEAN', 'BOOLEAN', 'true'],
    ['1::INTEGER', 'INTEGER', 'BOOLEAN', undefined],
    ['[1]', 'INTEGER[]', 'VARCHAR', undefined],
    ['{a: 1}', 'STRUCT(a INTEGER)', 'BIGINT', undefined],
    ['1640995210000000001::BIGINT', 'BIGINT', 'TIMESTAMP_NS', '2022-01-01 00:00:10.000000001'],
    ["'2022-01-01'::DATE", 'DATE', 'TIMESTAMP_NS', '2022-01-01 00:00:00'],
    ["'2022-01-01 00:00:00.5+08'::TIMESTAMPTZ", 'TIMESTAMP WITH TIME ZONE', 'TIMESTAMP_NS', '2021-12-31 16:00:00.5'],
    ["'2022-01-01 00:00:00.5+08'::TIMESTAMPTZ", 'TIMESTAMP WITH TIME ZONE', 'TIMESTAMP', '2021-12-31 16:00:00.5'],
    ["'2022-01-01 00:00:00.123456789'::TIMESTAMP_NS", 'TIMESTAMP_NS', 'TIMESTAMP', '2022-01-01 00:00:00.123456'],
    ["'2022-01-01 00:00:00.9999999'::TIMESTAMP_NS", 'TIMESTAMP_NS', 'TIMESTAMP_MS', '2022-01-01 00:00:00.999'],
    ["'1969-12-31 23:59:59.9999'::TIMESTAMP", 'TIMESTAMP', 'TIMESTAMP_MS', '1969-12-31 23:59:59.999'],
    ["'9999-01-01'::TIMESTAMP", 'TIMESTAMP', 'TIMESTAMP_NS', 'refused'],
    ['true', 'BOOLEAN', 'TIMESTAMP_NS', undefined],
  ])('%s is %s, read as %s: %j', async (literal, type, target, expected) => {
    const value = fromTyped('x', type, { name: 'c', type: target })
    if (!value) return expect(expected).toBeUndefined()
    expect(await outcome(value, `(SELECT ${literal} AS x)`)).toBe(expected)
  })
})
