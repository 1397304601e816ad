import { createHash, createPublicKey, generateKeyPairSync, randomUUID, verify } from 'node:crypto'
import { crc32c } from './crc32c.ts'
import { FaultPlan } from './faults.ts'
import { type FakeAnswer, type FakeRequest, type FakeServer, startFakeServer } from './http-server.ts'
import { SortedKeys } from './sorted-keys.ts'

export interface GcsAccount {
  readonly email: string
  readonly privateKey: string
  readonly publicKey: string
}

export interface GcsServerOptions {
  /** Demand bearer tokens given out by this server's /token to these accounts; absent: none are needed. */
  readonly accounts?: readonly GcsAccount[]
  readonly pageSize?: number
  /** How far the server's clock is ahead. */
  readonly clockAheadMs?: number
  readonly tokenLifetimeS?: number
}

interface StoredGcsObject {
  readonly bytes: Buffer
  readonly generation: string
  readonly modified: Date
  /** Base64. */
  readonly md5: string
  /** Base64. */
  readonly crc32c: string
}

interface Session {
  readonly name: string
  pieces: Buffer[]
  sizeBytes: number
  finished: string | undefined
}

interface GcsBucket {
  readonly objects: Map<string, StoredGcsObject>
  readonly sorted: SortedKeys
  readonly sessions: Map<string, Session>
}

export interface GcsServer extends FakeServer {
  readonly faults: FaultPlan
  readonly buckets: Map<string, GcsBucket>
  createBucket(name: string): GcsBucket
  /** Accepts a token that somebody else gave out. */
  acceptToken(token: string): void
  /** Every token given out so far is refused from now on. */
  expireTokens(): void
  /** Of the next chunk only this many bytes are persisted, as the API may do. */
  keepOnly(bytes: number): void
}

interface ServerState {
  readonly options: GcsServerOptions
  readonly buckets: Map<string, GcsBucket>
  readonly tokens: Set<string>
  generation: number
  keepOnly: number | undefined
}

/** A service account with a key of its own, for tests. */
export function makeGcsAccount(email = 'copy@test-project.iam.gserviceaccount.com'): GcsAccount {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  return { email, privateKey, publicKey }
}

/** Google Cloud Storage's JSON API in memory: tokens, resumable uploads, ranges, paging, generations, faults. */
export async function startGcsServer(options: GcsServerOptions = {}): Promise<GcsServer> {
  const faults = new FaultPlan()
  const state: ServerState = { options, buckets: new Map(), tokens: new Set(), generation: 1, keepOnly: undefined }
  const server = await startFakeServer({
    faults,
    answer: (request) => answerGcs(request, state),
    refusal,
    remove: ({ path }) => {
      const [, bucket = '', name = ''] = /\/b\/([^/]+)\/o\/(.*)$/.exec(path) ?? []
      state.buckets.get(bucket)?.objects.delete(name)
    },
  })
  const createBucket = (name: string) => {
    const objects = new Map<string, StoredGcsObject>()
    const bucket: GcsBucket = { objects, sorted: new SortedKeys(objects), sessions: new Map() }
    state.buckets.set(name, bucket)
    return bucket
  }
  return {
    ...server,
    faults,
    buckets: state.buckets,
    createBucket,
    acceptToken: (token) => void state.tokens.add(token),
    expireTokens: () => state.tokens.clear(),
    keepOnly: (bytes) => {
      state.keepOnly = bytes
    },
  }
}

const nowMs = ({ options }: ServerState) => Date.now() + (options.clockAheadMs ?? 0)

function answerGcs(request: FakeRequest, state: ServerState): FakeAnswer {
  if (request.path === '/token' || request.path === '/oauth2/v4/token') return giveToken(request, state)
  if (state.options.accounts !== undefined) {
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1]
    if (token === undefined || !state.tokens.has(token)) return refusal(401, 'authError', 'Invalid Credentials')
  }
  const [rawPath = ''] = request.rawUrl.split('?')
  const parts = /^(\/upload)?\/storage\/v1\/b\/([^/]+)\/o(?:\/([^/]*))?$/.exec(rawPath)
  if (!parts) return refusal(404, 'notFound', 'Not Found')
  const bucket = state.buckets.get(decodeURIComponent(parts[2] ?? ''))
  if (!bucket) return refusal(404, 'notFound', 'The specified bucket does not exist.')
  if (parts[1] !== undefined) return upload(bucket, request, state)
  const name = parts[3] === undefined ? undefined : decodeURIComponent(parts[3])
  if (name === undefined) return list(bucket, request.query, state.options.pageSize ?? 1000)
  if (request.method === 'DELETE') {
    return bucket.objects.delete(name) ? { status: 204 } : refusal(404, 'notFound', `No such object: ${name}`)
  }
  return get(bucket, name, request)
}

/** https://developers.google.com/identity/protocols/oauth2/service-account */
function giveToken(request: FakeRequest, state: ServerState): FakeAnswer {
  const form = new URLSearchParams(request.body.toString())
  const [header = '', claims = '', signature = ''] = (form.get('assertion') ?? '').split('.')
  const decode = (part: string) =>
    JSON.parse(Buffer.from(part, 'base64url').toString() || '{}') as Record<string, unknown>
  const { iss, aud, exp, iat, scope } = decode(claims)
  const account = state.options.accounts?.find(({ email }) => email === iss)
  const deny = (description: string) => json(400, { error: 'invalid_grant', error_description: description })
  if (form.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:jwt-bearer') return deny('bad grant type')
  if (!account) return deny('Invalid grant: account not found')
  if (decode(header).alg !== 'RS256') return deny('Invalid JWT: only RS256')
  const signed = Buffer.from(`${header}.${claims}`)
  const isSigned = verify('RSA-SHA256', signed, createPublicKey(account.publicKey), Buffer.from(signature, 'base64url'))
  if (!isSigned) return deny('Invalid JWT Signature.')
  const nowS = nowMs(state) / 1000
  if (typeof exp !== 'number' || typeof iat !== 'number' || exp < nowS || iat > nowS + 60 || exp - iat > 3600) {
    return deny(
      'Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values',
    )
  }
  if (typeof aud !== 'string' || !aud.endsWith('/token') || !String(scope).includes('devstorage'))
    return deny('bad claims')
  const token = `ya29.${randomUUID()}`
  state.tokens.add(token)
  return json(200, { access_token: token, expires_in: state.options.tokenLifetimeS ?? 3599, token_type: 'Bearer' })
}

function resource(name: string, object: StoredGcsObject): Record<string, string> {
  const { bytes, generation, modified } = object
  return {
    kind: 'storage#object',
    name,
    size: String(bytes.byteLength),
    updated: modified.toISOString(),
    generation,
    metageneration: '1',
    md5Hash: object.md5,
    crc32c: object.crc32c,
    etag: `etag-${generation}`,
  }
}

function store(bucket: GcsBucket, name: string, bytes: Buffer, state: ServerState): FakeAnswer {
  state.generation += 1
  const generation = String(1_700_000_000_000_000 + state.generation)
  const md5 = createHash('md5').update(bytes).digest('base64')
  const object = { bytes, generation, modified: new Date(), md5, crc32c: crc32c(bytes) }
  bucket.objects.set(name, object)
  return json(200, resource(name, object))
}

function upload(bucket: GcsBucket, request: FakeRequest, state: ServerState): FakeAnswer {
  const { query, body } = request
  const id = query.get('upload_id')
  if (id !== null) return continueUpload(bucket, { id, request, state })
  const name = query.get('name') ?? metadataName(request) ?? ''
  if (name === '' || Buffer.byteLength(name) > 1024) return refusal(400, 'invalid', 'The name is invalid')
  if (query.get('uploadType') === 'media') return store(bucket, name, body, state)
  if (query.get('uploadType') === 'multipart') return store(bucket, name, relatedContent(request), state)
  if (query.get('uploadType') !== 'resumable') return refusal(400, 'invalid', 'unknown uploadType')
  const session = randomUUID()
  bucket.sessions.set(session, { name, pieces: [], sizeBytes: 0, finished: undefined })
  const [path = ''] = request.rawUrl.split('?')
  const location = `http://${request.headers.host}${path}?uploadType=resumable&upload_id=${session}`
  return { status: 200, headers: { Location: location } }
}

function metadataName({ body, headers }: FakeRequest): string | undefined {
  if (!/json|related/.test(headers['content-type'] ?? '')) return undefined
  return /"name"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(body.toString())?.[1]
}

/** The second part of multipart/related. */
function relatedContent({ body, headers }: FakeRequest): Buffer {
  const boundary = /boundary="?([^";]+)"?/.exec(headers['content-type'] ?? '')?.[1] ?? ''
  const second = body.indexOf(`--${boundary}`, 2 + boundary.length)
  const start = body.indexOf('\r\n\r\n', second) + 4
  return body.subarray(start, body.lastIndexOf(`\r\n--${boundary}`))
}

interface Continuation {
  readonly id: string
  readonly request: FakeRequest
  readonly state: ServerState
}

/** https://cloud.google.com/storage/docs/performing-resumable-uploads#chunked-upload */
function continueUpload(bucket: GcsBucket, { id, request, state }: Continuation): FakeAnswer {
  const session = bucket.sessions.get(id)
  if (!session) return refusal(410, 'notFound', 'The upload session is gone')
  if (request.method === 'DELETE') {
    bucket.sessions.delete(id)
    return { status: 499 }
  }
  if (session.finished !== undefined) return finishedAnswer(bucket, session)
  const range = /^bytes (?:(\d+)-(\d+|\*)|\*)\/(\d+|\*)$/.exec(request.headers['content-range'] ?? 'bytes 0-*/*')
  if (!range) return refusal(400, 'invalid', 'Invalid Content-Range')
  const total = request.headers['content-range'] === undefined ? request.body.byteLength : Number(range[3])
  if (range[1] !== undefined) {
    const refused = takeChunk(session, { start: Number(range[1]), total, body: request.body, state })
    if (refused) return refused
  }
  if (session.sizeBytes !== total) return incomplete(session)
  const answer = store(bucket, session.name, Buffer.concat(session.pieces), state)
  session.finished = session.name
  session.pieces = []
  return answer
}

interface ArrivingChunk {
  readonly start: number
  readonly total: number
  readonly body: Buffer
  readonly state: ServerState
}

function takeChunk(session: Session, { start, total, body, state }: ArrivingChunk): FakeAnswer | undefined {
  const isLast = start + body.byteLength === total
  if (!isLast && body.byteLength % (256 * 1024) !== 0) return refusal(400, 'invalid', 'Chunks are multiples of 256 KiB')
  if (start > session.sizeBytes) return refusal(503, 'backendError', 'The offset is ahead of the session')
  const fresh = body.subarray(session.sizeBytes - start)
  const kept = state.keepOnly === undefined ? fresh : fresh.subarray(0, state.keepOnly)
  state.keepOnly = undefined
  session.pieces.push(kept)
  session.sizeBytes += kept.byteLength
  return undefined
}

function finishedAnswer(bucket: GcsBucket, { name }: Session): FakeAnswer {
  const object = bucket.objects.get(name)
  return object ? json(200, resource(name, object)) : refusal(404, 'notFound', 'The object is gone')
}

function incomplete({ sizeBytes }: Session): FakeAnswer {
  const range: Record<string, string> = sizeBytes === 0 ? {} : { Range: `bytes=0-${sizeBytes - 1}` }
  return { status: 308, headers: range }
}

function get(bucket: GcsBucket, name: string, { query, headers }: FakeRequest): FakeAnswer {
  const object = bucket.objects.get(name)
  if (!object) return refusal(404, 'notFound', `No such object: ${name}`)
  const wanted = query.get('ifGenerationMatch')
  if (wanted !== null && wanted !== object.generation) return refusal(412, 'conditionNotMet', 'Precondition Failed')
  if (query.get('alt') !== 'media') return json(200, resource(name, object))
  const size = object.bytes.byteLength
  const common = {
    'Content-Type': 'application/octet-stream',
    'Last-Modified': object.modified.toUTCString(),
    'X-Goog-Generation': object.generation,
    'X-Goog-Hash': `crc32c=${object.crc32c},md5=${object.md5}`,
  }
  const range = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '')
  if (!range) return { status: 200, headers: { ...common, 'Content-Length': String(size) }, body: object.bytes }
  const start = Number(range[1])
  const end = Math.min(range[2] === '' ? size : Number(range[2]) + 1, size)
  if (start >= size) return refusal(416, 'requestedRangeNotSatisfiable', 'Requested range not satisfiable')
  const body = object.bytes.subarray(start, end)
  const contentRange = `bytes ${start}-${end - 1}/${size}`
  return {
    status: 206,
    headers: { ...common, 'Content-Range': contentRange, 'Content-Length': String(body.byteLength) },
    body,
  }
}

function list(bucket: GcsBucket, query: URLSearchParams, pageSize: number): FakeAnswer {
  const prefix = query.get('prefix') ?? ''
  const after = Buffer.from(query.get('pageToken') ?? '', 'base64').toString()
  const limit = Math.min(pageSize, Number(query.get('maxResults') ?? 1000))
  const { keys: page, hasMore } = bucket.sorted.page(prefix, after, limit)
  const items = page.flatMap((name) => {
    const object = bucket.objects.get(name)
    return object ? [resource(name, object)] : []
  })
  const next = hasMore ? { nextPageToken: Buffer.from(page.at(-1) ?? '').toString('base64') } : {}
  return json(200, { kind: 'storage#objects', ...(items.length === 0 ? {} : { items }), ...next })
}

function json(status: number, body: unknown): FakeAnswer {
  return {
    status,
    headers: { 'Content-Type': 'application/json; charset=UTF-8' },
    body: Buffer.from(JSON.stringify(body)),
  }
}

function refusal(status: number, reason: string, message = `injected ${reason}`): FakeAnswer {
  return json(status, { error: { code: status, message, errors: [{ message, domain: 'global', reason }] } })
}
