import type { Readable } from 'node:stream'
import type { ContainerClient } from '@azure/storage-blob'
import type { Abortable } from '../../async/abort.ts'
import { isCnosError } from '../../errors/cnos-error.ts'
import { replacedMeanwhile, storedDiffers } from '../integrity.ts'
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
import { answeredMeta, bareEtag, expectRange } from '../ranged-answer.ts'
import type { StoreContext } from '../store-driver.ts'
import { type StoreIdentity, type StoreRequest, stalledError } from '../store-error.ts'
import { openContainer } from './client.ts'
import type { AzureCredential } from './credential.ts'
import { azureError } from './error.ts'
import { md5Of, slicedBody, startAzureUpload } from './upload.ts'

export interface AzureSettings {
  readonly account: string
  readonly container: string
  /** The container's address. */
  readonly base: URL
  readonly credential: AzureCredential
  readonly context: StoreContext
}

interface AzureSend extends StoreRequest, Abortable {}

/** What the upload needs of the store. */
export interface AzureRequests {
  readonly label: string
  send<T>(request: AzureSend, call: (container: ContainerClient, abortSignal: AbortSignal) => Promise<T>): Promise<T>
  head(path: string, options?: Abortable): Promise<ObjectMeta>
  delete(path: string, options?: Abortable): Promise<void>
  /** Compares what is stored under `etag` with what was sent. */
  verify(stored: StoredBlob): Promise<PutResult>
}

interface StoredBlob extends Abortable {
  readonly path: string
  readonly etag: string | undefined
  readonly sizeBytes: number
}

export function createAzureStore(settings: AzureSettings): ObjectStore {
  return new AzureStore(settings)
}

class AzureStore implements ObjectStore, AzureRequests {
  readonly label: string
  readonly #settings: AzureSettings
  readonly #identity: StoreIdentity
  readonly #retrier: Retrier
  #container: Promise<ContainerClient> | undefined

  constructor(settings: AzureSettings) {
    const { container, credential, context } = settings
    this.label = `azblob://${container}`
    this.#settings = settings
    const secret =
      credential.kind === 'key' ? credential.key : credential.kind === 'token' ? credential.token : undefined
    this.#identity = { label: this.label, kind: 'MicrosoftAzure', secrets: [secret] }
    this.#retrier = createRetrier(context.clock, context.patience)
  }

  async head(path: string, { signal }: Abortable = {}): Promise<ObjectMeta> {
    const answer = await this.send({ operation: 'HEAD', path, signal }, (container, abortSignal) =>
      container.getBlobClient(path).getProperties({ abortSignal }),
    )
    return answeredMeta(path, { size: answer.contentLength, modified: answer.lastModified, etag: answer.etag })
  }

  async get(path: string, { range, ifMatch, signal }: GetOptions = {}): Promise<GetResult> {
    const answer = await this.send({ operation: 'GET', path, signal }, (container, abortSignal) =>
      container.getBlobClient(path).download(range?.start ?? 0, range && range.end - range.start, {
        abortSignal,
        maxRetryRequests: 0,
        ...(ifMatch === undefined ? {} : { conditions: { ifMatch: `"${ifMatch}"` } }),
      }),
    )
    const stream = answer.readableStreamBody as Readable
    // The SDK reports loss by an error event before anybody may be listening.
    stream.on('error', () => {})
    const { start, end, size } = expectRange(
      { range, ifMatch, contentRange: answer.contentRange, length: answer.contentLength, etag: answer.etag },
      { label: this.label, path, discard: () => stream.destroy() },
    )
    const stallMs = this.#settings.context.patience?.stallMs ?? DEFAULT_PATIENCE.stallMs
    const context = { store: this.label, path }
    return {
      meta: answeredMeta(path, { size, modified: answer.lastModified, etag: answer.etag }),
      body: guardBody(stream, { expectedBytes: end - start, stallMs, context, signal }),
    }
  }

  async put(path: string, bytes: Uint8Array, { signal }: Abortable = {}): Promise<PutResult> {
    const sizeBytes = bytes.byteLength
    const md5 = md5Of(bytes)
    const answer = await this.send({ operation: 'PUT', path, signal }, (container, abortSignal) => {
      const options = { abortSignal, transactionalContentMD5: md5 }
      return container.getBlockBlobClient(path).upload(slicedBody(bytes, abortSignal), sizeBytes, options)
    })
    return this.verify({ path, etag: answer.etag, sizeBytes, signal })
  }

  putMultipart(path: string, options: PutMultipartOptions = {}): Promise<MultipartUpload> {
    return startAzureUpload(this, { path, context: this.#settings.context, ...options })
  }

  async *list(prefix: string, { signal }: Abortable = {}): AsyncIterable<ObjectMeta> {
    let continuationToken: string | undefined
    do {
      const page = await this.send({ operation: 'LIST', path: prefix, signal }, async (container, abortSignal) => {
        const settings = continuationToken === undefined ? {} : { continuationToken }
        const pages = container.listBlobsFlat({ prefix, abortSignal, includeMetadata: true }).byPage(settings)
        return (await pages.next()).value
      })
      for (const { name, properties, metadata } of page?.segment.blobItems ?? []) {
        if (metadata?.hdi_isfolder === 'true') continue
        const { contentLength: size, lastModified: modified, etag } = properties
        yield answeredMeta(name, { size, modified, etag })
      }
      continuationToken = page?.continuationToken === '' ? undefined : page?.continuationToken
    } while (continuationToken !== undefined)
  }

  async delete(path: string, { signal }: Abortable = {}): Promise<void> {
    try {
      await this.send({ operation: 'DELETE', path, signal }, (container, abortSignal) =>
        container.getBlobClient(path).delete({ abortSignal }),
      )
    } catch (error) {
      if (!isCnosError(error, 'OBJECT_NOT_FOUND') || error.context.remoteCode === 'ContainerNotFound') throw error
    }
  }

  /** Azure checked each block's MD5; the whole is right when it has our size and is still what we committed. */
  async verify({ path, etag: answered, sizeBytes, signal }: StoredBlob): Promise<PutResult> {
    const etag = bareEtag(answered)
    try {
      const found = await this.head(path, { signal })
      if (found.sizeBytes === sizeBytes && found.etag === etag) return { etag }
      if (found.etag !== etag) {
        throw replacedMeanwhile(this.label, path, { what: 'etag', sent: String(etag), stored: String(found.etag) })
      }
      const difference = { what: 'size', sent: `${sizeBytes} bytes`, stored: `${found.sizeBytes} bytes` }
      throw await storedDiffers(this, path, difference)
    } catch (error) {
      if (isCnosError(error, 'STORE_ACCESS_DENIED')) return { etag }
      throw error
    }
  }

  send<T>(request: AzureSend, call: (container: ContainerClient, abortSignal: AbortSignal) => Promise<T>): Promise<T> {
    return this.#retrier.run(
      async ({ signal }) => {
        try {
          this.#container ??= openContainer(this.#settings)
          return await call(await this.#container, signal)
        } catch (error) {
          signal.throwIfAborted()
          throw azureError(this.#identity, request, error, this.#settings.context.clock.nowNs())
        }
      },
      { signal: request.signal, stalled: (ms) => stalledError(this.#identity, request, ms) },
    )
  }
}
