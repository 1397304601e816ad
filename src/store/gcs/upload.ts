import { createHash, type Hash } from 'node:crypto'
import type { Abortable } from '../../async/abort.ts'
import { CnosError } from '../../errors/cnos-error.ts'
import type { MultipartUpload, ObjectStore, PutMultipartOptions, PutResult } from '../object-store.ts'
import type { StoreContext } from '../store-driver.ts'
import { createGcsChunks, type GcsChunks } from './chunks.ts'
import type { GcsRequests } from './requests.ts'
import { verifyGcsObject } from './verify.ts'

/** A multiple of 256 KiB, as the API demands of every chunk but the last. */
const CHUNK_BYTES = 8 * 1024 * 1024

export interface GcsTarget {
  readonly store: ObjectStore
  readonly requests: GcsRequests
  readonly path: string
  /** `…?uploadType=resumable&name=…` */
  readonly url: URL
  readonly context: StoreContext
}

/** Starts a resumable upload: https://cloud.google.com/storage/docs/performing-resumable-uploads */
export async function startGcsUpload(
  target: GcsTarget,
  { signal, sizeBytes }: PutMultipartOptions,
): Promise<MultipartUpload> {
  const { requests, path, url, context } = target
  const answer = await requests.sendForText({
    operation: 'PUT',
    path,
    signal,
    accepts: [200, 201],
    http: {
      method: 'POST',
      url,
      headers: { 'Content-Type': 'application/json', 'X-Upload-Content-Type': 'application/octet-stream' },
      body: Buffer.from('{}'),
    },
  })
  const location = answer.headers.location
  if (location === undefined || !URL.canParse(location, url.href)) throw noSession(requests.label, path)
  const session = sessionUrl(location, url)
  const deleteObject = () => target.store.delete(path)
  return new GcsUpload(target, createGcsChunks({ requests, path, session, context, deleteObject }), sizeBytes)
}

/**
 * The session's address, on the host that was permitted: emulators answer with names of their own, and nothing is sent
 * where the statement's user may not go.
 */
function sessionUrl(location: string, url: URL): URL {
  const session = new URL(location, url)
  session.protocol = url.protocol
  session.host = url.host
  session.port = url.port
  return session
}

function noSession(label: string, path: string): CnosError {
  return new CnosError('STORE_BAD_REQUEST', `object store error: ${label}/${path}: the store began no upload session`, {
    context: { store: label, path },
    hint: 'the store does not implement resumable uploads of the JSON API',
  })
}

/** Chunks go one after the other; the last goes with the end, so one that may be it is held back. */
class GcsUpload implements MultipartUpload {
  readonly partSizeBytes = CHUNK_BYTES
  readonly maxConcurrentParts = 1
  readonly #target: GcsTarget
  readonly #chunks: GcsChunks
  readonly #sizeBytes: number | undefined
  readonly #md5: Hash = createHash('md5')
  #held: Uint8Array | undefined
  #lastPart = 0
  #isOver = false

  constructor(target: GcsTarget, chunks: GcsChunks, sizeBytes: number | undefined) {
    this.#target = target
    this.#chunks = chunks
    this.#sizeBytes = sizeBytes
  }

  async putPart(partNumber: number, bytes: Uint8Array, { signal }: Abortable = {}): Promise<void> {
    if (partNumber === this.#lastPart && this.#held !== undefined) return
    if (partNumber !== this.#lastPart + 1) throw outOfOrder(partNumber, this.#lastPart)
    if (this.#held !== undefined) {
      await this.#chunks.append(this.#held, { signal })
      this.#held = undefined
    }
    if (this.#isBeforeEnd(bytes)) await this.#chunks.append(bytes, { signal })
    else this.#held = new Uint8Array(bytes)
    this.#md5.update(bytes)
    this.#lastPart = partNumber
  }

  #isBeforeEnd({ byteLength }: Uint8Array): boolean {
    return this.#sizeBytes !== undefined && this.#chunks.sentBytes + byteLength < this.#sizeBytes
  }

  async complete({ signal }: Abortable = {}): Promise<PutResult> {
    const last = this.#held ?? new Uint8Array(0)
    const sizeBytes = this.#chunks.sentBytes + last.byteLength
    const text = await this.#chunks.finish(last, { signal })
    this.#isOver = true
    this.#held = undefined
    const { store, path } = this.#target
    return verifyGcsObject(store, text, { path, md5: this.#md5.digest('base64'), sizeBytes })
  }

  async abort(): Promise<void> {
    if (this.#isOver) return
    this.#isOver = true
    this.#held = undefined
    await this.#chunks.cancel()
  }
}

function outOfOrder(partNumber: number, lastPart: number): CnosError {
  return new CnosError('INTERNAL', `part ${partNumber} came after part ${lastPart}: this store takes parts in order`)
}
