import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Answer, ROOT, type Served, send, serve } from './served.ts'

let server: Served
beforeAll(async () => {
  server = await serve()
})
afterAll(() => server[Symbol.asyncDispose]())

const codeOf = (answer: Answer) => [answer.status, JSON.parse(answer.text).error_code]
const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`
const sqlUrl = () => `${server.url}/api/v1/sql`

/** The statements that run now, but this one. */
async function running(): Promise<string[]> {
  const { text } = await server.sql('SHOW QUERIES', { accept: 'application/json' })
  const queries = JSON.parse(text || '[]') as { query_text: string }[]
  return queries.map((query) => query.query_text).filter((query) => query !== 'SHOW QUERIES')
}

async function eventually(check: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    if (await check()) return
    await delay(50)
  }
  throw new Error('it never happened')
}

describe('routes', () => {
  it.each([
    ['GET', '/', 404],
    ['GET', '/api/v1/nothing', 404],
    ['POST', '/write', 404],
    ['POST', '/api/v1/opentsdb/write', 404],
    ['POST', '/api/v1/prom/write', 404],
    ['GET', '/api/v1/sql', 405],
    ['POST', '/api/v1/ping', 405],
    ['DELETE', '/api/v1/write', 405],
  ])('%s %s is %d with an empty body', async (method, path, status) => {
    const answer = await send(server.url + path, { method })
    expect([answer.status, answer.text]).toEqual([status, ''])
  })

  it('answers metrics', async () => {
    await server.sql('SELEC')
    const { status, headers, text } = await send(`${server.url}/metrics`)
    expect([status, headers['content-type']]).toEqual([200, 'text/plain; version=0.0.4'])
    expect(text).toMatch(/^cnosdb_errors_total\{code="010009"\} \d+$/m)
    expect(text).toMatch(/^cnosdb_http_requests_total\{path="\/api\/v1\/sql",status="422"\} \d+$/m)
    expect(text).toMatch(/^process_resident_memory_bytes \d+$/m)
    for (const name of ['memory', 'spool', 'spill']) {
      expect(text).toMatch(new RegExp(`^cnosdb_${name}_bytes \\d+$`, 'm'))
      expect(text).toMatch(new RegExp(`^cnosdb_${name}_budget_bytes [1-9]\\d*$`, 'm'))
    }
  })

  it('counts what COPY moved, by direction and format', async () => {
    await server.sql('CREATE TABLE counted (v DOUBLE)')
    await server.sql('INSERT INTO counted (time, v) VALUES (1, 1), (2, 2), (3, 3)')
    const directory = join(server.directory, 'counted')
    const format = "FILE_FORMAT = (TYPE = 'CSV')"
    expect((await server.sql(`COPY INTO 'file://${directory}/' FROM counted ${format}`)).text).toBe('rows\n3\n')
    expect((await server.sql(`COPY INTO counted FROM 'file://${directory}/' ${format}`)).text).toBe('rows\n3\n')
    const { text } = await send(`${server.url}/metrics`)
    for (const direction of ['load', 'unload']) {
      expect(text).toContain(`cnosdb_copy_rows_total{direction="${direction}",format="CSV"} 3\n`)
      expect(text).toContain(`cnosdb_copy_files_total{direction="${direction}",format="CSV"} 1\n`)
      expect(text).toMatch(new RegExp(`^cnosdb_copy_bytes_total\\{direction="${direction}",format="CSV"\\} [1-9]`, 'm'))
    }
  })
})

describe('credentials', () => {
  it.each(['Bearer abc', 'basic cm9vdDpyb290', 'Basic  cm9vdDpyb290', 'Basic !!!', basic('root'), 'Basic /w=='])(
    '%s is malformed, and not repeated',
    async (authorization) => {
      const answer = await send(sqlUrl(), { method: 'POST', headers: { authorization }, body: 'SELECT 1' })
      expect(codeOf(answer)).toEqual([400, '040006'])
      expect(answer.text).not.toContain(authorization.split(' ').at(-1))
    },
  )

  it('keeps what follows the first colon as the password', async () => {
    await server.sql(`CREATE USER colon WITH password = 'a:b:'`)
    await server.sql('ALTER TENANT cnosdb ADD USER colon AS member')
    expect((await server.sql('SELECT 1 AS a', { authorization: basic('colon:a:b:') })).status).toBe(200)
  })

  it('refuses a wrong password, an unknown user and an unknown tenant', async () => {
    const message = (user: string) =>
      `Auth error: Access denied for user '${user}' (using xxx) username or password invalid`
    const wrong = await server.sql('SELECT 1', { authorization: basic('root:wrong') })
    expect(codeOf(wrong)).toEqual([422, '010016'])
    expect(JSON.parse(wrong.text).error_message).toContain(message('root'))
    const unknown = await server.sql('SELECT 1', { authorization: basic('nobody:root') })
    expect(codeOf(unknown)).toEqual([422, '010016'])
    expect(JSON.parse(unknown.text).error_message).toContain(message('nobody'))
    expect(codeOf(await server.sql('SELECT 1', { tenant: 'nowhere' }))).toEqual([422, '010016'])
  })

  it('slows guessing down, and forgives with a right password', async () => {
    await server.sql(`CREATE USER victim WITH password = 'right'`)
    await server.sql('ALTER TENANT cnosdb ADD USER victim AS member')
    const guess = () => server.sql('SELECT 1', { authorization: basic('victim:wrong') })
    for (let i = 0; i < 3; i += 1) expect(codeOf(await guess())).toEqual([422, '010016'])
    const codes = (await Promise.all(Array.from({ length: 6 }, guess))).map((answer) => codeOf(answer)[1])
    expect([...new Set(codes)].toSorted()).toEqual(['010016', '030024'])
    expect((await server.sql('SELECT 1 AS a', { authorization: basic('victim:right') })).status).toBe(200)
  })
})

describe('parameters', () => {
  it('chunked is true or false', async () => {
    expect((await server.sql('SELECT 1 AS a', { query: '&chunked=true' })).text).toBe('a\n1\n')
    expect((await server.sql('SELECT 1 AS a', { query: '&chunked=false' })).text).toBe('a\n1\n')
    const bad = await server.sql('SELECT 1 AS a', { query: '&chunked=yes' })
    expect([bad.status, bad.text]).toEqual([500, ''])
  })

  it('stream_trigger_interval is once or a duration; unknown parameters are ignored', async () => {
    for (const query of ['&stream_trigger_interval=once', '&stream_trigger_interval=10s', '&pretty=1'])
      expect((await server.sql('SELECT 1 AS a', { query })).status).toBe(200)
    expect(codeOf(await server.sql('SELECT 1', { query: '&stream_trigger_interval=x' }))).toEqual([400, '040005'])
  })

  it('a database need not exist until a table is named', async () => {
    expect((await server.sql('SELECT 1 AS a', { db: 'ghost' })).status).toBe(200)
    expect(codeOf(await server.sql('SELECT * FROM t', { db: 'ghost' }))).toEqual([422, '030019'])
  })

  it('several statements are refused', async () => {
    expect(codeOf(await server.sql('SELECT 1; SELECT 2'))).toEqual([422, '010013'])
  })
})

describe('bodies', () => {
  const post = (body: string | Uint8Array, headers: Record<string, string> = {}, chunked = false) =>
    send(sqlUrl(), { method: 'POST', headers: { authorization: ROOT, ...headers }, body, chunked })

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateRawSync],
    ['br', brotliCompressSync],
    ['identity', (text: string) => Buffer.from(text)],
  ])('packed as %s', async (name, pack) => {
    const answer = await post(pack('SELECT 1 AS a'), { 'content-encoding': name })
    expect(answer.text).toBe('a\n1\n')
  })

  it('that do not unpack, or say how in a way nobody knows', async () => {
    expect(codeOf(await post('SELECT 1', { 'content-encoding': 'gzip' }))).toEqual([400, '040013'])
    expect(codeOf(await post('SELECT 1', { 'content-encoding': 'br' }))).toEqual([400, '040013'])
    expect(codeOf(await post(deflateSync('SELECT 1'), { 'content-encoding': 'deflate' }))).toEqual([400, '040013'])
    expect(codeOf(await post(gzipSync('SELECT 1').subarray(0, 15), { 'content-encoding': 'gzip' }))).toEqual([
      400,
      '040013',
    ])
    for (const name of ['snappy', 'lz4', 'compress', 'GZIP'])
      expect(codeOf(await post('SELECT 1', { 'content-encoding': name }))).toEqual([400, '040005'])
  })

  it('without Content-Length', async () => {
    expect((await post('SELECT 1 AS a', {}, true)).text).toBe('a\n1\n')
  })

  it('that are not UTF-8: lossily for SQL, refused for line protocol', async () => {
    const sql = Buffer.concat([Buffer.from("SELECT '"), Buffer.from([0xff]), Buffer.from("' AS a")])
    expect((await post(sql)).text).toBe('a\n\ufffd\n')
    const lines = Buffer.concat([Buffer.from('m f="'), Buffer.from([0xff]), Buffer.from('"')])
    const url = `${server.url}/api/v1/write`
    const answer = await send(url, { method: 'POST', headers: { authorization: ROOT }, body: lines })
    expect(codeOf(answer)).toEqual([422, '040015'])
  })

  it('of 16 MiB are SQL, of more are 413', async () => {
    const pad = (bytes: number) => `SELECT 1 AS a${' '.repeat(bytes - 13)}`
    expect((await post(pad(16 * 1024 * 1024))).text).toBe('a\n1\n')
    for (const chunked of [false, true]) {
      const answer = await post(pad(16 * 1024 * 1024 + 1), {}, chunked)
      expect([answer.status, answer.text]).toEqual([413, ''])
    }
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024))
    expect(codeOf(await post(bomb, { 'content-encoding': 'gzip' }))).toEqual([400, '040013'])
  })

  it('of more than 160 MiB are no line protocol, which the header tells already', async () => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
    socket.write(
      `POST /api/v1/write HTTP/1.1\r\nHost: x\r\nAuthorization: ${ROOT}\r\nContent-Length: ${160 * 1024 * 1024 + 1}\r\n\r\nm f=1`,
    )
    const [chunk] = (await once(socket, 'data')) as [Buffer]
    socket.destroy()
    expect(chunk.toString()).toMatch(/^HTTP\/1\.1 413 /)
  })

  it('are asked for with 100 Continue, or refused before they are sent', async () => {
    const ask = async (length: number) => {
      const headers = { authorization: ROOT, expect: '100-continue', 'content-length': String(length) }
      const outgoing = request(sqlUrl(), { method: 'POST', headers })
      outgoing.on('error', () => {})
      outgoing.flushHeaders()
      const first = await Promise.race([
        once(outgoing, 'continue').then(() => 'continue'),
        once(outgoing, 'response').then(([response]) => response.statusCode),
      ])
      outgoing.destroy()
      return first
    }
    expect(await ask(8)).toBe('continue')
    expect(await ask(17 * 1024 * 1024)).toBe(413)
  })
})

describe('broken streams', () => {
  const FAILS_LATE = `SELECT CASE WHEN a = 900000 THEN CAST('x' || a AS BIGINT) ELSE a END AS a FROM range(1000000) AS t(a)`
  const FAILS_EARLY = `SELECT CASE WHEN a = 100 THEN CAST('x' || a AS BIGINT) ELSE a END AS a FROM range(1000000) AS t(a)`

  it('an early failure is a clean error', async () => {
    expect(codeOf(await server.sql(FAILS_EARLY))[0]).toBe(422)
  })

  it.each(['text/csv', 'application/json', 'application/nd-json'])(
    'a late one resets the connection: %s',
    async (accept) => {
      const howItEnds = (options: object) =>
        server.sql(FAILS_LATE, { accept, ...options }).then(
          ({ status, body }) => `${status}, ${body.length} bytes`,
          (error: Error) => error.message,
        )
      const isBroken = /ECONNRESET|aborted|hang up/
      expect(await howItEnds({})).toMatch(isBroken)
      expect(await howItEnds({ query: '&chunked=true' })).toMatch(isBroken)
      expect(await howItEnds({ headers: { 'accept-encoding': 'gzip' } })).toMatch(isBroken)
      expect(server.log.filter((entry) => entry.level === 'warn').at(-1)?.text).toContain('broke off')
    },
  )

  it('KILL QUERY resets the connection of a statement that answers already', async () => {
    const outgoing = request(sqlUrl(), { method: 'POST', headers: { authorization: ROOT } })
    // Node 24 tells the reset to the request as well as to the response.
    outgoing.on('error', () => {})
    outgoing.end(`SELECT repeat('x', 1000) AS s FROM range(20000000) AS t(a)`)
    const [incoming] = await once(outgoing, 'response')
    await once(incoming, 'readable')
    const failed = once(incoming, 'error')
    const { text } = await server.sql('SHOW QUERIES', { accept: 'application/json' })
    const [query] = (JSON.parse(text) as { query_id: string; query_text: string }[]).filter((q) =>
      q.query_text.includes('repeat'),
    )
    expect((await server.sql(`KILL QUERY ${query?.query_id}`)).status).toBe(200)
    incoming.resume()
    const [error] = await failed
    expect((error as Error).message).toMatch(/ECONNRESET|aborted/)
  })

  it('a client that goes away ends its statement', async () => {
    const slow = 'SELECT count(*) AS n FROM range(300000) AS a(x), range(300000) AS b(y) WHERE x * y % 7 = 3'
    const outgoing = request(sqlUrl(), { method: 'POST', headers: { authorization: ROOT } })
    outgoing.on('error', () => {})
    outgoing.end(slow)
    await eventually(async () => (await running()).length === 1)
    outgoing.destroy()
    await eventually(async () => (await running()).length === 0)
  })

  it('a client that reads slowly holds the rows back, not in memory', async () => {
    const outgoing = request(sqlUrl(), { method: 'POST', headers: { authorization: ROOT } })
    outgoing.end(`SELECT repeat('x', 1000) AS s FROM range(2000000) AS t(a)`)
    const [incoming] = await once(outgoing, 'response')
    await once(incoming, 'readable')
    await delay(500)
    expect(process.memoryUsage().rss).toBeLessThan(1024 * 1024 * 1024)
    expect(await running()).toHaveLength(1)
    outgoing.destroy()
    await eventually(async () => (await running()).length === 0)
  })

  it('a large answer arrives whole', async () => {
    const { text } = await server.sql('SELECT a FROM range(1000000) AS t(a) ORDER BY a', { accept: 'application/json' })
    const rows = JSON.parse(text) as { a: number }[]
    expect([rows.length, rows[0]?.a, rows.at(-1)?.a]).toEqual([1_000_000, 0, 999_999])
  })
})

describe('malformed HTTP', () => {
  const raw = async (text: string): Promise<string> => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
    socket.on('error', () => {})
    socket.write(text)
    let answer = ''
    socket.on('data', (chunk) => {
      answer += chunk
    })
    await once(socket, 'close')
    return answer
  }

  it('is answered 400, and large headers 431', async () => {
    expect(await raw('NONSENSE\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /)
    expect(await raw(`GET / HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(70_000)}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 431 /)
  })

  it('leaves the server alive', async () => {
    expect((await send(`${server.url}/api/v1/ping`)).status).toBe(200)
  })
})

it('logs no secret and no query string', async () => {
  await server.sql(`CREATE USER hidden WITH password = 'canary-1'`, { query: '&note=canary-2' })
  await server.sql('SELECT 1', { authorization: basic('root:canary-3') })
  const text = server.log.map((entry) => entry.text).join('\n')
  expect(text).toContain('/api/v1/sql')
  expect(text).not.toContain('canary')
})
