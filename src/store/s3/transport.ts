import type { IncomingMessage } from 'node:http'
import { sendHttp } from '../http-request.ts'

/** What the SDK hands to its transport, as far as we use it. */
interface SdkRequest {
  readonly method: string
  readonly protocol: string
  readonly hostname: string
  readonly port?: number
  readonly path: string
  readonly query?: Readonly<Record<string, string | readonly string[] | null>>
  readonly headers: Readonly<Record<string, string>>
  readonly body?: unknown
}

interface SdkResponse {
  readonly statusCode: number
  readonly headers: Record<string, string>
  readonly body: IncomingMessage
}

/**
 * Our own way to the network in place of the SDK's: guarded name resolution, connections shared by all statements,
 * progress of slow uploads, no redirects.
 */
export const s3Transport = {
  metadata: { handlerProtocol: 'http/1.1' },
  async handle(
    request: SdkRequest,
    { abortSignal }: { abortSignal?: AbortSignal } = {},
  ): Promise<{ response: SdkResponse }> {
    const answer = await sendHttp({
      method: request.method,
      url: new URL(`${request.protocol}//${hostOf(request)}`),
      rawPath: pathOf(request),
      headers: request.headers,
      body: bodyOf(request.body),
      signal: abortSignal ?? new AbortController().signal,
    })
    const headers = Object.fromEntries(Object.entries(answer.headers).filter(([, value]) => value !== undefined))
    return { response: { statusCode: answer.status, headers: headers as Record<string, string>, body: answer.body } }
  },
}

const hostOf = ({ hostname, port }: SdkRequest) => (port === undefined ? hostname : `${hostname}:${port}`)

/** Path and query are what was signed: they are passed on as they are, only joined. */
function pathOf({ path, query = {} }: SdkRequest): string {
  const pairs = Object.keys(query)
    .sort()
    .flatMap((name) => {
      const value = query[name]
      const values = Array.isArray(value) ? value : [value]
      return values.map((one) => (one == null ? encode(name) : `${encode(name)}=${encode(String(one))}`))
    })
  return pairs.length === 0 ? path : `${path}?${pairs.join('&')}`
}

const encode = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)

function bodyOf(body: unknown): Uint8Array | undefined {
  if (body === undefined || body instanceof Uint8Array) return body
  if (typeof body === 'string') return Buffer.from(body)
  throw new TypeError('the SDK sends a body of an unexpected kind')
}
