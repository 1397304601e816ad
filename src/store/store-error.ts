import { CnosError } from '../errors/cnos-error.ts'
import type { ErrorName } from '../errors/codes.ts'

/** `label/path` as people write it: `s3://bucket/air/x.csv`, `file:///tmp/x.csv`. */
export function objectUrl(label: string, path: string): string {
  return label === 'file://' ? `file:///${path}` : path === '' ? label : `${label}/${path}`
}

/** BAD_OPTION with the text of CnosDB when a URL names no bucket; BAD_OPTION when no store allows such a name. */
export function requireBucket(bucket: string): string {
  if (/^[\w.-]+$/.test(bucket)) return bucket
  const text = bucket === '' ? 'Lost bucket in url' : `invalid bucket name [${bucket}]`
  throw new CnosError('BAD_OPTION', `Semantic error: ${text}`, {
    hint: 'write scheme://bucket/path, such as s3://backups/air/',
  })
}

/** BAD_OPTION about options that do not fit together, or credentials that are missing. */
export function badConnection(message: string, hint: string): CnosError {
  return new CnosError('BAD_OPTION', message, { hint })
}

/** What one request was about. */
export interface StoreRequest {
  /** `GET`, `PUT`, `LIST`, …: for messages. */
  readonly operation: string
  readonly path: string
}

/** A store's refusal in words every store shares. */
export interface StoreRefusal {
  readonly status?: number | undefined
  readonly remoteCode?: string | undefined
  readonly requestId?: string | undefined
  readonly retryAfterMs?: number | undefined
  /** The store's own words. */
  readonly text: string
  /** Overrides what follows from the status. */
  readonly name?: ErrorName | undefined
  readonly hint?: string | undefined
}

export interface StoreIdentity {
  /** `s3://bucket`. */
  readonly label: string
  /** As CnosDB prints it: `S3`, `GCS`, `MicrosoftAzure`. */
  readonly kind: string
  /** Values that must never be shown, whatever a store echoes. */
  readonly secrets: readonly (string | undefined)[]
}

/** The CnosError of a refusal: store, path, status, the store's code and words, request id, hint; no secret. */
export function refusalError(identity: StoreIdentity, request: StoreRequest, refusal: StoreRefusal): CnosError {
  const name = refusal.name ?? nameOfStatus(refusal.status)
  const { status, remoteCode, requestId, retryAfterMs } = refusal
  const said = [status, remoteCode].filter((part) => part !== undefined).join(' ')
  const what = `${request.operation} ${objectUrl(identity.label, request.path)}`
  const about =
    name === 'OBJECT_NOT_FOUND' ? `Object at location ${request.path} not found` : `Generic ${identity.kind} error`
  const id = requestId === undefined ? '' : ` (request id ${requestId})`
  const text = [what, said, refusal.text].filter((part) => part !== '').join(': ')
  return new CnosError(name, withoutSecrets(`object store error: ${about}: ${text}${id}`, identity.secrets), {
    context: {
      store: identity.label,
      path: request.path,
      ...(status === undefined ? {} : { status }),
      ...(remoteCode === undefined ? {} : { remoteCode }),
      ...(requestId === undefined ? {} : { requestId }),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    },
    ...(refusal.hint === undefined ? {} : { hint: refusal.hint }),
  })
}

/** The error an HTTP status means when the store's code says nothing better. */
export function nameOfStatus(status: number | undefined): ErrorName {
  if (status === undefined || status === 408 || status === 425 || status === 429 || status >= 500)
    return 'STORE_UNAVAILABLE'
  if (status === 401 || status === 403) return 'STORE_ACCESS_DENIED'
  if (status === 404 || status === 410) return 'OBJECT_NOT_FOUND'
  if (status === 412 || status === 416) return 'STORE_PRECONDITION'
  return 'STORE_BAD_REQUEST'
}

const SECONDS = 1000

/** `Retry-After` in milliseconds: seconds or a date. */
export function retryAfterMs(header: string | undefined, nowNs: bigint): number | undefined {
  if (header === undefined || header.trim() === '') return undefined
  const seconds = Number(header)
  if (Number.isFinite(seconds)) return Math.max(0, seconds * SECONDS)
  const date = Date.parse(header)
  return Number.isNaN(date) ? undefined : Math.max(0, date - Number(nowNs / 1_000_000n))
}

/** The STORE_UNAVAILABLE of a request that moved no byte for `stallMs`. */
export function stalledError(identity: StoreIdentity, request: StoreRequest, stallMs: number): CnosError {
  return refusalError(identity, request, {
    text: `no answer within ${Math.ceil(stallMs / 1000)} s`,
    hint: 'the store or the network to it is overloaded or cut off',
  })
}

/** Names of TLS and DNS failures that another try does not mend. */
const HOPELESS =
  /^(ENOTFOUND|CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|ERR_INVALID|EPROTO)/

/** The CnosError of a request that got no answer: network, DNS or TLS. CnosErrors pass through. */
export function networkError(identity: StoreIdentity, request: StoreRequest, error: unknown): CnosError {
  const own = ownCause(error)
  if (own) return own
  const code = codeOf(error)
  const message = error instanceof Error ? error.message : String(error)
  const hopeless = code !== undefined && HOPELESS.test(code)
  return refusalError(identity, request, {
    remoteCode: code,
    text: message === '' ? 'the connection failed' : message,
    name: hopeless ? 'STORE_BAD_REQUEST' : 'STORE_UNAVAILABLE',
    hint: hopeless ? hintOfHopeless(code) : 'check that the store runs and that this machine can reach it',
  })
}

function hintOfHopeless(code: string): string {
  if (code === 'ENOTFOUND') return 'no host has this name: check endpoint, region and account; path style may be needed'
  return 'the TLS connection was refused: check the certificate, and http or https in the endpoint'
}

function ownCause(error: unknown): CnosError | undefined {
  if (error instanceof CnosError) return error
  return error instanceof Error && error.cause instanceof CnosError ? error.cause : undefined
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  if ('code' in error && typeof error.code === 'string') return error.code
  return codeOf(error.cause)
}

/** Takes every known secret out of a text; short values are left, they would tear words apart. */
function withoutSecrets(text: string, secrets: readonly (string | undefined)[]): string {
  let clean = text
  for (const secret of secrets) {
    if (secret === undefined || secret.length < 6) continue
    clean = clean.replaceAll(secret, '******').replaceAll(encodeURIComponent(secret), '******')
  }
  return clean
}
