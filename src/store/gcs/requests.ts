import type { Abortable } from '../../async/abort.ts'
import type { HttpAnswer, HttpRequest } from '../http-request.ts'
import { readText, sendHttp } from '../http-request.ts'
import { createRetrier, type Retrier } from '../layers/retry.ts'
import type { ObjectMeta } from '../object-store.ts'
import type { StoreContext } from '../store-driver.ts'
import { networkError, type StoreIdentity, type StoreRequest, stalledError } from '../store-error.ts'
import { gcsError } from './error.ts'
import type { TokenSource } from './tokens.ts'

interface GcsSend extends StoreRequest, Abortable {
  readonly http: Omit<HttpRequest, 'signal'>
  /** Statuses that are answers and no errors. */
  readonly accepts: readonly number[]
}

export interface GcsRequestsOptions {
  readonly identity: StoreIdentity
  readonly tokens: TokenSource
  readonly context: StoreContext
}

/** Sends requests with a token, maps refusals, repeats what may be repeated. */
export interface GcsRequests {
  readonly label: string
  /** Resolves when the headers are there; the body is still to come. */
  send(request: GcsSend): Promise<HttpAnswer>
  /** Reads the whole answer within the same try. */
  sendForText(
    request: GcsSend,
  ): Promise<{ readonly status: number; readonly headers: HttpAnswer['headers']; readonly text: string }>
}

export function createGcsRequests(options: GcsRequestsOptions): GcsRequests {
  const retrier = createRetrier(options.context.clock, options.context.patience)
  return {
    label: options.identity.label,
    send: (request) => run(retrier, options, request, async (answer) => answer),
    sendForText: (request) =>
      run(retrier, options, request, async ({ status, headers, body }) => ({
        status,
        headers,
        text: await readText(body),
      })),
  }
}

function run<T>(
  retrier: Retrier,
  options: GcsRequestsOptions,
  request: GcsSend,
  read: (answer: HttpAnswer) => Promise<T>,
): Promise<T> {
  return retrier.run(
    async ({ signal }) => {
      try {
        return await read(await sendAuthorised(options, request, signal))
      } catch (error) {
        signal.throwIfAborted()
        throw networkError(options.identity, request, error)
      }
    },
    { signal: request.signal, stalled: (ms) => stalledError(options.identity, request, ms) },
  )
}

/** A refused token is renewed once: it may have expired early, or been revoked for a new one. */
async function sendAuthorised(options: GcsRequestsOptions, request: GcsSend, signal: AbortSignal): Promise<HttpAnswer> {
  const { identity, tokens, context } = options
  for (let isSecond = false; ; isSecond = true) {
    const token = await tokens.token({ identity, signal })
    const authorization = token === undefined ? {} : { Authorization: `Bearer ${token}` }
    const headers = { ...request.http.headers, ...authorization }
    const answer = await sendHttp({ ...request.http, headers, signal })
    if (request.accepts.includes(answer.status)) return answer
    const text = await readText(answer.body)
    if (answer.status === 401 && !isSecond && tokens.renew()) continue
    const secrets = [...identity.secrets, ...tokens.secrets, token]
    const failure = { status: answer.status, headers: answer.headers, text, nowNs: context.clock.nowNs() }
    throw gcsError({ ...identity, secrets }, request, failure)
  }
}

/** The fields of an object resource that we read. https://cloud.google.com/storage/docs/json_api/v1/objects */
export interface GcsObject {
  readonly name: string
  readonly size: string
  readonly updated?: string
  readonly generation?: string
  readonly md5Hash?: string
  readonly crc32c?: string
}

/** ObjectMeta of a resource. The generation serves as etag: it changes with every write and can be a condition. */
export function metaOfObject(object: GcsObject): ObjectMeta {
  return {
    path: object.name,
    sizeBytes: Number(object.size),
    lastModified: new Date(object.updated ?? 0),
    etag: object.generation,
  }
}
