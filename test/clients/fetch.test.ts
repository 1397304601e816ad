import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { Agent, request, fetch as undiciFetch } from 'undici'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ROOT, type Served, serve } from '../http/served.ts'

let server: Served
beforeAll(async () => {
  server = await serve()
  await server.sql('CREATE TABLE air (temp DOUBLE, n BIGINT UNSIGNED, TAGS (station))')
  await server.sql(`INSERT INTO air (time, station, temp, n) VALUES (1, 'é', 1.5, 18446744073709551615)`)
})
afterAll(() => server[Symbol.asyncDispose]())

const authorization = ROOT
const urlOf = (path: string) => `${server.url}${path}`

/** Both send `accept: *\/*`, `accept-encoding: gzip, deflate` (or br) and their own user-agent without being told. */
const clients = [
  ['the built-in fetch', globalThis.fetch],
  ['undici.fetch', undiciFetch as unknown as typeof globalThis.fetch],
] as const

describe.each(clients)('%s with its default headers', (_, fetch) => {
  const sql = (body: string, headers: Record<string, string> = { authorization }) =>
    fetch(urlOf('/api/v1/sql'), { method: 'POST', headers, body })

  it('gets CSV, packed and unpacked again', async () => {
    const answer = await sql('SELECT station, temp, n FROM air')
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/csv'])
    expect(answer.headers.get('content-encoding')).toBe('gzip')
    expect(await answer.text()).toBe('station,temp,n\né,1.5,18446744073709551615\n')
  })

  it('gets an empty answer to DDL', async () => {
    const answer = await sql('CREATE TABLE IF NOT EXISTS other (v DOUBLE)')
    expect([answer.status, await answer.text()]).toEqual([200, ''])
  })

  it('reads errors as JSON, whatever it would accept', async () => {
    const noTable = await sql('SELECT * FROM nope')
    expect([noTable.status, noTable.headers.get('content-type'), noTable.headers.get('content-encoding')]).toEqual([
      422,
      'application/json',
      null,
    ])
    expect(await noTable.json()).toMatchObject({ error_code: '030019' })
    const noHeader = await sql('SELECT 1', {})
    expect([noHeader.status, await noHeader.json()]).toEqual([
      400,
      { error_code: '000000', error_message: 'Missing request header "authorization"' },
    ])
    const wrong = await sql('SELECT 1', { authorization: `Basic ${btoa('root:wrong')}` })
    expect([wrong.status, await wrong.json()]).toMatchObject([422, { error_code: '010016' }])
    const bearer = await sql('SELECT 1', { authorization: 'Bearer secret-token' })
    expect(bearer.status).toBe(400)
    expect(await bearer.text()).not.toContain('secret-token')
  })

  it.each([
    'application/json, text/plain, */*',
    'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
    'text/csv;q=1',
    'application/x-ndjson',
  ])('is told about Accept: %s', async (accept) => {
    const answer = await sql('SELECT 1 AS one', { authorization, accept })
    expect([answer.status, await answer.json()]).toMatchObject([400, { error_code: '040005' }])
  })

  it('is told about encodings nobody offers', async () => {
    const answer = await sql('SELECT 1 AS one', { authorization, 'content-encoding': 'compress' })
    expect([answer.status, await answer.json()]).toMatchObject([400, { error_code: '040005' }])
    const broken = await sql('SELECT 1 AS one', { authorization, 'content-encoding': 'gzip' })
    expect([broken.status, await broken.json()]).toMatchObject([400, { error_code: '040013' }])
  })

  it('writes line protocol, plain and packed', async () => {
    const lines = (n: number) => `fetched,k=${n} v=${n} 1`
    const plain = await fetch(urlOf('/api/v1/write'), { method: 'POST', headers: { authorization }, body: lines(1) })
    expect([plain.status, await plain.text()]).toEqual([200, ''])
    const packed = await fetch(urlOf('/api/v1/write'), {
      method: 'POST',
      headers: { authorization, 'content-encoding': 'gzip' },
      body: gzipSync(lines(2)),
    })
    expect([packed.status, await packed.text()]).toEqual([200, ''])
    expect(await (await sql('SELECT k, v FROM fetched ORDER BY k')).text()).toBe('k,v\n1,1.0\n2,2.0\n')
  })

  it('gets 404, 405 and 413 without a body', async () => {
    const unknown = await fetch(urlOf('/api/v1/prom/write'), { method: 'POST', headers: { authorization }, body: 'x' })
    expect([unknown.status, await unknown.text()]).toEqual([404, ''])
    const method = await fetch(urlOf('/api/v1/sql'), { headers: { authorization } })
    expect([method.status, await method.text()]).toEqual([405, ''])
    const large = await sql('x'.repeat(16 * 1024 * 1024 + 1))
    expect([large.status, await large.text()]).toEqual([413, ''])
  })

  it('can stop reading', async () => {
    const abort = new AbortController()
    const answer = await fetch(urlOf('/api/v1/sql?chunked=true'), {
      method: 'POST',
      headers: { authorization },
      body: 'SELECT range AS n FROM range(100000000)',
      signal: abort.signal,
    })
    if (answer.status === 200) {
      const reader = (answer.body as ReadableStream<Uint8Array>).getReader()
      expect((await reader.read()).done).toBe(false)
    }
    abort.abort()
    const next = await sql('SELECT 1 AS one')
    expect(await next.text()).toBe('one\n1\n')
  })
})

describe('undici.request', () => {
  it('sends no Accept-Encoding, and gets plain text', async () => {
    const answer = await request(urlOf('/api/v1/sql'), {
      method: 'POST',
      headers: { authorization },
      body: 'SELECT 1 AS one',
    })
    expect([answer.statusCode, answer.headers['content-encoding']]).toEqual([200, undefined])
    expect(await answer.body.text()).toBe('one\n1\n')
  })

  it('reuses one connection for many statements, errors among them', async () => {
    const agent = new Agent({ connections: 1, pipelining: 1 })
    try {
      const statements = Array.from({ length: 40 }, (_, i) => (i % 4 === 3 ? 'SELEC' : `SELECT ${i} AS n`))
      const answers = await Promise.all(
        statements.map(async (body) => {
          const options = { method: 'POST', headers: { authorization }, body, dispatcher: agent } as const
          const answer = await request(urlOf('/api/v1/sql'), options)
          return `${answer.statusCode} ${(await answer.body.text()).slice(0, 6)}`
        }),
      )
      for (const [i, answer] of answers.entries())
        expect(answer).toMatch(i % 4 === 3 ? /^422 / : new RegExp(`^200 n\n${i}\n`))
    } finally {
      await agent.close()
    }
  })

  it('sends a body of unknown length in chunks', async () => {
    const body = (async function* () {
      yield Buffer.from('SELECT 1 ')
      yield Buffer.from('AS one')
    })()
    const answer = await request(urlOf('/api/v1/sql'), {
      method: 'POST',
      headers: { authorization },
      body: Readable.from(body),
    })
    expect([answer.statusCode, await answer.body.text()]).toEqual([200, 'one\n1\n'])
  })
})
