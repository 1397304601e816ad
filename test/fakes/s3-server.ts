import { createHash, randomUUID } from 'node:crypto'
import { crc32Base64, decodeAwsChunked } from './aws-chunked.ts'
import { FaultPlan } from './faults.ts'
import { type FakeAnswer, type FakeRequest, type FakeServer, startFakeServer } from './http-server.ts'
import { checkSigV4, type SigV4Account } from './sigv4.ts'
import { SortedKeys } from './sorted-keys.ts'

export interface S3ServerOptions {
  readonly region?: string
  readonly accounts?: readonly SigV4Account[]
  /** Keys in one page of a list. Default 1000. */
  readonly pageSize?: number
  /** How far the server's clock is ahead. */
  readonly clockAheadMs?: number
}

interface StoredS3Object {
  readonly bytes: Buffer
  readonly etag: string
  readonly modified: Date
}

interface Upload {
  readonly key: string
  readonly parts: Map<number, { readonly bytes: Buffer; readonly etag: string }>
}

interface S3Bucket {
  readonly objects: Map<string, StoredS3Object>
  readonly sorted: SortedKeys
  readonly uploads: Map<string, Upload>
}

export interface S3Server extends FakeServer {
  readonly faults: FaultPlan
  readonly buckets: Map<string, S3Bucket>
  createBucket(name: string): S3Bucket
}

interface ServerState {
  readonly buckets: Map<string, S3Bucket>
  readonly region: string
  readonly accounts: readonly SigV4Account[]
  readonly pageSize: number
  readonly clockAheadMs: number
}

const MIN_PART_BYTES = 5 * 1024 * 1024
const MAX_KEY_BYTES = 1024

export const S3_ACCOUNT: SigV4Account = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCY',
}

/** Amazon S3 in memory: signatures, both addressing styles, multi-part, ranges, paging, conditions, faults. */
export async function startS3Server(options: S3ServerOptions = {}): Promise<S3Server> {
  const faults = new FaultPlan()
  const state: ServerState = {
    buckets: new Map(),
    region: options.region ?? 'us-east-1',
    accounts: options.accounts ?? [S3_ACCOUNT],
    pageSize: options.pageSize ?? 1000,
    clockAheadMs: options.clockAheadMs ?? 0,
  }
  const server = await startFakeServer({
    faults,
    answer: (request) => stamped(answerS3(request, state), state),
    refusal: (status, code) => refusal(status, code, `injected ${code}`),
    remove: (request) => {
      const { bucket, key } = address(request)
      state.buckets.get(bucket)?.objects.delete(key)
    },
  })
  const createBucket = (name: string) => {
    const objects = new Map<string, StoredS3Object>()
    const bucket: S3Bucket = { objects, sorted: new SortedKeys(objects), uploads: new Map() }
    state.buckets.set(name, bucket)
    return bucket
  }
  return { ...server, faults, buckets: state.buckets, createBucket }
}

function stamped(answer: FakeAnswer, { clockAheadMs }: ServerState): FakeAnswer {
  const headers = {
    'x-amz-request-id': randomUUID().slice(0, 16).toUpperCase(),
    Date: new Date(Date.now() + clockAheadMs).toUTCString(),
    ...answer.headers,
  }
  return { ...answer, headers }
}

function address(request: FakeRequest): { readonly bucket: string; readonly key: string } {
  const host = (request.headers.host ?? '').replace(/:\d+$/, '')
  const virtual = /^(.+?)(\.s3(\.[a-z0-9-]+)?)?\.localhost$/.exec(host)?.[1]
  if (virtual !== undefined) return { bucket: virtual, key: request.path.slice(1) }
  const slash = request.path.indexOf('/', 1)
  if (slash < 0) return { bucket: request.path.slice(1), key: '' }
  return { bucket: request.path.slice(1, slash), key: request.path.slice(slash + 1) }
}

function answerS3(request: FakeRequest, state: ServerState): FakeAnswer {
  const nowMs = Date.now() + state.clockAheadMs
  const denied = checkSigV4(request, { accounts: state.accounts, region: state.region, nowMs })
  if (denied) return refusal(denied.status, denied.code, denied.message, denied.region)
  const { bucket: name, key } = address(request)
  const bucket = state.buckets.get(name)
  if (!bucket) return refusal(404, 'NoSuchBucket', 'The specified bucket does not exist')
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) return refusal(400, 'KeyTooLongError', 'Your key is too long')
  const content = contentOf(request)
  if (!content) return refusal(400, 'BadDigest', 'The checksum you specified did not match what we received.')
  const { method, query } = request
  if (method === 'GET' && key === '' && query.has('uploads')) return listUploads(bucket, query)
  if (method === 'GET' && key === '') return list(bucket, query, state.pageSize)
  if (query.has('uploads') || query.has('uploadId')) return answerMultipart(request, { bucket, key, content })
  if (method === 'PUT') return put(bucket, key, content)
  if (method === 'GET' || method === 'HEAD') return get(bucket, key, request)
  if (method === 'DELETE') {
    bucket.objects.delete(key)
    return { status: 204 }
  }
  return refusal(405, 'MethodNotAllowed', 'The specified method is not allowed against this resource.')
}

const md5 = (bytes: Uint8Array) => createHash('md5').update(bytes).digest()

interface Content {
  readonly bytes: Buffer
  readonly md5: Buffer
}

/** The body without aws-chunked framing; undefined when a checksum of any kind does not fit. */
function contentOf(request: FakeRequest): Content | undefined {
  const isChunked = String(request.headers['x-amz-content-sha256']).startsWith('STREAMING-')
  const bytes = isChunked ? decodeAwsChunked(request.body) : request.body
  if (!bytes) return undefined
  const content = { bytes, md5: md5(bytes) }
  const contentMd5 = request.headers['content-md5']
  if (contentMd5 !== undefined && contentMd5 !== content.md5.toString('base64')) return undefined
  const crc = request.headers['x-amz-checksum-crc32']
  return crc === undefined || crc === crc32Base64(bytes) ? content : undefined
}

function put(bucket: S3Bucket, key: string, { bytes, md5 }: Content): FakeAnswer {
  const etag = md5.toString('hex')
  bucket.objects.set(key, { bytes, etag, modified: new Date() })
  return { status: 200, headers: { ETag: `"${etag}"` } }
}

function get(bucket: S3Bucket, key: string, { method, headers }: FakeRequest): FakeAnswer {
  const object = bucket.objects.get(key)
  if (!object) return refusal(404, 'NoSuchKey', 'The specified key does not exist.')
  const wanted = headers['if-match']
  if (wanted !== undefined && wanted !== '*' && wanted.replaceAll('"', '') !== object.etag) {
    return refusal(412, 'PreconditionFailed', 'At least one of the pre-conditions you specified did not hold')
  }
  const common = {
    ETag: `"${object.etag}"`,
    'Last-Modified': object.modified.toUTCString(),
    'Accept-Ranges': 'bytes',
    'Content-Type': 'application/octet-stream',
  }
  const size = object.bytes.byteLength
  const range = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '')
  if (!range || method === 'HEAD') {
    return { status: 200, headers: { ...common, 'Content-Length': String(size) }, body: object.bytes }
  }
  const start = Number(range[1])
  const end = Math.min(range[2] === '' ? size : Number(range[2]) + 1, size)
  if (start >= size) return refusal(416, 'InvalidRange', 'The requested range is not satisfiable')
  const body = object.bytes.subarray(start, end)
  const contentRange = `bytes ${start}-${end - 1}/${size}`
  return {
    status: 206,
    headers: { ...common, 'Content-Range': contentRange, 'Content-Length': String(body.byteLength) },
    body,
  }
}

interface MultipartTarget {
  readonly bucket: S3Bucket
  readonly key: string
  readonly content: Content
}

function answerMultipart({ method, query }: FakeRequest, { bucket, key, content }: MultipartTarget): FakeAnswer {
  if (method === 'POST' && query.has('uploads')) {
    const id = randomUUID()
    bucket.uploads.set(id, { key, parts: new Map() })
    return xml(
      200,
      `<InitiateMultipartUploadResult><Key>${escapeXml(key)}</Key><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`,
    )
  }
  const uploadId = query.get('uploadId') ?? ''
  const upload = bucket.uploads.get(uploadId)
  if (upload?.key !== key) return refusal(404, 'NoSuchUpload', 'The specified multipart upload does not exist.')
  if (method === 'DELETE') {
    bucket.uploads.delete(uploadId)
    return { status: 204 }
  }
  if (method === 'PUT') {
    const partNumber = Number(query.get('partNumber'))
    if (!(partNumber >= 1 && partNumber <= 10_000))
      return refusal(400, 'InvalidArgument', 'Part number must be 1 to 10000')
    const etag = content.md5.toString('hex')
    upload.parts.set(partNumber, { bytes: content.bytes, etag })
    return { status: 200, headers: { ETag: `"${etag}"` } }
  }
  return complete(bucket, { uploadId, upload, body: content.bytes.toString() })
}

function complete(
  bucket: S3Bucket,
  { uploadId, upload, body }: { readonly uploadId: string; readonly upload: Upload; readonly body: string },
): FakeAnswer {
  const wanted = [...body.matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, part = '']) => ({
    number: Number(/<PartNumber>(\d+)</.exec(part)?.[1]),
    etag: (/<ETag>(.*?)<\/ETag>/.exec(part)?.[1] ?? '').replaceAll('&quot;', '').replaceAll('"', ''),
  }))
  if (wanted.length === 0) return refusal(400, 'MalformedXML', 'The XML you provided was not well-formed')
  const chosen: Buffer[] = []
  for (const [index, { number, etag }] of wanted.entries()) {
    const part = upload.parts.get(number)
    if (!part || part.etag !== etag) return refusal(400, 'InvalidPart', `Part ${number} could not be found.`)
    if (index > 0 && number <= (wanted[index - 1]?.number ?? 0))
      return refusal(400, 'InvalidPartOrder', 'Not ascending')
    const isLast = index === wanted.length - 1
    if (!isLast && part.bytes.byteLength < MIN_PART_BYTES) return refusal(400, 'EntityTooSmall', 'A part is too small')
    chosen.push(part.bytes)
  }
  const hashes = Buffer.concat(wanted.map(({ etag }) => Buffer.from(etag, 'hex')))
  const etag = `${md5(hashes).toString('hex')}-${wanted.length}`
  bucket.objects.set(upload.key, { bytes: Buffer.concat(chosen), etag, modified: new Date() })
  bucket.uploads.delete(uploadId)
  return xml(200, `<CompleteMultipartUploadResult><ETag>&quot;${etag}&quot;</ETag></CompleteMultipartUploadResult>`)
}

function listUploads(bucket: S3Bucket, query: URLSearchParams): FakeAnswer {
  const uploads = [...bucket.uploads].filter(([, { key }]) => key.startsWith(query.get('prefix') ?? ''))
  const items = uploads.map(
    ([id, { key }]) => `<Upload><Key>${escapeXml(key)}</Key><UploadId>${id}</UploadId></Upload>`,
  )
  return xml(
    200,
    `<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>${items.join('')}</ListMultipartUploadsResult>`,
  )
}

function list(bucket: S3Bucket, query: URLSearchParams, pageSize: number): FakeAnswer {
  if (query.get('list-type') !== '2') return refusal(400, 'InvalidArgument', 'only list-type=2')
  const prefix = query.get('prefix') ?? ''
  const after = Buffer.from(query.get('continuation-token') ?? query.get('start-after') ?? '', 'base64').toString()
  const limit = Math.min(pageSize, Number(query.get('max-keys') ?? 1000))
  const { keys: page, hasMore: isTruncated } = bucket.sorted.page(prefix, after, limit)
  const isUrl = query.get('encoding-type') === 'url'
  const items = page.map((key) => contents(isUrl ? encodeKey(key) : escapeXml(key), bucket.objects.get(key)))
  const token = isTruncated
    ? `<NextContinuationToken>${Buffer.from(page.at(-1) ?? '').toString('base64')}</NextContinuationToken>`
    : ''
  return xml(
    200,
    `<ListBucketResult><KeyCount>${page.length}</KeyCount><IsTruncated>${isTruncated}</IsTruncated>${token}${
      isUrl ? '<EncodingType>url</EncodingType>' : ''
    }${items.join('')}</ListBucketResult>`,
  )
}

function contents(key: string, object: StoredS3Object | undefined): string {
  if (!object) return ''
  const { bytes, etag, modified } = object
  return `<Contents><Key>${key}</Key><LastModified>${modified.toISOString()}</LastModified><ETag>&quot;${etag}&quot;</ETag><Size>${bytes.byteLength}</Size></Contents>`
}

const encodeKey = (key: string) => key.split('/').map(encodeURIComponent).join('/').replaceAll('%20', '+')
const escapeXml = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

function xml(status: number, body: string): FakeAnswer {
  return {
    status,
    headers: { 'Content-Type': 'application/xml' },
    body: Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n${body}`),
  }
}

function refusal(status: number, code: string, message: string, region?: string): FakeAnswer {
  const where = region === undefined ? '' : `<Region>${region}</Region>`
  const answer = xml(status, `<Error><Code>${code}</Code><Message>${escapeXml(message)}</Message>${where}</Error>`)
  return region === undefined ? answer : { ...answer, headers: { ...answer.headers, 'x-amz-bucket-region': region } }
}
