import { mkdtemp, rm } from 'node:fs/promises'
import { type IncomingHttpHeaders, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../src/async/clock.ts'
import { type Database, openDatabase } from '../../src/database.ts'
import { type ServerOptions, startServer } from '../../src/server/http-server.ts'

export const ROOT = `Basic ${Buffer.from('root:root').toString('base64')}`

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  readonly text: string
}

export interface SendOptions {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** Sends the body in chunks, without Content-Length. */
  readonly chunked?: boolean
}

/** One exchange, with exactly the headers given. Rejects when the connection breaks before the answer is complete. */
export function send(url: string, { method = 'GET', headers = {}, body, chunked = false }: SendOptions = {}) {
  return new Promise<Answer>((resolve, reject) => {
    const length = body === undefined || chunked ? {} : { 'content-length': String(Buffer.byteLength(body)) }
    const outgoing = request(url, { method, headers: { ...headers, ...length }, agent: false }, (incoming) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('error', reject)
      incoming.on('end', () => {
        const bytes = Buffer.concat(chunks)
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: bytes, text: bytes.toString() })
      })
    })
    outgoing.on('error', reject)
    if (chunked) outgoing.flushHeaders()
    outgoing.end(body)
  })
}

interface SqlOptions {
  readonly db?: string
  readonly tenant?: string
  readonly accept?: string
  readonly query?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly authorization?: string
}

export interface Served extends AsyncDisposable {
  readonly database: Database
  readonly url: string
  readonly directory: string
  /** What the server logged. */
  readonly log: readonly { readonly level: string; readonly text: string }[]
  sql(text: string, options?: SqlOptions): Promise<Answer>
  write(lines: string, query?: string): Promise<Answer>
}

/** A server on a database of its own, on a free port of this machine. */
export async function serve(options: Partial<ServerOptions> = {}): Promise<Served> {
  const directory = await mkdtemp(join(tmpdir(), 'cnosdb-http-'))
  const database = await openDatabase({
    dataDir: join(directory, 'data'),
    memoryBytes: 512 * 1024 * 1024,
    spoolBytes: 1024 * 1024 * 1024,
    copyRoots: [],
    allowEndpoints: [],
    ambientCredentials: false,
    env: {},
    clock: systemClock,
    warn: () => {},
  })
  const log: { level: string; text: string }[] = []
  const keep = (level: string) => (fields: Readonly<Record<string, unknown>>, message: string) => {
    log.push({ level, text: `${message} ${JSON.stringify(fields, (_, v) => (v instanceof Error ? String(v) : v))}` })
  }
  const server = await startServer(database, {
    host: '127.0.0.1',
    port: 0,
    clock: systemClock,
    log: { debug: keep('debug'), info: keep('info'), warn: keep('warn'), error: keep('error') },
    ...options,
  })
  return {
    database,
    directory,
    log,
    url: server.url,
    sql: (text, { db = 'public', tenant = 'cnosdb', accept, query = '', headers = {}, authorization = ROOT } = {}) =>
      send(`${server.url}/api/v1/sql?tenant=${encodeURIComponent(tenant)}&db=${encodeURIComponent(db)}${query}`, {
        method: 'POST',
        headers: { authorization, ...(accept === undefined ? {} : { accept }), ...headers },
        body: text,
      }),
    write: (lines, query = '') =>
      send(`${server.url}/api/v1/write${query}`, { method: 'POST', headers: { authorization: ROOT }, body: lines }),
    async [Symbol.asyncDispose]() {
      await server.close({ graceMs: 0 })
      await database.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}
