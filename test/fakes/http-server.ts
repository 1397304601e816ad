import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FaultKind, FaultPlan } from './faults.ts'

export interface FakeRequest {
  readonly method: string
  /** As it came over the wire. */
  readonly rawUrl: string
  /** Percent-decoded. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

export interface FakeAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array
}

export interface FakeServerOptions {
  readonly faults: FaultPlan
  readonly answer: (request: FakeRequest) => FakeAnswer | Promise<FakeAnswer>
  /** The body of an injected status. */
  readonly refusal: (status: number, code: string) => FakeAnswer
  /** Removes the object that a request names, for the fault `disappear`. */
  readonly remove?: (request: FakeRequest) => void | Promise<void>
}

export interface FakeServer extends AsyncDisposable {
  readonly port: number
  readonly url: string
  /** `METHOD /path?query` of every request so far. */
  readonly requests: readonly string[]
  close(): Promise<void>
}

/** A server on loopback that answers from memory and commits the faults it is told to. */
export async function startFakeServer(options: FakeServerOptions): Promise<FakeServer> {
  const requests: string[] = []
  const server = createServer((message, response) => {
    handle(message, response, options, requests).catch((error: unknown) => {
      response.statusCode = 500
      response.end(String(error))
    })
  })
  server.keepAliveTimeout = 30_000
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return { port, url: `http://127.0.0.1:${port}`, requests, close, [Symbol.asyncDispose]: close }
}

async function handle(
  message: IncomingMessage,
  response: ServerResponse,
  options: FakeServerOptions,
  requests: string[],
): Promise<void> {
  const rawUrl = message.url ?? '/'
  const [rawPath = '/', rawQuery = ''] = rawUrl.split(/\?(.*)/s)
  const method = message.method ?? 'GET'
  const path = decodeURIComponent(rawPath)
  const readable = rawQuery === '' ? path : `${path}?${decodeURIComponent(rawQuery)}`
  requests.push(`${method} ${readable}`)
  const fault = options.faults.take(method, readable)
  if (fault?.kind === 'reset-before') return void message.socket.destroy()
  const chunks: Buffer[] = []
  let received = 0
  for await (const chunk of message) {
    chunks.push(chunk)
    received += chunk.length
    if (fault?.kind === 'reset-upload' && received >= fault.bytes) return void message.socket.destroy()
  }
  const query = new URLSearchParams(rawQuery)
  const request = { method, rawUrl, path, query, headers: message.headers, body: Buffer.concat(chunks) }
  if (fault?.kind === 'late') await sleep(fault.ms)
  if (fault?.kind === 'disappear') await options.remove?.(request)
  const refused = fault?.kind === 'status' ? refusalOf(fault, options) : undefined
  const answer = refused ?? (await options.answer(request))
  sendFaulty(message, response, { answer, fault, method })
}

function refusalOf(fault: FaultKind & { readonly kind: 'status' }, options: FakeServerOptions): FakeAnswer {
  const answer = options.refusal(fault.status, fault.code)
  return fault.retryAfter === undefined
    ? answer
    : { ...answer, headers: { ...answer.headers, 'Retry-After': fault.retryAfter } }
}

interface Faulty {
  readonly answer: FakeAnswer
  readonly fault: FaultKind | undefined
  readonly method: string
}

function sendFaulty(message: IncomingMessage, response: ServerResponse, { answer, fault, method }: Faulty): void {
  if (fault?.kind === 'reset-after') message.socket.destroy()
  else if (fault?.kind === 'wrong-etag') send(response, withWrongEtag(answer), method)
  else if (fault?.kind === 'wrong-length') send(response, shortened(answer, fault.bytes), method)
  else if (fault?.kind === 'reset-inside')
    sendHead(response, answer, fault.bytes, () => message.socket.resetAndDestroy())
  else if (fault?.kind === 'truncate') sendHead(response, answer, fault.bytes, () => message.socket.end())
  else if (fault?.kind !== 'stall') send(response, answer, method)
  else if (fault.bytes >= 0) sendHead(response, answer, fault.bytes, () => {})
}

/** Headers and the first bytes of the body; a moment later, when they have surely left, `then`. */
function sendHead(response: ServerResponse, answer: FakeAnswer, bytes: number, then: () => void): void {
  const body = Buffer.from(answer.body ?? new Uint8Array(0))
  writeHead(response, answer, body.byteLength)
  response.write(body.subarray(0, bytes), () => setTimeout(then, 20))
}

function withWrongEtag(answer: FakeAnswer): FakeAnswer {
  const text = Buffer.from(answer.body ?? new Uint8Array(0))
    .toString('latin1')
    .replace(/[0-9a-f]{32}/g, '0'.repeat(32))
    .replace(/"md5Hash":\s*"[^"]*"/, '"md5Hash":"AAAAAAAAAAAAAAAAAAAAAA=="')
    .replace(/"crc32c":\s*"[^"]*"/, '"crc32c":"AAAAAA=="')
    .replace(/"generation":\s*"[^"]*"/, '"generation":"1"')
  const headers = Object.entries(answer.headers ?? {}).map(([name, value]) => {
    if (/^(etag|content-md5)$/i.test(name)) return [name, '"00000000000000000000000000000000"']
    return /^x-goog-(hash|generation)$/i.test(name) ? [name, '1'] : [name, value]
  })
  const isText = /xml|json/.test(Object.entries(answer.headers ?? {}).find(([n]) => /content-type/i.test(n))?.[1] ?? '')
  return {
    status: answer.status,
    headers: Object.fromEntries(headers) as Record<string, string>,
    ...(answer.body ? { body: isText ? Buffer.from(text, 'latin1') : answer.body } : {}),
  }
}

/** Shorter in Content-Length and Content-Range, or in the size a JSON or HEAD answer tells. */
function shortened(answer: FakeAnswer, bytes: number): FakeAnswer {
  const body = Buffer.from(answer.body ?? new Uint8Array(0))
  const headers = { ...answer.headers }
  for (const [name, value] of Object.entries(headers)) {
    if (/^content-length$/i.test(name)) headers[name] = String(Math.max(0, Number(value) - bytes))
    if (/^content-range$/i.test(name)) {
      headers[name] = value.replace(/-(\d+)\//, (_, last: string) => `-${Number(last) - bytes}/`)
    }
  }
  const isJson = /json/.test(headers['Content-Type'] ?? '')
  const shorter = isJson
    ? Buffer.from(body.toString().replace(/"size":\s*"(\d+)"/, (_, size: string) => `"size":"${Number(size) - bytes}"`))
    : body.subarray(0, Math.max(0, body.byteLength - bytes))
  return { status: answer.status, headers, body: shorter }
}

function writeHead(response: ServerResponse, answer: FakeAnswer, length: number): void {
  const told = Object.keys(answer.headers ?? {}).some((name) => /^content-length$/i.test(name))
  const hasNone = answer.status === 204 || answer.status === 304
  response.writeHead(answer.status, {
    ...answer.headers,
    ...(told || hasNone ? {} : { 'Content-Length': String(length) }),
  })
}

function send(response: ServerResponse, answer: FakeAnswer, method: string): void {
  writeHead(response, answer, answer.body?.byteLength ?? 0)
  response.end(method === 'HEAD' ? undefined : answer.body)
}
