import { type IncomingMessage, request as plainRequest } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { httpAgent, httpsAgent } from './http-agents.ts'

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly url: URL
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array | undefined
  readonly signal: AbortSignal
}

export interface HttpAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  /** Must be read to its end or destroyed. Not decompressed. */
  readonly body: IncomingMessage
}

/** One request, one answer whatever its status. Redirects are answers like any other: they are never followed. */
export function sendHttp({ method, url, headers = {}, body, signal }: HttpRequest): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const isTls = url.protocol === 'https:'
    const length = body === undefined ? {} : { 'Content-Length': String(body.byteLength) }
    const options = { method, headers: { ...headers, ...length }, agent: isTls ? httpsAgent : httpAgent, signal }
    const request = (isTls ? tlsRequest : plainRequest)(url, options, (answer) => {
      resolve({ status: answer.statusCode ?? 0, headers: singleHeaders(answer), body: answer })
    })
    request.on('error', reject)
    request.end(body)
  })
}

const MAX_TEXT_BYTES = 64 * 1024 * 1024

/** A small answer as text. */
export async function readText(body: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes > MAX_TEXT_BYTES) throw new Error(`the answer is larger than ${MAX_TEXT_BYTES} bytes`)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function singleHeaders(answer: IncomingMessage): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(answer.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  )
}
