import { type FileHandle, open } from 'node:fs/promises'
import type { Abortable } from '../async/abort.ts'
import { withGrace } from '../async/grace.ts'
import { forEachLimited, Limit } from '../async/limit.ts'
import { CnosError } from '../errors/cnos-error.ts'
import type { MultipartUpload, ObjectStore } from '../store/object-store.ts'
import type { FinishedFile } from './finished-files.ts'

/** Up to this size a file goes in one request. */
const SINGLE_PUT_BYTES = 8 * 1024 * 1024
/**
 * A store may finish a request whose sender has gone, and so make an object after its deletion: the requests that make
 * one get this long to end by themselves.
 */
const COMMIT_GRACE_MS = 5_000

/** The parts of all uploads of a statement that are in memory at once. Fresh memory for each would cost page faults. */
export class PartSlots {
  readonly #slots: Limit
  readonly #free: Buffer[] = []

  constructor(capacity: number) {
    this.#slots = new Limit(capacity)
  }

  get capacity(): number {
    return this.#slots.capacity
  }

  /** Lends `task` so many bytes when a slot is free. After a failure nobody else gets them: they may still be read. */
  run(bytes: number, task: (part: Buffer) => Promise<void>, options: Abortable): Promise<void> {
    return this.#slots.run(async () => {
      const found = this.#free.pop()
      const buffer = found !== undefined && found.length >= bytes ? found : Buffer.allocUnsafeSlow(bytes)
      await task(buffer.subarray(0, bytes))
      this.#free.push(buffer)
    }, options)
  }
}

export interface UploadOptions extends Abortable {
  readonly parts: PartSlots
  readonly onBytes: (bytes: number) => void
}

/** Sends a finished file. The store compares what it holds with what was sent: STORE_PRECONDITION when they differ. */
export async function uploadFile(
  store: ObjectStore,
  path: string,
  file: FinishedFile,
  options: UploadOptions,
): Promise<void> {
  const { signal, parts, onBytes } = options
  if (file.sizeBytes > SINGLE_PUT_BYTES) return uploadParts(store, path, file, options)
  await parts.run(file.sizeBytes, (bytes) => putWhole(store, path, file, bytes, { signal }), { signal })
  onBytes(file.sizeBytes)
}

async function putWhole(
  store: ObjectStore,
  path: string,
  file: FinishedFile,
  bytes: Buffer,
  options: Abortable,
): Promise<void> {
  await using handle = await open(file.path, 'r')
  await readPart(handle, file, bytes, 0)
  await withGrace(COMMIT_GRACE_MS, options, (late) => store.put(path, bytes, late))
}

/** Fills `part` from `start`. */
async function readPart(handle: FileHandle, file: FinishedFile, part: Buffer, start: number): Promise<void> {
  const { bytesRead } = await handle.read(part, 0, part.length, start)
  if (bytesRead !== part.length) throw changedFile(file)
}

async function uploadParts(
  store: ObjectStore,
  path: string,
  file: FinishedFile,
  options: UploadOptions,
): Promise<void> {
  const { signal } = options
  const upload = await store.putMultipart(path, { signal, sizeBytes: file.sizeBytes })
  try {
    await sendParts(upload, file, options)
    await withGrace(COMMIT_GRACE_MS, { signal }, (late) => upload.complete(late))
  } catch (error) {
    await upload.abort()
    throw error
  }
}

async function sendParts(
  upload: MultipartUpload,
  file: FinishedFile,
  { signal, parts, onBytes }: UploadOptions,
): Promise<void> {
  await using handle = await open(file.path, 'r')
  const { partSizeBytes, maxConcurrentParts } = upload
  await forEachLimited(
    Array.from({ length: Math.ceil(file.sizeBytes / partSizeBytes) }, (_, i) => i),
    Math.min(maxConcurrentParts, parts.capacity),
    (i, linked) => {
      const start = i * partSizeBytes
      return parts.run(
        Math.min(partSizeBytes, file.sizeBytes - start),
        async (part) => {
          await readPart(handle, file, part, start)
          await upload.putPart(i + 1, part, linked)
          onBytes(part.length)
        },
        linked,
      )
    },
    { signal },
  )
}

const changedFile = ({ path }: FinishedFile) => new CnosError('INTERNAL', `${path} changed its size while it was sent`)
