import { createHash } from 'node:crypto'
import type { Abortable } from '../../async/abort.ts'
import { CnosError, isCnosError } from '../../errors/cnos-error.ts'
import { guardBody } from '../layers/guarded-body.ts'
import { DEFAULT_PATIENCE } from '../layers/retry.ts'
import type {
  GetOptions,
  GetResult,
  MultipartUpload,
  ObjectMeta,
  ObjectStore,
  PutMultipartOptions,
  PutResult,
} from '../object-store.ts'
import { expectRange, rangeHeader } from '../ranged-answer.ts'
import type { StoreContext } from '../store-driver.ts'
import { createGcsRequests, type GcsObject, type GcsRequests, metaOfObject } from './requests.ts'
import type { TokenSource } from './tokens.ts'
import { startGcsUpload } from './upload.ts'
import { verifyGcsObject } from './verify.ts'

export interface GcsSettings {
  readonly bucket: string
  readonly base: URL
  readonly tokens: TokenSource
  readonly context: StoreContext
}

export function createGcsStore(settings: GcsSettings): ObjectStore {
  return new GcsStore(settings)
}

/** The JSON API: https://cloud.google.com/storage/docs/json_api/v1 */
class GcsStore implements ObjectStore {
  readonly label: string
  readonly #settings: GcsSettings
  readonly #requests: GcsRequests
  readonly #base: string

  constructor(settings: GcsSettings) {
    const { bucket, base, tokens, context } = settings
    this.label = `gcs://${bucket}`
    this.#settings = settings
    this.#base = base.href.replace(/\/+$/, '')
    const identity = { label: this.label, kind: 'GCS', secrets: tokens.secrets }
    this.#requests = createGcsRequests({ identity, tokens, context })
  }

  async head(path: string, { signal }: Abortable = {}): Promise<ObjectMeta> {
    const { text } = await this.#requests.sendForText({
      operation: 'HEAD',
      path,
      signal,
      accepts: [200],
      http: { method: 'GET', url: this.#objectUrl(path) },
    })
    return metaOfObject(JSON.parse(text) as GcsObject)
  }

  async get(path: string, { range, ifMatch, signal }: GetOptions = {}): Promise<GetResult> {
    const url = this.#objectUrl(path, { alt: 'media' })
    if (ifMatch !== undefined) url.searchParams.set('ifGenerationMatch', ifMatch)
    const ranged = rangeHeader(range)
    // Without gzip here the store would decompress objects stored with that encoding, and their size would not fit.
    const headers = { 'Accept-Encoding': 'gzip', ...(ranged === undefined ? {} : { Range: ranged }) }
    const answer = await this.#requests.send({
      operation: 'GET',
      path,
      signal,
      accepts: [200, 206],
      http: { method: 'GET', url, headers },
    })
    const generation = answer.headers['x-goog-generation']
    const length = answer.headers['content-length']
    const { start, end, size } = expectRange(
      {
        range,
        ifMatch,
        contentRange: answer.headers['content-range'],
        length: length === undefined ? undefined : Number(length),
        etag: generation,
      },
      { label: this.label, path, discard: () => answer.body.destroy() },
    )
    const modified = answer.headers['last-modified']
    const stallMs = this.#settings.context.patience?.stallMs ?? DEFAULT_PATIENCE.stallMs
    return {
      meta: { path, sizeBytes: size, lastModified: new Date(modified ?? 0), etag: generation },
      body: guardBody(answer.body, {
        expectedBytes: end - start,
        stallMs,
        context: { store: this.label, path },
        signal,
      }),
    }
  }

  async put(path: string, bytes: Uint8Array, { signal }: Abortable = {}): Promise<PutResult> {
    const { text } = await this.#requests.sendForText({
      operation: 'PUT',
      path,
      signal,
      accepts: [200],
      http: {
        method: 'POST',
        url: this.#uploadUrl(path, 'media'),
        headers: { 'Content-Type': 'application/octet-stream' },
        body: bytes,
      },
    })
    const md5 = createHash('md5').update(bytes).digest('base64')
    return verifyGcsObject(this, text, { path, md5, sizeBytes: bytes.byteLength })
  }

  putMultipart(path: string, options: PutMultipartOptions = {}): Promise<MultipartUpload> {
    const url = this.#uploadUrl(path, 'resumable')
    return startGcsUpload(
      { store: this, requests: this.#requests, path, url, context: this.#settings.context },
      options,
    )
  }

  async *list(prefix: string, { signal }: Abortable = {}): AsyncIterable<ObjectMeta> {
    let token: string | undefined
    do {
      const url = new URL(`${this.#base}/storage/v1/b/${encodeURIComponent(this.#settings.bucket)}/o`)
      url.searchParams.set('prefix', prefix)
      url.searchParams.set('fields', 'items(name,size,updated,generation,md5Hash,crc32c),nextPageToken')
      if (token !== undefined) url.searchParams.set('pageToken', token)
      const request = { operation: 'LIST', path: prefix, signal, accepts: [200], http: { method: 'GET', url } } as const
      const { text } = await this.#requests.sendForText(request)
      const page = JSON.parse(text) as { readonly items?: readonly GcsObject[]; readonly nextPageToken?: string }
      for (const object of page.items ?? []) yield metaOfObject(object)
      const next = page.nextPageToken === '' ? undefined : page.nextPageToken
      if (next !== undefined && next === token) throw endlessList(this.label, prefix)
      token = next
    } while (token !== undefined)
  }

  async delete(path: string, { signal }: Abortable = {}): Promise<void> {
    const http = { method: 'DELETE', url: this.#objectUrl(path) } as const
    try {
      await this.#requests.sendForText({ operation: 'DELETE', path, signal, accepts: [200, 204], http })
    } catch (error) {
      if (!isCnosError(error, 'OBJECT_NOT_FOUND')) throw error
    }
  }

  #objectUrl(path: string, query: Readonly<Record<string, string>> = {}): URL {
    const bucket = encodeURIComponent(this.#settings.bucket)
    const url = new URL(`${this.#base}/storage/v1/b/${bucket}/o/${encodeURIComponent(path)}`)
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
    return url
  }

  #uploadUrl(path: string, uploadType: 'media' | 'resumable'): URL {
    const url = new URL(`${this.#base}/upload/storage/v1/b/${encodeURIComponent(this.#settings.bucket)}/o`)
    url.searchParams.set('uploadType', uploadType)
    url.searchParams.set('name', path)
    return url
  }
}

function endlessList(label: string, prefix: string): CnosError {
  return new CnosError('STORE_BAD_REQUEST', `object store error: the list of ${label}/${prefix} does not end`, {
    context: { store: label, path: prefix },
    hint: 'the store repeats its page token',
  })
}
