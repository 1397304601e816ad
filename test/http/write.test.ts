import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Answer, ROOT, type Served, send, serve } from './served.ts'

let server: Served
beforeAll(async () => {
  server = await serve({ influxWrite: true })
})
afterAll(() => server[Symbol.asyncDispose]())

const problem = (answer: Answer) => {
  const { error_code, error_message } = JSON.parse(answer.text) as { error_code: string; error_message: string }
  return { status: answer.status, code: error_code, message: error_message }
}
const csv = async (sql: string, db = 'public') => (await server.sql(sql, { db })).text

describe('POST /api/v1/write', () => {
  it('makes tables and columns as needed, and merges by field', async () => {
    expect((await server.write('air,station=a temp=1.5 1\nair,station=a n=3i 1\n')).status).toBe(200)
    expect((await server.write('air,station=a,city=x temp=2,ok=t,note="hi" 2')).status).toBe(200)
    expect(await csv('SELECT * FROM air ORDER BY time')).toBe(
      [
        'time,station,temp,n,city,ok,note',
        '1970-01-01T00:00:00.000000001,a,1.5,3,,,',
        '1970-01-01T00:00:00.000000002,a,2.0,,x,true,hi',
        '',
      ].join('\n'),
    )
    expect((await server.write('air,station=a temp=9,temp=8 1')).status).toBe(200)
    expect(await csv('SELECT temp, n FROM air ORDER BY time LIMIT 1')).toBe('temp,n\n9.0,3\n')
  })

  it('keeps an absent tag apart from an empty one', async () => {
    await server.write('tags,t= f=1 1\ntags f=2 1\ntags,t=x f=3 1')
    expect(await csv('SELECT count(*) AS n, count(t) AS tagged FROM tags')).toBe('n,tagged\n3,2\n')
  })

  it('converts times to the precision of the database', async () => {
    await server.sql(`CREATE DATABASE millis WITH PRECISION 'ms'`)
    expect((await server.write('m f=1 1700000000123999999', '?db=millis')).status).toBe(200)
    expect((await server.write('m f=2 1700000001123', '?db=millis&precision=MS')).status).toBe(200)
    expect((await server.write('m f=3 1700000002123456', '?db=millis&precision=us')).status).toBe(200)
    expect(await csv('SELECT time, f FROM m ORDER BY time', 'millis')).toBe(
      [
        'time,f',
        '2023-11-14T22:13:20.123000000,1.0',
        '2023-11-14T22:13:21.123000000,2.0',
        '2023-11-14T22:13:22.123000000,3.0',
        '',
      ].join('\n'),
    )
  })

  it('gives lines without a time the time of the server, in every precision', async () => {
    for (const precision of ['ns', 'us', 'ms']) {
      const before = Date.now()
      await server.write(`now_${precision} f=1`, `?precision=${precision}`)
      const text = (await csv(`SELECT time FROM now_${precision}`)).split('\n')[1] as string
      expect(Math.abs(Date.parse(`${text.slice(0, 23)}Z`) - before)).toBeLessThan(10_000)
    }
  })

  it('is all or nothing, and tells the line', async () => {
    const refused = [
      [await server.write('whole f=1 1\nwhole f= 2'), '040004', 'line 2'],
      [await server.write('whole f=1 1\nwhole f="x" 2'), '020004', 'line 2'],
      [await server.write('fresh f=1 1\nair temp="text" 1'), '020004', 'line 2'],
      [await server.write('fresh f=1 1\nair station=1 1'), '020004', "Column 'station'"],
      [await server.write('fresh f=1 9223372036854775807'), '050014', 'line 1'],
      [await server.write('fresh f=1 9223372036855', '?precision=ms'), '050014', 'line 1'],
      [await server.write('fresh f=1,F=2 1'), '010005', 'differ only in case'],
      [await server.write('fresh f=1 1', '?db=ghost'), '030017', 'Database not found: "ghost"'],
      [await server.write('fresh f=1 1', '?precision=s'), '040005', "precision 's'"],
    ] as const
    for (const [answer, code, part] of refused) {
      expect(problem(answer)).toMatchObject({ code })
      expect(problem(answer).message).toContain(part)
    }
    const tables = await csv('SHOW TABLES')
    expect(tables).not.toContain('whole')
    expect(tables).not.toContain('fresh')
  })

  it('makes nothing where strict_write is on', async () => {
    await server.sql(`CREATE DATABASE strict WITH STRICT_WRITE 'true'`)
    await server.sql('CREATE TABLE m (f DOUBLE, TAGS(t))', { db: 'strict' })
    expect((await server.write('m,t=a f=1 1', '?db=strict')).status).toBe(200)
    expect(problem(await server.write('m,t=a f=1,g=2 1', '?db=strict')).message).toContain("Column 'g'")
    expect(problem(await server.write('m,u=a f=1 1', '?db=strict')).code).toBe('010029')
    expect(problem(await server.write('n f=1 1', '?db=strict')).code).toBe('030019')
  })

  it('refuses rows older than the TTL', async () => {
    await server.sql(`CREATE DATABASE short WITH TTL '1d'`)
    const answer = problem(await server.write('m f=1\nm f=2 1', '?db=short'))
    expect(answer).toMatchObject({ code: '030034', status: 422 })
    expect(await csv('SHOW TABLES', 'short')).toBe('table_name\n')
    expect((await server.write('m f=1', '?db=short')).status).toBe(200)
  })

  it('puts WKT into geometry columns, and refuses what is none', async () => {
    await server.sql('CREATE TABLE places (place GEOMETRY(POINT, 0))')
    expect((await server.write('places place="POINT(1 2)" 1')).status).toBe(200)
    expect(problem(await server.write('places place="nowhere" 2')).code).toBe('010073')
    expect(await csv('SELECT place FROM places')).toBe('place\nPOINT(1 2)\n')
  })

  it('needs WRITE on the database', async () => {
    await server.sql(`CREATE USER reader WITH password = 'secret'`)
    await server.sql('ALTER TENANT cnosdb ADD USER reader AS member')
    const authorization = `Basic ${Buffer.from('reader:secret').toString('base64')}`
    const answer = await send(`${server.url}/api/v1/write`, {
      method: 'POST',
      headers: { authorization },
      body: 'm f=1',
    })
    expect(problem(answer)).toMatchObject({ status: 422, code: '010004' })
  })

  it('unpacks bodies, and takes none at all', async () => {
    const post = (body: string | Uint8Array, headers: Record<string, string> = {}) =>
      send(`${server.url}/api/v1/write`, { method: 'POST', headers: { authorization: ROOT, ...headers }, body })
    expect((await post(gzipSync('packed f=1 1'), { 'content-encoding': 'gzip' })).status).toBe(200)
    expect(await csv('SELECT f FROM packed')).toBe('f\n1.0\n')
    expect((await post('')).status).toBe(200)
    expect((await post('# nothing\n\n')).status).toBe(200)
  })

  it('takes many rows of many series at once', async () => {
    const lines = Array.from(
      { length: 50_000 },
      (_, i) => `many,host=h${i % 500},dc=d${i % 7} a=${i},b=${i}i,c="${i}" ${i}`,
    )
    expect((await server.write(lines.join('\n'))).status).toBe(200)
    expect((await server.write(lines.join('\n'))).status).toBe(200)
    expect(
      await csv('SELECT count(*) AS n, sum(a) AS a, sum(b) AS b, count(DISTINCT host) AS hosts, max(c) AS c FROM many'),
    ).toBe(`n,a,b,hosts,c\n50000,1.249975e9,1249975000,500,9999\n`.replace('1.249975e9', '1249975000.0'))
  })

  it('lets writers of one table work side by side', async () => {
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, i) => server.write(`side,t=w${i} f${i}=${i},same=1 ${i}\nside,t=w${i} same=2 99`)),
    )
    expect(answers.map((answer) => answer.text)).toEqual(Array(12).fill(''))
    expect(await csv('SELECT count(*) AS n, sum(same) AS s FROM side')).toBe('n,s\n24,36.0\n')
  })
})

describe('POST /write', () => {
  const post = (query: string, headers: Record<string, string> = {}) =>
    send(`${server.url}/write${query}`, { method: 'POST', headers, body: 'influx f=1 1700000000000000000' })

  it('takes Basic, or u and p, and answers 204', async () => {
    expect((await post('?db=public', { authorization: ROOT })).status).toBe(204)
    expect((await post('?db=public&u=root&p=root&precision=n')).status).toBe(204)
    expect(await csv('SELECT * FROM influx')).toBe('time,f\n2023-11-14T22:13:20.000000000,1.0\n')
  })

  it('lets nobody in without', async () => {
    expect(problem(await post('?db=public'))).toMatchObject({ status: 400, code: '000000' })
    expect(problem(await post('?db=public&u=root&p=wrong'))).toMatchObject({ status: 422, code: '010016' })
    expect(problem(await post('?db=public&u=root&p=root&precision=s')).code).toBe('040005')
  })
})
