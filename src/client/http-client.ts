import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Abortable } from '../async/abort.ts'
import type { Clock } from '../async/clock.ts'
import { CnosError, isCnosError } from '../errors/cnos-error.ts'
import type { ErrorName } from '../errors/codes.ts'
import type { ClusterAddress } from './cluster-address.ts'
import type { ClusterClient, Scope } from './cluster-client.ts'
import { parseCsvRows } from './csv.ts'
import { createSilence } from './silence.ts'

export interface HttpClientOptions {
  readonly clock: Clock
  readonly password: string
  /** Tries of a transient refusal before it is reported. */
  readonly maxTries?: number
  /** How long a node may be silent until all that waits for it gives up; 60 s when absent, 2 s if it never answered. */
  readonly patienceMs?: number | undefined
  /** Told once when the node falls silent, and once when it answers again. */
  readonly notice?: ((message: string) => void) | undefined
}

interface Call extends Abortable {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly query?: Readonly<Record<string, string | undefined>>
  readonly accept?: string
  readonly body?: string | Uint8Array
}

/** CnosDB's codes that mean "the same request may succeed a little later". */
const TRANSIENT_CODES = new Set(['020005', '030015', '030024', '030025', '050027', '050028', '050029'])
const BASE_DELAY_MS = 200
const MAX_DELAY_MS = 10_000
/** A node that is back is found within this time. */
const MAX_POLL_MS = 1_000
/** A statement that was under way in so many outages may well be their cause. */
const MAX_OUTAGES = 3
const TAIL_BYTES = 64 * 1024

/** Speaks CnosDB's HTTP API to one node. No answer times out while the connection lives: a COPY may run for hours. */
export function createHttpClient(address: ClusterAddress, options: HttpClientOptions): ClusterClient {
  const { clock, password, maxTries = 6 } = options
  const silence = createSilence(address.label, options)
  const authorization = `Basic ${Buffer.from(`${address.user}:${password}`, 'utf8').toString('base64')}`

  async function send(call: Call): Promise<IncomingMessage> {
    const url = new URL(call.path, address.origin)
    for (const [name, value] of Object.entries(call.query ?? {}))
      if (value !== undefined) url.searchParams.set(name, value)
    const body = call.body === undefined ? undefined : Buffer.from(call.body)
    const answer = await exchange(url, address, {
      method: call.method,
      headers: {
        authorization,
        accept: call.accept ?? 'text/csv',
        'accept-encoding': 'identity',
        ...(body ? { 'content-length': String(body.length) } : {}),
      },
      body,
      signal: call.signal,
    })
    silence.ended()
    if (answer.statusCode === 200) return answer
    throw refusal(address, answer.statusCode ?? 0, (await readAll(answer, address)).toString('utf8'))
  }

  async function retrying<T>(attempt: () => Promise<T>, { signal, isRepeatable = true }: Scope): Promise<T> {
    let firstOutage: number | undefined
    for (let tries = 1; ; tries += 1) {
      try {
        return await attempt()
      } catch (error) {
        signal?.throwIfAborted()
        const isSilent = isCnosError(error, 'CLUSTER_UNREACHABLE')
        if (!isRepeatable || !(isSilent || (isTransientRefusal(error) && tries < maxTries))) throw error
        if (isSilent) {
          const outage = silence.endure(error)
          firstOutage ??= outage
          if (outage - firstOutage >= MAX_OUTAGES) throw error
        }
        const ceiling = Math.min(isSilent ? MAX_POLL_MS : MAX_DELAY_MS, BASE_DELAY_MS * 2 ** tries)
        await clock.sleep(ceiling * clock.random(), { signal })
      }
    }
  }

  const post = (sql: string, scope: Scope, more: Readonly<Record<string, string>>, accept: string) =>
    send({
      method: 'POST',
      path: '/api/v1/sql',
      query: { tenant: scope.tenant, db: scope.database, ...more },
      accept,
      body: sql,
      signal: scope.signal,
    })

  return {
    label: address.label,
    user: address.user,
    async ping(scope = {}) {
      const text = await retrying(async () => {
        const answer = await send({ method: 'GET', path: '/api/v1/ping', signal: scope.signal })
        return (await readAll(answer, address)).toString('utf8')
      }, scope)
      return { version: /"version"\s*:\s*"([^"]*)"/.exec(text)?.[1] ?? 'unknown' }
    },
    async query(sql, scope = {}) {
      const bytes = await retrying(async () => readAll(await post(sql, scope, {}, 'text/csv'), address), scope)
      return parseCsvRows(bytes.toString('utf8'))
    },
    async execute(sql, scope = {}) {
      await retrying(async () => readAll(await post(sql, scope, {}, 'text/csv'), address), scope)
    },
    async *stream(sql, format, scope = {}) {
      const accept = format === 'csv' ? 'text/csv' : 'application/nd-json'
      const answer = await retrying(() => post(sql, scope, { chunked: 'true' }, accept), scope)
      yield* checkedStream(answer, address)
    },
    async write(lines, scope = {}) {
      const query = { tenant: scope.tenant, db: scope.database, precision: 'ns' }
      await retrying(async () => {
        const answer = await send({ method: 'POST', path: '/api/v1/write', query, body: lines, signal: scope.signal })
        await readAll(answer, address)
      }, scope)
    },
    async dumpDdl(scope = {}) {
      try {
        return await retrying(async () => {
          const answer = await send({
            method: 'GET',
            path: '/api/v1/dump/sql/ddl',
            accept: '*/*',
            signal: scope.signal,
          })
          return (await readAll(answer, address)).toString('utf8')
        }, scope)
      } catch (error) {
        const isMissing =
          isCnosError(error) && (error.context.status === 404 || error.errorName === 'INSUFFICIENT_PRIVILEGES')
        if (isMissing) return undefined
        throw error
      }
    },
  }
}

interface Exchange extends Abortable {
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer | undefined
}

function exchange(
  url: URL,
  address: ClusterAddress,
  { method, headers, body, signal }: Exchange,
): Promise<IncomingMessage> {
  signal?.throwIfAborted()
  return new Promise((resolve, reject) => {
    const open = url.protocol === 'https:' ? httpsRequest : httpRequest
    const outgoing = open(url, { method, headers, ...(signal ? { signal } : {}) }, resolve)
    outgoing.on('socket', (socket) => socket.setKeepAlive(true, 30_000))
    outgoing.on('error', (cause) => reject(signal?.aborted ? signal.reason : unreachable(address, cause)))
    outgoing.end(body)
  })
}

async function readAll(answer: IncomingMessage, address: ClusterAddress): Promise<Buffer> {
  try {
    const chunks: Buffer[] = []
    for await (const chunk of answer) chunks.push(chunk as Buffer)
    return Buffer.concat(chunks)
  } catch (cause) {
    throw unreachable(address, cause)
  }
}

/**
 * Passes a chunked answer on, and throws at its end when its last record is CnosDB's in-stream error: a failure after
 * the status line is written into the body of a 200 (spec of the HTTP API, chunked results).
 */
async function* checkedStream(answer: IncomingMessage, address: ClusterAddress): AsyncIterable<Uint8Array> {
  let tail = Buffer.alloc(0)
  try {
    for await (const chunk of answer) {
      tail = Buffer.concat([tail, chunk as Buffer]).subarray(-TAIL_BYTES)
      yield chunk as Buffer
    }
  } catch (cause) {
    throw unreachable(address, cause)
  }
  const lastLine = tail.toString('utf8').trimEnd().split('\n').at(-1) ?? ''
  // CnosDB's own spelling, with blanks: a row whose first column is called error_code has none.
  const start = lastLine.lastIndexOf('{"error_code": "')
  if (start >= 0) throw refusal(address, 200, lastLine.slice(start))
}

function isTransientRefusal(error: unknown): boolean {
  return isCnosError(error, 'CLUSTER_REFUSED') && TRANSIENT_CODES.has(error.context.remoteCode ?? '')
}

const UNREACHABLE_HINT = 'check host and port, and that the server runs (curl http://HOST:PORT/api/v1/ping)'
const TLS_HINTS: readonly (readonly [RegExp, string])[] = [
  [/^EPROTO$/, 'the port may speak plain HTTP: write the address without https://'],
  [/CERT|UNABLE_TO_/, 'name the authority of its certificate: NODE_EXTRA_CA_CERTS=FILE cnosdb-imexport …'],
]

function unreachable(address: ClusterAddress, cause: unknown): CnosError {
  if (isCnosError(cause)) return cause
  const code = (cause as NodeJS.ErrnoException | undefined)?.code ?? ''
  const reason = cause instanceof Error ? cause.message.trim() || code : String(cause)
  return new CnosError('CLUSTER_UNREACHABLE', `${address.label} does not answer: ${reason}`, {
    cause,
    hint: TLS_HINTS.find(([codes]) => codes.test(code))?.[1] ?? UNREACHABLE_HINT,
  })
}

const NAME_OF_CODE: Readonly<Record<string, ErrorName>> = {
  '010016': 'ACCESS_DENIED',
  '040006': 'ACCESS_DENIED',
  '010004': 'INSUFFICIENT_PRIVILEGES',
}

function refusal(address: ClusterAddress, status: number, body: string): CnosError {
  const remoteCode = /"error_code"\s*:\s*"(\d+)"/.exec(body)?.[1]
  const message = parseErrorMessage(body)
  const name = NAME_OF_CODE[remoteCode ?? ''] ?? 'CLUSTER_REFUSED'
  return new CnosError(
    name,
    `${address.label} answered ${remoteCode ?? `HTTP ${status}`}${message ? `: ${message}` : ''}`,
    {
      context: { status, ...(remoteCode ? { remoteCode } : {}) },
      ...(name === 'ACCESS_DENIED'
        ? { hint: `check user '${address.user}', its password, and that it may use this tenant` }
        : {}),
    },
  )
}

function parseErrorMessage(body: string): string {
  try {
    return String((JSON.parse(body) as { error_message?: unknown }).error_message ?? '')
  } catch {
    return /"error_message"\s*:\s*"(.*)"\s*\}/s.exec(body)?.[1] ?? ''
  }
}
