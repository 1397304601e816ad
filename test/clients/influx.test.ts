import { InfluxDB as InfluxClient, Point, setLogger, type WriteOptions } from '@influxdata/influxdb-client'
import { FieldType, InfluxDB } from 'influx'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ROOT, type Served, send, serve } from '../http/served.ts'

setLogger({ error: () => {}, warn: () => {} })

let server: Served
beforeAll(async () => {
  server = await serve({ influxWrite: true })
  await server.sql('CREATE DATABASE plant')
})
afterAll(() => server[Symbol.asyncDispose]())

const portOf = ({ url }: Served) => Number(new URL(url).port)
const rowsOf = async (sql: string) => (await server.sql(sql, { db: 'plant' })).text

describe('influx, the client of InfluxDB 1.x', () => {
  const connect = (credentials = { username: 'root', password: 'root' }) =>
    new InfluxDB({ host: '127.0.0.1', port: portOf(server), database: 'plant', ...credentials })

  it('writes points of every type, with names and values that need escapes', async () => {
    await connect().writePoints(
      [
        {
          measurement: 'air',
          tags: { 'the station': 'Zürich, HB=1', plain: 's1' },
          fields: { temp: 21.5, ok: true, note: 'said "hi", \\ twice\nand left' },
          timestamp: 1_700_000_000_000,
        },
        { measurement: 'air', tags: { plain: 's2' }, fields: { temp: -0.25 }, timestamp: 1_700_000_000_001 },
      ],
      { precision: 'ms' },
    )
    expect(await rowsOf('SELECT "time", "the station", plain, temp, ok, note FROM air ORDER BY "time"')).toBe(
      `time,the station,plain,temp,ok,note
2023-11-14T22:13:20.000000000,"Zürich, HB=1",s1,21.5,true,"said ""hi"", \\ twice
and left"
2023-11-14T22:13:20.001000000,,s2,-0.25,,
`,
    )
  })

  it('writes by a schema, with integers, and with a Date', async () => {
    const client = new InfluxDB({
      host: '127.0.0.1',
      port: portOf(server),
      database: 'plant',
      username: 'root',
      password: 'root',
      schema: [{ measurement: 'counter', fields: { n: FieldType.INTEGER }, tags: ['host'] }],
    })
    await client.writeMeasurement('counter', [
      { fields: { n: 42 }, tags: { host: 'a' }, timestamp: new Date('2024-01-01T00:00:00Z') },
    ])
    expect(await rowsOf('SELECT "time", host, n FROM counter')).toBe(
      'time,host,n\n2024-01-01T00:00:00.000000000,a,42\n',
    )
  })

  it('pings', async () => {
    const hosts = await connect().ping(5_000)
    expect(hosts).toHaveLength(1)
  })

  it('is told about a wrong password, a missing database and a value of another type', async () => {
    const point = { measurement: 'counter', fields: { n: 1.5 }, timestamp: 1 }
    await expect(connect({ username: 'root', password: 'no' }).writePoints([point])).rejects.toThrow(/010016/)
    await expect(connect().writePoints([point], { database: 'nope' })).rejects.toThrow(/030017/)
    await expect(connect().writePoints([point])).rejects.toThrow(/020004.*'n'/)
  })
})

describe('@influxdata/influxdb-client, pointed at another path', () => {
  const connect = (path: string, options: Partial<WriteOptions> = {}) => {
    const client = new InfluxClient({ url: server.url, headers: { Authorization: ROOT } })
    const writer = client.getWriteApi('', '', 'ns', { maxRetries: 0, defaultTags: { site: 'north' }, ...options })
    writer.path = path
    return writer
  }
  const point = () =>
    new Point('engine')
      .tag('unit', 'kilo watt')
      .floatField('power', 1e-7)
      .intField('turns', Number.MIN_SAFE_INTEGER)
      .uintField('total', '18446744073709551615')
      .booleanField('on', false)
      .stringField('state', 'a\\b "c"')
      .timestamp('1700000000123456789')

  it('writes to /write', async () => {
    const writer = connect('/write?db=plant&precision=ns')
    writer.writePoint(point())
    await writer.close()
    expect(await rowsOf('SELECT "time", site, unit, power, turns, total, "on", state FROM engine')).toBe(
      `time,site,unit,power,turns,total,on,state
2023-11-14T22:13:20.123456789,north,kilo watt,1.0e-7,-9007199254740991,18446744073709551615,false,"a\\b ""c"""
`,
    )
  })

  it('writes 5000 gzipped points in batches', async () => {
    const sendAll = new Promise<void>((resolve, reject) => {
      let written = 0
      const writer = connect('/write?db=plant&precision=ms', {
        batchSize: 1_000,
        gzipThreshold: 1,
        writeFailed: async (error) => reject(error),
        writeSuccess: (lines) => {
          written += lines.length
          if (written === 5_000) resolve()
        },
      })
      for (let i = 0; i < 5_000; i += 1)
        writer.writePoint(
          new Point('many')
            .tag('k', `${i % 7}`)
            .intField('n', i)
            .timestamp(i),
        )
      writer.close().catch(reject)
    })
    await sendAll
    expect(await rowsOf('SELECT count(*) AS rows, sum(n) AS total FROM many')).toBe('rows,total\n5000,12497500\n')
  })

  /** CnosDB answers 200 where InfluxDB answers 204, and this client knows 204 only: the rows are there all the same. */
  it('has its rows stored by /api/v1/write, whose 200 it does not take', async () => {
    const writer = connect('/api/v1/write?db=plant&precision=ns')
    writer.writePoint(new Point('native').floatField('v', 1).timestamp('1'))
    await expect(writer.close()).rejects.toThrow(/204 HTTP response status code expected, but 200 returned/)
    expect(await rowsOf('SELECT v FROM native')).toBe('v\n1.0\n')
  })

  it('is told why a write was refused', async () => {
    const writer = connect('/write?db=plant&precision=ns')
    writer.writeRecord('no fields here')
    await expect(writer.close()).rejects.toMatchObject({ statusCode: 422, body: expect.stringContaining('040004') })
  })
})

it('/write answers 404 unless it was asked for', async () => {
  await using plain = await serve()
  const answer = await send(`${plain.url}/write?db=public`, {
    method: 'POST',
    headers: { authorization: ROOT },
    body: 'm v=1',
  })
  expect([answer.status, answer.text]).toEqual([404, ''])
})
