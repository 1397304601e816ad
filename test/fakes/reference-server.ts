import { readdirSync, renameSync } from 'node:fs'
import { createServer, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface ReferenceServer {
  readonly address: string
  /** Statements that were refused because 2.4.3 refuses them, though we would not. */
  readonly refusals: readonly string[]
  close(): Promise<void>
}

export interface ReferenceServerOptions {
  /** False: no `file://` directory is on the disk of this node. */
  readonly seesPlaces?: boolean
}

interface Refusal {
  readonly when: RegExp
  readonly code: string
  readonly message: string
}

/** What CnosDB 2.4.3 answers where cnosdb-lite is more generous. */
const REFUSALS: readonly Refusal[] = [
  {
    when: /TYPE\s*=?\s*'(PARQUET|JSON)'[^)]*\b(DELIMITER|WITH_HEADER)\b/i,
    code: '010003',
    message: 'Semantic error: delimiter and with_header fields are specific to CSV',
  },
  { when: /\b_limiter\s*=/i, code: '010009', message: 'sql parser error: Unknown tenant option: _limiter' },
  { when: /\bGEOMETRY\b(?!\s*\()/i, code: '010009', message: 'sql parser error: Expected (, found: ,' },
  {
    when: /FILE_FORMAT[\s\S]*\bCONNECTION\s*=/i,
    code: '010009',
    message: 'sql parser error: Expected end of statement, found: connection',
  },
  { when: /TYPE\s*=?\s*'NDJSON'/i, code: '010003', message: 'Semantic error: Unknown FileType: NDJSON' },
  {
    when: /^\s*COPY\s+INTO\s+[^(']*\([^)]*TAGS\s*\(/i,
    code: '010009',
    message: 'sql parser error: Expected ), found: (',
  },
  {
    when: /^\s*(SHOW|CREATE|DROP)\s+STREAM(S)?\b(?!\s+TABLE)/i,
    code: '010005',
    message: 'This feature is not implemented: stream',
  },
]

const UNSEEN: Refusal = {
  when: /^\s*COPY\s+INTO\b/i,
  code: '010001',
  message:
    'Datafusion: Object Store error: Generic LocalFileSystem error: Unable to open file: No such file or directory',
}

/**
 * cnosdb-lite behind the habits of CnosDB 2.4.3: what that refuses is refused, exported files have no extension, the
 * dump needs no credentials and has the faults that make four kinds of its lines unreadable.
 */
export async function startReferenceServer(
  backend: { readonly url: string },
  { seesPlaces = true }: ReferenceServerOptions = {},
): Promise<ReferenceServer> {
  const refusals: string[] = []
  const server = createServer(async (incoming, outgoing) => {
    const body = await readAll(incoming)
    const path = incoming.url ?? '/'
    if (path.startsWith('/api/v1/sql')) {
      const refusal = [...REFUSALS, ...(seesPlaces ? [] : [UNSEEN])].find(({ when }) => when.test(body))
      if (refusal) {
        refusals.push(body)
        outgoing.writeHead(422, { 'content-type': 'application/json' })
        outgoing.end(JSON.stringify({ error_code: refusal.code, error_message: refusal.message }))
        return
      }
    }
    const isDump = path.startsWith('/api/v1/dump/sql/ddl')
    const answer = await forward(backend, incoming, body, isDump)
    if (answer.status === 200) dropExtensions(body)
    outgoing.writeHead(answer.status, { 'content-type': answer.type })
    outgoing.end(isDump ? withFaults(answer.body) : answer.body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    refusals,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

async function readAll(stream: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string
}

function forward(
  backend: { readonly url: string },
  incoming: IncomingMessage,
  body: string,
  asRoot: boolean,
): Promise<Answer> {
  const { host: _, ...headers } = incoming.headers
  const credentials = asRoot ? { authorization: `Basic ${btoa('root:root')}` } : {}
  return new Promise((resolve, reject) => {
    const outgoing = request(
      new URL(incoming.url ?? '/', backend.url),
      { method: incoming.method, headers: { ...headers, ...credentials } },
      (answer) => {
        readAll(answer).then(
          (text) =>
            resolve({ status: answer.statusCode ?? 500, type: answer.headers['content-type'] ?? '', body: text }),
          reject,
        )
      },
    )
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

/** 2.4.2 and later write `queryId-…` without an extension. */
function dropExtensions(statement: string): void {
  const target = /^\s*COPY\s+INTO\s+'(file:\/\/[^']+)'/i.exec(statement)?.[1]
  if (target === undefined) return
  const directory = fileURLToPath(target)
  for (const name of readdirSync(directory))
    renameSync(join(directory, name), join(directory, name.replace(/\.(parquet|csv|json)$/, '')))
}

/** The lines of 2.4.3's dump that 2.4.3 cannot read. */
function withFaults(dump: string): string {
  return dump
    .replaceAll('if not exists ', '')
    .replace(/GEOMETRY\((\w+), 0\)/g, 'GEOMETRY')
    .replace(/(compression type \w+) location/g, '$1location')
    .replace(/(watermark_delay='[^']*')\)/g, '$1))')
    .replace(/, object_config [^;]*;/g, ", _limiter='{}';")
}
