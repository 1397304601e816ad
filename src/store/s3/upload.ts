import { createHash } from 'node:crypto'
import type { Abortable } from '../../async/abort.ts'
import { CnosError, isCnosError } from '../../errors/cnos-error.ts'
import { partSizeFor } from '../integrity.ts'
import type { MultipartUpload, PutMultipartOptions, PutResult } from '../object-store.ts'
import { bareEtag } from '../ranged-answer.ts'
import { isMd5Etag, md5Of, verifyStored } from './integrity.ts'
import type { S3Requests } from './store.ts'

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const MAX_PARTS = 10_000
const MAX_CONCURRENT_PARTS = 4

interface SentPart {
  readonly etag: string
  readonly md5: Buffer
  readonly sizeBytes: number
}

/** Starts a multi-part upload. An upload the store began without our hearing of it is aborted as well. */
export async function startS3Upload(
  store: S3Requests,
  path: string,
  { sizeBytes, signal }: PutMultipartOptions,
): Promise<MultipartUpload> {
  let tries = 0
  const answer = await store.send({ operation: 'PUT', path, signal }, (client, options, tryNumber) => {
    tries = tryNumber
    return client.createMultipartUpload({ Bucket: store.base, Key: path }, options)
  })
  if (answer.UploadId === undefined) throw noUploadId(store.label, path)
  return new S3Upload(store, {
    path,
    uploadId: answer.UploadId,
    partSizeBytes: partSizeFor(sizeBytes, MAX_PARTS),
    mayHaveOrphans: tries > 1,
  })
}

interface S3UploadState {
  readonly path: string
  readonly uploadId: string
  readonly partSizeBytes: number
  /** The create request was repeated: its first answer may have been lost together with an upload id. */
  readonly mayHaveOrphans: boolean
}

class S3Upload implements MultipartUpload {
  readonly maxConcurrentParts = MAX_CONCURRENT_PARTS
  readonly #store: S3Requests
  readonly #state: S3UploadState
  readonly #parts = new Map<number, SentPart>()
  #isCompleting = false
  #isOver = false

  constructor(store: S3Requests, state: S3UploadState) {
    this.#store = store
    this.#state = state
  }

  get partSizeBytes(): number {
    return this.#state.partSizeBytes
  }

  async putPart(partNumber: number, bytes: Uint8Array, { signal }: Abortable = {}): Promise<void> {
    if (partNumber > MAX_PARTS) throw tooManyParts(this.#store.label, this.#state)
    const { path, uploadId } = this.#state
    const md5 = md5Of(bytes)
    const request = { operation: 'PUT', path, signal }
    const answer = await this.#store.send(request, async (client, options) => {
      const input = {
        Bucket: this.#store.base,
        Key: path,
        UploadId: uploadId,
        PartNumber: partNumber,
        Body: bytes,
        ContentMD5: md5.toString('base64'),
      }
      return client.uploadPart(input, options)
    })
    const etag = bareEtag(answer.ETag) ?? ''
    if (isMd5Etag(this.#store, answer) && etag !== md5.toString('hex'))
      throw wrongPart(this.#store.label, path, partNumber)
    this.#parts.set(partNumber, { etag, md5, sizeBytes: bytes.byteLength })
  }

  async complete({ signal }: Abortable = {}): Promise<PutResult> {
    if (this.#parts.size === 0) await this.putPart(1, new Uint8Array(0), { signal })
    this.#isCompleting = true
    const { path } = this.#state
    const expectedEtag = this.#expectedEtag()
    const sizeBytes = [...this.#parts.values()].reduce((sum, part) => sum + part.sizeBytes, 0)
    const answer = await this.#sendComplete({ signal })
    this.#isOver = true
    if (this.#state.mayHaveOrphans) await this.#abortOrphans()
    return verifyStored(this.#store, { path, answer, expectedEtag, sizeBytes, signal })
  }

  async #sendComplete({ signal }: Abortable): Promise<{ readonly ETag?: string | undefined }> {
    const { path, uploadId } = this.#state
    const parts = [...this.#parts].sort(([a], [b]) => a - b)
    let tries = 0
    try {
      return await this.#store.send({ operation: 'PUT', path, signal }, (client, options, tryNumber) => {
        tries = tryNumber
        const Parts = parts.map(([PartNumber, { etag }]) => ({ PartNumber, ETag: `"${etag}"` }))
        const input = { Bucket: this.#store.base, Key: path, UploadId: uploadId, MultipartUpload: { Parts } }
        return client.completeMultipartUpload(input, options)
      })
    } catch (error) {
      // The upload is gone after a repeated request: the first one succeeded and its answer was lost.
      if (tries < 2 || !isCnosError(error) || error.context.remoteCode !== 'NoSuchUpload') throw error
      const found = await this.#store.head(path, { signal })
      return { ETag: found.etag }
    }
  }

  /** MD5 of the parts' MD5s, a dash, their number. */
  #expectedEtag(): string {
    const hash = createHash('md5')
    for (const [, part] of [...this.#parts].sort(([a], [b]) => a - b)) hash.update(part.md5)
    return `${hash.digest('hex')}-${this.#parts.size}`
  }

  async abort(): Promise<void> {
    if (this.#isOver) return
    this.#isOver = true
    const wasGone = await this.#abortUpload(this.#state.uploadId)
    if (wasGone && this.#isCompleting) await this.#deleteIfCompleted()
    if (this.#state.mayHaveOrphans) await this.#abortOrphans()
  }

  /** Resolves to whether the store no longer knew the upload. */
  async #abortUpload(uploadId: string): Promise<boolean> {
    const { path } = this.#state
    try {
      await this.#store.send({ operation: 'DELETE', path }, (client, options) =>
        client.abortMultipartUpload({ Bucket: this.#store.base, Key: path, UploadId: uploadId }, options),
      )
      return false
    } catch (error) {
      if (isCnosError(error, 'OBJECT_NOT_FOUND')) return true
      const reason = error instanceof Error ? error.message : String(error)
      this.#store.warn(`a multi-part upload of ${this.#store.label}/${path} is left behind: ${reason}`)
      return false
    }
  }

  /** A complete request whose answer never came may have made the object after all. */
  async #deleteIfCompleted(): Promise<void> {
    const { path } = this.#state
    try {
      const found = await this.#store.head(path)
      if (found.etag === this.#expectedEtag()) await this.#store.delete(path)
    } catch (error) {
      if (isCnosError(error, 'OBJECT_NOT_FOUND')) return
      this.#store.warn(`${this.#store.label}/${path} may be left behind: ${String(error)}`)
    }
  }

  /** Best effort: it needs the permission to list uploads. */
  async #abortOrphans(): Promise<void> {
    const { path, uploadId } = this.#state
    try {
      const answer = await this.#store.send({ operation: 'LIST', path }, (client, options) =>
        client.listMultipartUploads({ Bucket: this.#store.base, Prefix: path }, options),
      )
      for (const { Key, UploadId } of answer.Uploads ?? []) {
        if (Key === path && UploadId !== undefined && UploadId !== uploadId) await this.#abortUpload(UploadId)
      }
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      this.#store.warn(`cannot look for forgotten multi-part uploads of ${this.#store.label}/${path}: ${reason}`)
    }
  }
}

function noUploadId(label: string, path: string): CnosError {
  return new CnosError(
    'STORE_BAD_REQUEST',
    `object store error: ${label}/${path}: the store began an upload without an id`,
    {
      context: { store: label, path },
    },
  )
}

function wrongPart(label: string, path: string, partNumber: number): CnosError {
  return new CnosError(
    'STORE_PRECONDITION',
    `object store error: part ${partNumber} of ${label}/${path} is not what was sent: its etag differs`,
    { context: { store: label, path }, hint: 'something between here and the store changes bytes' },
  )
}

function tooManyParts(label: string, { path, partSizeBytes }: S3UploadState): CnosError {
  const gib = Math.floor((MAX_PARTS * partSizeBytes) / 1024 ** 3)
  return new CnosError('UNSUPPORTED', `object store error: ${label}/${path} would be larger than ${gib} GiB`, {
    context: { store: label, path },
    hint: 'write smaller files',
  })
}
