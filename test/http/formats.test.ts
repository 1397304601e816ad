import { brotliDecompressSync, gunzipSync, inflateRawSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Served, serve } from './served.ts'

let server: Served
beforeAll(async () => {
  server = await serve()
  await server.sql('CREATE TABLE m (d DOUBLE, i BIGINT, u BIGINT UNSIGNED, b BOOLEAN, s STRING, TAGS(t))')
  const rows = [
    `('2024-01-01T00:00:00', 'x', 1, -9223372036854775808, 18446744073709551615, true, 'a,b')`,
    `('2024-01-01T00:00:00.5', '', 1e10, NULL, NULL, false, 'say "hi"')`,
    `('2024-01-01T00:00:00.000001', NULL, 'NaN'::DOUBLE, 0, 0, NULL, '')`,
    `('2024-01-01T00:00:00.000000001', 'é', 0.0000015, 1, 1, true, NULL)`,
  ]
  const inserted = await server.sql(`INSERT INTO m (time, t, d, i, u, b, s) VALUES ${rows.join(', ')}`)
  if (inserted.status !== 200) throw new Error(inserted.text)
})
afterAll(() => server[Symbol.asyncDispose]())

const ALL = 'SELECT * FROM m ORDER BY time'

describe('an answer that is known to be short', () => {
  it.each(['text/csv', 'text/tsv'])('is spelt in %s as a long one is', async (accept) => {
    const long = await server.sql(ALL, { accept })
    expect(long.text.split('\n').length).toBeGreaterThan(5)
    expect((await server.sql(`${ALL} LIMIT 100`, { accept })).text).toBe(long.text)
  })

  it('has two quotes for a record of one empty field', async () => {
    const answer = await server.sql('SELECT s FROM m ORDER BY time DESC LIMIT 4')
    expect(answer.text).toBe('s\n"say ""hi"""\n""\n""\n"a,b"\n')
  })

  it('fails with a status when a row cannot be computed', async () => {
    const answer = await server.sql(`SELECT CAST(s AS BIGINT) AS n FROM m LIMIT 2`)
    expect([answer.status, JSON.parse(answer.text).error_code]).toEqual([422, expect.stringMatching(/^\d{6}$/)])
  })

  it('keeps columns of one name apart', async () => {
    const answer = await server.sql('SELECT min(i) AS x, max(u) AS x FROM m')
    expect(answer.text).toBe('x,x\n-9223372036854775808,18446744073709551615\n')
  })
})

describe('Accept', () => {
  it.each([
    [undefined, 'text/csv'],
    ['', 'text/csv'],
    ['*/*', 'text/csv'],
    ['application/*', 'text/csv'],
    ['text/csv', 'text/csv'],
    ['application/csv', 'text/csv'],
    ['application/CSV', 'text/csv'],
    ['text/tsv', 'text/tsv'],
    ['application/tsv', 'text/tsv'],
    ['application/json', 'application/json'],
    ['text/json', 'application/json'],
    ['application/nd-json', 'application/nd-json'],
    ['text/nd-json', 'application/nd-json'],
    ['text/table', 'text/table'],
    ['application/table', 'text/table'],
  ])('%s gives %s', async (accept, contentType) => {
    const answer = await server.sql('SELECT 1 AS a', accept === undefined ? {} : { accept })
    expect([answer.status, answer.headers['content-type']]).toEqual([200, contentType])
  })

  it.each(['text/*', 'application/x-ndjson', 'text/html', 'text/csv, application/json', 'text/csv;q=0.9', 'image/csv'])(
    '%s is refused',
    async (accept) => {
      const answer = await server.sql('SELECT 1 AS a', { accept })
      expect([answer.status, JSON.parse(answer.text).error_code]).toEqual([400, '040005'])
      expect(JSON.parse(answer.text).error_message).toMatch(/^Invalid header: Invalid header: /)
    },
  )

  it('is judged after the sign-in and before the statement', async () => {
    const badBoth = await server.sql('CREATE TABLE never (f DOUBLE)', {
      accept: 'text/html',
      authorization: 'Basic eDp4',
    })
    expect(JSON.parse(badBoth.text).error_code).toBe('010016')
    await server.sql('CREATE TABLE never (f DOUBLE)', { accept: 'text/html' })
    expect((await server.sql('SHOW TABLES')).text).not.toContain('never')
  })
})

describe('values', () => {
  it('as CSV', async () => {
    expect((await server.sql(ALL, { accept: 'text/csv' })).text).toBe(
      [
        'time,t,d,i,u,b,s',
        '2024-01-01T00:00:00.000000000,x,1.0,-9223372036854775808,18446744073709551615,true,"a,b"',
        '2024-01-01T00:00:00.000000001,é,1.5e-6,1,1,true,',
        '2024-01-01T00:00:00.000001000,,NaN,0,0,,',
        '2024-01-01T00:00:00.500000000,,1.0e10,,,false,"say ""hi"""',
        '',
      ].join('\n'),
    )
  })

  it('as TSV', async () => {
    const { text } = await server.sql('SELECT s, t FROM m ORDER BY time LIMIT 1', { accept: 'text/tsv' })
    expect(text).toBe('s\tt\na,b\tx\n')
  })

  it('as JSON: sorted keys, nulls and NaN left out, exact integers', async () => {
    const { text } = await server.sql(ALL, { accept: 'application/json' })
    expect(text).toBe(
      `[${[
        '{"b":true,"d":1.0,"i":-9223372036854775808,"s":"a,b","t":"x","time":"2024-01-01T00:00:00","u":18446744073709551615}',
        '{"b":true,"d":1.5e-6,"i":1,"t":"é","time":"2024-01-01T00:00:00.000000001","u":1}',
        '{"i":0,"s":"","time":"2024-01-01T00:00:00.000001","u":0}',
        '{"b":false,"d":10000000000.0,"s":"say \\"hi\\"","t":"","time":"2024-01-01T00:00:00.500"}',
      ].join(',')}]`,
    )
  })

  it('as ND-JSON', async () => {
    const { text } = await server.sql('SELECT i FROM m ORDER BY time', { accept: 'application/nd-json' })
    expect(text).toBe('{"i":-9223372036854775808}\n{"i":1}\n{"i":0}\n{}\n')
  })

  it('as a table', async () => {
    const { text } = await server.sql(`SELECT time, t, s FROM m WHERE t = 'é' OR t = 'x' ORDER BY time`, {
      accept: 'text/table',
    })
    expect(text).toBe(
      [
        '+-------------------------------+---+-----+',
        '| time                          | t | s   |',
        '+-------------------------------+---+-----+',
        '| 2024-01-01T00:00:00           | x | a,b |',
        '| 2024-01-01T00:00:00.000000001 | é |     |',
        '+-------------------------------+---+-----+',
      ].join('\n'),
    )
  })

  it('aligns wide characters and shows control characters', async () => {
    const { text } = await server.sql(`SELECT '温度' AS a, 'x' || chr(27) || '[31m' AS b`, { accept: 'text/table' })
    expect(text).toBe(
      [
        '+------+-------------+',
        '| a    | b           |',
        '+------+-------------+',
        '| 温度 | x\\u001b[31m |',
        '+------+-------------+',
      ].join('\n'),
    )
  })

  it.each([
    ['text/csv', 'n,n,a\n1,2,3\n'],
    ['text/table', '+---+---+---+\n| n | n | a |\n+---+---+---+\n| 1 | 2 | 3 |\n+---+---+---+'],
    ['application/json', '[{"a":3,"n":1,"n":2}]'],
  ])('%s has each of two columns of one name', async (accept, expected) => {
    expect((await server.sql('SELECT 1 AS n, 2 AS n, 3 AS a', { accept })).text).toBe(expected)
  })

  it('writes a record of one empty column as ""', async () => {
    expect((await server.sql(`SELECT s FROM m WHERE d IS NULL OR i < 2 ORDER BY time`)).text).toBe('s\n"a,b"\n""\n""\n')
  })
})

describe('empty answers', () => {
  const NONE = `SELECT time, s FROM m WHERE s = 'none'`
  it.each([
    ['text/csv', 'time,s\n'],
    ['text/tsv', 'time\ts\n'],
    ['application/json', ''],
    ['application/nd-json', ''],
    ['text/table', '+------+---+\n| time | s |\n+------+---+'],
  ])('no rows as %s', async (accept, text) => {
    expect((await server.sql(NONE, { accept })).text).toBe(text)
    const ddl = await server.sql('CREATE TABLE IF NOT EXISTS m (d DOUBLE)', { accept })
    expect([ddl.status, ddl.text, ddl.headers['content-type']]).toEqual([200, '', accept])
  })

  it.each([
    ['text/csv', 'rows\n1\n'],
    ['application/json', '[{"rows":1}]'],
    ['application/nd-json', '{"rows":1}\n'],
    ['text/table', '+------+\n| rows |\n+------+\n| 1    |\n+------+'],
  ])('rows of an INSERT as %s', async (accept, text) => {
    const answer = await server.sql(`INSERT INTO m (time, t, d) VALUES ('2000-01-01T00:00:00', 'w', 1)`, { accept })
    expect(answer.text).toBe(text)
  })
})

describe('response compression', () => {
  it.each([
    ['gzip', 'gzip', gunzipSync],
    ['deflate', 'deflate', inflateRawSync],
    ['br', 'br', brotliDecompressSync],
    ['identity', 'identity', (bytes: Buffer) => bytes],
    ['gzip;q=1.0, br', 'br', brotliDecompressSync],
    ['snappy, lz4 ,gzip', 'gzip', gunzipSync],
  ])('%s', async (acceptEncoding, name, unpack) => {
    const headers = { 'accept-encoding': acceptEncoding }
    const answer = await server.sql('SELECT * FROM range(5000) AS t(a)', { headers })
    expect([answer.status, answer.headers['content-encoding']]).toEqual([200, name])
    const lines = unpack(answer.body).toString().split('\n')
    expect([lines.length, lines[0], lines[5000]]).toEqual([5002, 'a', '4999'])
  })

  it('is absent without the header, refuses what nothing matches, and never packs errors', async () => {
    expect((await server.sql('SELECT 1 AS a')).headers['content-encoding']).toBeUndefined()
    for (const acceptEncoding of ['gzip;q=0.5', 'compress', 'snappy', '']) {
      const answer = await server.sql('SELECT 1 AS a', { headers: { 'accept-encoding': acceptEncoding } })
      expect([answer.status, JSON.parse(answer.text).error_code]).toEqual([400, '040005'])
    }
    const failed = await server.sql('SELEC', { headers: { 'accept-encoding': 'gzip' } })
    expect([failed.headers['content-encoding'], JSON.parse(failed.text).error_code]).toEqual([undefined, '010009'])
  })
})
