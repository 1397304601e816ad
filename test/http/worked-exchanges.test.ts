import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ROOT, type Served, send, serve } from './served.ts'

let server: Served
beforeAll(async () => {
  server = await serve()
})
afterAll(() => server[Symbol.asyncDispose]())

/** CnosDB's answers to a client's first steps, in their order. */
describe('worked exchanges', () => {
  const shop = (text: string, accept = 'text/csv') => server.sql(text, { db: 'shop', accept })

  it('1: ping', async () => {
    const { status, headers, text } = await send(`${server.url}/api/v1/ping`)
    expect([status, headers['content-type']]).toEqual([200, 'application/json'])
    expect(JSON.parse(text)).toEqual({ version: '2.4.3', status: 'healthy' })
    const head = await send(`${server.url}/api/v1/ping`, { method: 'HEAD' })
    expect([head.status, head.text]).toEqual([200, ''])
  })

  it('2: CREATE DATABASE', async () => {
    const answer = await shop(`CREATE DATABASE IF NOT EXISTS "shop" WITH TTL '30d' SHARD 2`)
    expect([answer.status, answer.headers['content-type'], answer.text]).toEqual([200, 'text/csv', ''])
    expect((await shop(`ALTER DATABASE "shop" SET TTL 'INF'`)).status).toBe(200)
  })

  it('3: CREATE TABLE', async () => {
    const answer = await shop(
      `CREATE TABLE IF NOT EXISTS "shop"."air" ("temp" DOUBLE CODEC(GORILLA), "n" BIGINT UNSIGNED, TAGS ("station"))`,
    )
    expect([answer.status, answer.text]).toEqual([200, ''])
  })

  it('4: INSERT', async () => {
    const answer = await shop(
      `INSERT INTO "air" ("time","station","temp","n") VALUES ('2024-01-01T00:00:00Z','s1',1.5,18446744073709551615), ('2024-01-01T00:00:01.5Z','s1',NULL,2)`,
    )
    expect([answer.status, answer.headers['content-type'], answer.text]).toEqual([200, 'text/csv', 'rows\n2\n'])
  })

  it('5: SELECT as CSV', async () => {
    const answer = await shop('SELECT * FROM "air"')
    expect([answer.status, answer.text]).toEqual([
      200,
      'time,station,temp,n\n2024-01-01T00:00:00.000000000,s1,1.5,18446744073709551615\n2024-01-01T00:00:01.500000000,s1,,2\n',
    ])
  })

  it('6: SELECT as JSON', async () => {
    const answer = await shop('SELECT * FROM "air"', 'application/json')
    expect([answer.status, answer.headers['content-type'], answer.text]).toEqual([
      200,
      'application/json',
      '[{"n":18446744073709551615,"station":"s1","temp":1.5,"time":"2024-01-01T00:00:00"},{"n":2,"station":"s1","time":"2024-01-01T00:00:01.500"}]',
    ])
  })

  it('7: no rows as JSON', async () => {
    const answer = await shop(`SELECT * FROM "air" WHERE "station" = 'zz'`, 'application/json')
    expect([answer.status, answer.headers['content-type'], answer.text]).toEqual([200, 'application/json', ''])
  })

  it('8: a table that is not there', async () => {
    const answer = await shop('SELECT * FROM "nope"')
    expect([answer.status, answer.headers['content-type'], answer.text]).toEqual([
      422,
      'application/json',
      '{"error_code":"030019","error_message":"Table not found: \\"cnosdb.shop.nope\\""}',
    ])
  })

  it('9: not SQL', async () => {
    const answer = await shop('SELEC 1')
    expect([answer.status, JSON.parse(answer.text).error_code]).toEqual([422, '010009'])
  })

  it('10: no credentials', async () => {
    const answer = await send(`${server.url}/api/v1/sql`, { method: 'POST', body: 'SELECT 1' })
    expect([answer.status, answer.headers['content-type'], answer.text]).toEqual([
      400,
      'application/json',
      '{"error_code":"000000","error_message":"Missing request header \\"authorization\\""}',
    ])
  })

  it('11: COPY INTO a directory', async () => {
    const directory = join(server.directory, 'backup', 'w0')
    const answer = await shop(
      `COPY INTO 'file://${directory}/' FROM (SELECT "time","station","temp","n" FROM "air") FILE_FORMAT=(TYPE='PARQUET')`,
      'application/json',
    )
    expect([answer.status, answer.text]).toEqual([200, '[{"rows":2}]'])
    const files = await readdir(directory)
    expect(files.length).toBeGreaterThan(0)
    for (const file of files) expect(file).toMatch(/^queryId-/)
  })

  it('12: line protocol', async () => {
    const answer = await server.write('air,station=s2 temp=2.5,n=3u 1704067200000', '?db=shop&precision=ms')
    expect([answer.status, answer.text]).toEqual([200, ''])
    const rows = await shop(`SELECT "time","temp","n" FROM "air" WHERE "station" = 's2'`)
    expect(rows.text).toBe('time,temp,n\n2024-01-01T00:00:00.000000000,2.5,3\n')
  })

  it('13: the dump, for administrators only', async () => {
    const url = `${server.url}/api/v1/dump/sql/ddl?tenant=cnosdb`
    expect((await send(url)).status).toBe(400)
    const answer = await send(url, { headers: { authorization: ROOT } })
    expect(answer.status).toBe(200)
    expect(answer.text).toMatch(/^-- Dump Global Object\n/)
    expect(answer.text).toContain(
      '"shop"."air" ("temp" DOUBLE CODEC(GORILLA), "n" BIGINT UNSIGNED, tags ("station"));\n',
    )
    await server.sql(`CREATE USER anna WITH password = 'secret'`)
    await server.sql('ALTER TENANT cnosdb ADD USER anna AS owner')
    const authorization = `Basic ${Buffer.from('anna:secret').toString('base64')}`
    const refused = await send(url, { headers: { authorization } })
    expect([refused.status, JSON.parse(refused.text).error_code]).toEqual([422, '010004'])
  })
})
