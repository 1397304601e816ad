import { open, readFile } from 'node:fs/promises'
import type { Abortable } from '../async/abort.ts'
import { withGrace } from '../async/grace.ts'
import { forEachLimited, type Limit } from '../async/limit.ts'
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

export interface UploadOptions extends Abortable {
  /** Bounds the parts in memory over all uploads of a statement. */
  readonly parts: Limit
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
  await parts.run(() => putWhole(store, path, file, { signal }), { signal })
  onBytes(file.sizeBytes)
}

async function putWhole(store: ObjectStore, path: string, file: FinishedFile, options: Abortable): Promise<void> {
  const bytes = await readFile(file.path)
  if (bytes.length !== file.sizeBytes) throw changedFile(file)
  await withGrace(COMMIT_GRACE_MS, options, (late) => store.put(path, bytes, late))
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
    (i, linked) =>
      parts.run(async () => {
        const start = i * partSizeBytes
        const bytes = Buffer.allocUnsafe(Math.min(partSizeBytes, file.sizeBytes - start))
        const { bytesRead } = await handle.read(bytes, 0, bytes.length, start)
        if (bytesRead !== bytes.length) throw changedFile(file)
        await upload.putPart(i + 1, bytes, linked)
        onBytes(bytes.length)
      }, linked),
    { signal },
  )
}

const changedFile = ({ path }: FinishedFile) => new CnosError('INTERNAL', `${path} changed its size while it was sent`)
