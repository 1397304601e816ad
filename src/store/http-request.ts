import { type ClientRequest, type IncomingMessage, request as plainRequest } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { httpAgent, httpsAgent } from './http-agents.ts'
import { reportProgress } from './layers/retry.ts'

export interface HttpRequest {
  readonly method: string
  readonly url: URL
  /** Path and query as they must go over the wire, where parsing them as a URL would change them (`a/../b`). */
  readonly rawPath?: string | undefined
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
export function sendHttp({ method, url, rawPath, headers = {}, body, signal }: HttpRequest): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const isTls = url.protocol === 'https:'
    const length = body === undefined ? {} : { 'Content-Length': String(body.byteLength) }
    const agent = isTls ? httpsAgent : httpAgent
    const path = rawPath === undefined ? {} : { path: rawPath }
    const options = { method, headers: { ...headers, ...length }, agent, signal, ...path }
    const request = (isTls ? tlsRequest : plainRequest)(url, options, (answer) => {
      resolve({ status: answer.statusCode ?? 0, headers: singleHeaders(answer), body: answer })
    })
    request.on('error', reject)
    if (body === undefined || body.byteLength === 0) request.end()
    else writeBody(request, body, signal)
  })
}

const SLICE_BYTES = 256 * 1024

/** Slice by slice, so that a slow network shows as progress and not as a stall. */
function writeBody(request: ClientRequest, body: Uint8Array, signal: AbortSignal): void {
  let sent = 0
  const writeNext = () => {
    reportProgress(signal)
    const slice = body.subarray(sent, sent + SLICE_BYTES)
    sent += slice.byteLength
    if (sent >= body.byteLength) request.end(slice)
    else
      request.write(slice, (error) => {
        if (!error) writeNext()
      })
  }
  writeNext()
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
