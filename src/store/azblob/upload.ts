import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { Abortable } from '../../async/abort.ts'
import { CnosError, isCnosError } from '../../errors/cnos-error.ts'
import { partSizeFor } from '../integrity.ts'
import { reportProgress } from '../layers/retry.ts'
import type { MultipartUpload, PutMultipartOptions, PutResult } from '../object-store.ts'
import type { StoreContext } from '../store-driver.ts'
import type { AzureRequests } from './store.ts'

/** https://learn.microsoft.com/rest/api/storageservices/understanding-block-blobs--append-blobs--and-page-blobs */
const MAX_BLOCKS = 50_000
const MAX_CONCURRENT_PARTS = 4

export const md5Of = (bytes: Uint8Array): Buffer => createHash('md5').update(bytes).digest()

const SLICE_BYTES = 256 * 1024

/** Slice by slice, so that a slow network shows as progress and not as a stall. */
export function slicedBody(bytes: Uint8Array, signal: AbortSignal): () => Readable {
  function* slices() {
    for (let sent = 0; sent < bytes.byteLength; sent += SLICE_BYTES) {
      reportProgress(signal)
      yield bytes.subarray(sent, sent + SLICE_BYTES)
    }
  }
  return () => Readable.from(slices(), { highWaterMark: 1 })
}

export interface AzureTarget extends PutMultipartOptions {
  readonly path: string
  readonly context: StoreContext
}

/** Blocks need no start: they wait, invisible, for the list that makes them a blob. */
export async function startAzureUpload(store: AzureRequests, target: AzureTarget): Promise<MultipartUpload> {
  target.signal?.throwIfAborted()
  return new AzureUpload(store, target)
}

class AzureUpload implements MultipartUpload {
  readonly partSizeBytes: number
  readonly maxConcurrentParts = MAX_CONCURRENT_PARTS
  readonly #store: AzureRequests
  readonly #target: AzureTarget
  /** In every block id, so that two uploads to one name never mix and a commit can be recognised as ours. */
  readonly #tag: string
  readonly #sizes = new Map<number, number>()
  #isCommitting = false
  #isOver = false

  constructor(store: AzureRequests, target: AzureTarget) {
    this.#store = store
    this.#target = target
    this.partSizeBytes = partSizeFor(target.sizeBytes, MAX_BLOCKS)
    this.#tag = Math.floor(target.context.clock.random() * 2 ** 48)
      .toString(16)
      .padStart(12, '0')
  }

  async putPart(partNumber: number, bytes: Uint8Array, { signal }: Abortable = {}): Promise<void> {
    const { path } = this.#target
    const sizeBytes = bytes.byteLength
    if (partNumber > MAX_BLOCKS) throw tooManyBlocks(this.#store.label, path)
    const md5 = md5Of(bytes)
    await this.#store.send({ operation: 'PUT', path, signal }, (container, abortSignal) => {
      const options = { abortSignal, transactionalContentMD5: md5 }
      const blob = container.getBlockBlobClient(path)
      return blob.stageBlock(this.#blockId(partNumber), slicedBody(bytes, abortSignal), sizeBytes, options)
    })
    this.#sizes.set(partNumber, sizeBytes)
  }

  async complete({ signal }: Abortable = {}): Promise<PutResult> {
    const { path } = this.#target
    this.#isCommitting = true
    const sizeBytes = [...this.#sizes.values()].reduce((sum, size) => sum + size, 0)
    const answer = await this.#store.send({ operation: 'PUT', path, signal }, (container, abortSignal) =>
      container.getBlockBlobClient(path).commitBlockList(this.#blockIds(), { abortSignal }),
    )
    this.#isOver = true
    return this.#store.verify({ path, etag: answer.etag, sizeBytes, signal })
  }

  /** Azure has no request that drops staged blocks; it drops them itself after seven days, and nobody can see them. */
  async abort(): Promise<void> {
    if (this.#isOver) return
    this.#isOver = true
    if (this.#isCommitting) await this.#deleteIfCommitted()
  }

  /** A commit whose answer never came may have made the blob after all. */
  async #deleteIfCommitted(): Promise<void> {
    const { path, context } = this.#target
    try {
      const { committedBlocks = [] } = await this.#store.send({ operation: 'GET', path }, (container, abortSignal) =>
        container.getBlockBlobClient(path).getBlockList('committed', { abortSignal }),
      )
      if (committedBlocks.some(({ name }) => name === this.#blockId(1))) await this.#store.delete(path)
    } catch (error) {
      if (isCnosError(error, 'OBJECT_NOT_FOUND')) return
      const reason = error instanceof Error ? error.message : String(error)
      context.warn(`${this.#store.label}/${path} may be left behind: ${reason}`)
    }
  }

  #blockIds(): string[] {
    return [...this.#sizes.keys()].sort((a, b) => a - b).map((partNumber) => this.#blockId(partNumber))
  }

  #blockId(partNumber: number): string {
    return Buffer.from(`${this.#tag}-${String(partNumber).padStart(6, '0')}`).toString('base64')
  }
}

function tooManyBlocks(label: string, path: string): CnosError {
  return new CnosError(
    'UNSUPPORTED',
    `object store error: ${label}/${path} would need more than ${MAX_BLOCKS} blocks`,
    {
      context: { store: label, path },
      hint: 'write smaller files',
    },
  )
}
