import type { S3 } from '@aws-sdk/client-s3'
import type { Abortable } from '../../async/abort.ts'
import { CnosError, isCnosError } from '../../errors/cnos-error.ts'
import { bareHost } from '../endpoint-policy.ts'
import { guardBody } from '../layers/guarded-body.ts'
import { createRetrier, DEFAULT_PATIENCE, type Retrier } from '../layers/retry.ts'
import type {
  GetOptions,
  GetResult,
  MultipartUpload,
  ObjectMeta,
  ObjectStore,
  PutMultipartOptions,
  PutResult,
} from '../object-store.ts'
import { answeredMeta, expectRange, rangeHeader } from '../ranged-answer.ts'
import type { S3Credentials } from '../s3.ts'
import type { StoreContext } from '../store-driver.ts'
import { type StoreIdentity, type StoreRequest, stalledError } from '../store-error.ts'
import { type S3ErrorContext, s3Error } from './error.ts'
import { md5Of, verifyStored } from './integrity.ts'
import { s3Transport } from './transport.ts'
import { startS3Upload } from './upload.ts'

export interface S3Settings {
  readonly bucket: string
  readonly region: string
  /** Where keys are appended. */
  readonly base: URL
  /** Undefined: the ambient chain. */
  readonly credentials: S3Credentials | undefined
  readonly context: StoreContext
}

/** One request, and what it is for. */
interface S3Send extends StoreRequest, Abortable {}

/** What the upload needs of the store. */
export interface S3Requests {
  readonly label: string
  readonly base: string
  readonly warn: (message: string) => void
  /** Whether an MD5-shaped etag of this bucket is the MD5 of the content. */
  readonly hasMd5Etags: boolean
  send<T>(
    request: S3Send,
    call: (client: S3, options: { abortSignal: AbortSignal }, tryNumber: number) => Promise<T>,
  ): Promise<T>
  head(path: string, options?: Abortable): Promise<ObjectMeta>
  delete(path: string, options?: Abortable): Promise<void>
}

export function createS3Store(settings: S3Settings): ObjectStore {
  return new S3Store(settings)
}

class S3Store implements ObjectStore, S3Requests {
  readonly label: string
  readonly base: string
  readonly hasMd5Etags: boolean
  readonly warn: (message: string) => void
  readonly #settings: S3Settings
  readonly #identity: StoreIdentity
  readonly #retrier: Retrier
  #client: Promise<S3> | undefined

  constructor(settings: S3Settings) {
    const { bucket, base, credentials, context } = settings
    this.label = `s3://${bucket}`
    this.base = base.href.replace(/\/+$/, '')
    // Directory buckets (S3 Express) answer with etags that are no hash.
    this.hasMd5Etags = !bucket.endsWith('--x-s3')
    this.warn = context.warn
    this.#settings = settings
    const secrets = [credentials?.accessKeyId, credentials?.secretAccessKey, credentials?.sessionToken]
    this.#identity = { label: this.label, kind: 'S3', secrets }
    this.#retrier = createRetrier(context.clock, context.patience)
  }

  async head(path: string, { signal }: Abortable = {}): Promise<ObjectMeta> {
    const answer = await this.send({ operation: 'HEAD', path, signal }, (client, options) =>
      client.headObject({ Bucket: this.base, Key: path }, options),
    )
    return answeredMeta(path, { size: answer.ContentLength, modified: answer.LastModified, etag: answer.ETag })
  }

  async get(path: string, { range, ifMatch, signal }: GetOptions = {}): Promise<GetResult> {
    const request = { operation: 'GET', path, signal }
    const answer = await this.send(request, (client, options) => {
      const input = { Bucket: this.base, Key: path, Range: rangeHeader(range), IfMatch: ifMatch }
      return client.getObject(input, options)
    })
    const stream = answer.Body as unknown as import('node:stream').Readable
    const { start, end, size } = expectRange(
      { range, ifMatch, contentRange: answer.ContentRange, length: answer.ContentLength, etag: answer.ETag },
      { label: this.label, path, discard: () => stream.destroy() },
    )
    const stallMs = this.#settings.context.patience?.stallMs ?? DEFAULT_PATIENCE.stallMs
    const context = { store: this.label, path }
    return {
      meta: answeredMeta(path, { size, modified: answer.LastModified, etag: answer.ETag }),
      body: guardBody(stream, { expectedBytes: end - start, stallMs, context, signal }),
    }
  }

  async put(path: string, bytes: Uint8Array, { signal }: Abortable = {}): Promise<PutResult> {
    const md5 = md5Of(bytes)
    const request = { operation: 'PUT', path, signal }
    const answer = await this.send(request, (client, options) => {
      const input = { Bucket: this.base, Key: path, Body: bytes, ContentMD5: md5.toString('base64') }
      return client.putObject(input, options)
    })
    return verifyStored(this, { path, answer, expectedEtag: md5.toString('hex'), sizeBytes: bytes.byteLength, signal })
  }

  putMultipart(path: string, options: PutMultipartOptions = {}): Promise<MultipartUpload> {
    return startS3Upload(this, path, options)
  }

  async *list(prefix: string, { signal }: Abortable = {}): AsyncIterable<ObjectMeta> {
    let token: string | undefined
    do {
      const page = await this.send({ operation: 'LIST', path: prefix, signal }, (client, options) =>
        client.listObjectsV2(
          { Bucket: this.base, Prefix: prefix, ContinuationToken: token, EncodingType: 'url' },
          options,
        ),
      )
      const decode = page.EncodingType === 'url' ? decodeKey : (key: string) => key
      for (const { Key, Size, LastModified, ETag } of page.Contents ?? []) {
        yield answeredMeta(decode(Key ?? ''), { size: Size, modified: LastModified, etag: ETag })
      }
      const next = page.IsTruncated ? page.NextContinuationToken : undefined
      if (page.IsTruncated && (next === undefined || next === token)) throw endlessList(this.label, prefix)
      token = next
    } while (token !== undefined)
  }

  async delete(path: string, { signal }: Abortable = {}): Promise<void> {
    try {
      await this.send({ operation: 'DELETE', path, signal }, (client, options) =>
        client.deleteObject({ Bucket: this.base, Key: path }, options),
      )
    } catch (error) {
      if (!isCnosError(error, 'OBJECT_NOT_FOUND') || error.context.remoteCode === 'NoSuchBucket') throw error
    }
  }

  send<T>(
    request: S3Send,
    call: (client: S3, options: { abortSignal: AbortSignal }, tryNumber: number) => Promise<T>,
  ): Promise<T> {
    return this.#retrier.run(
      async (attempt) => {
        try {
          this.#client ??= openClient(this.#settings)
          return await call(await this.#client, { abortSignal: attempt.signal }, attempt.number)
        } catch (error) {
          attempt.signal.throwIfAborted()
          throw s3Error(error, request, this.#errorContext(attempt.number))
        }
      },
      { signal: request.signal, stalled: (ms) => stalledError(this.#identity, request, ms) },
    )
  }

  #errorContext(tryNumber: number): S3ErrorContext {
    const { region, base, context } = this.#settings
    const isCustomEndpoint = !bareHost(base).includes('.amazonaws.com')
    return { identity: this.#identity, region, isCustomEndpoint, nowNs: context.clock.nowNs(), tryNumber }
  }
}

/** Loaded on first use: a statement without S3 does not pay for the SDK. */
async function openClient({ region, base, credentials }: S3Settings): Promise<S3> {
  const sdk = await import('@aws-sdk/client-s3')
  const client = new sdk.S3({
    region,
    endpoint: base.origin,
    bucketEndpoint: true,
    maxAttempts: 1,
    // Content-MD5 and etags prove the content everywhere; many S3-likes store or refuse the newer checksum framing.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    expectContinueHeader: false,
    requestHandler: s3Transport,
    ...(credentials ? { credentials } : {}),
  })
  if (base.protocol === 'https:') leaveContentUnsigned(client)
  return client
}

/** TLS and the signed Content-MD5 protect the content of a PUT: a SHA-256 of every byte would be a third proof. */
function leaveContentUnsigned({ middlewareStack }: S3): void {
  middlewareStack.add(
    (next) => (call) => {
      const { headers } = call.request as { readonly headers: Record<string, string> }
      if (headers['content-md5'] !== undefined) headers['x-amz-content-sha256'] = 'UNSIGNED-PAYLOAD'
      return next(call)
    },
    { step: 'build', priority: 'low', name: 'leaveContentUnsigned' },
  )
}

/** `encoding-type=url` keeps names intact that XML cannot hold. */
function decodeKey(key: string): string {
  return decodeURIComponent(key.replaceAll('+', ' '))
}

function endlessList(label: string, prefix: string): CnosError {
  return new CnosError('STORE_BAD_REQUEST', `object store error: the list of ${label}/${prefix} does not end`, {
    context: { store: label, path: prefix },
    hint: 'the store repeats or omits its continuation token: it does not implement ListObjectsV2 paging',
  })
}
