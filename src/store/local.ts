import { open, rm, rmdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Abortable } from '../async/abort.ts'
import { CnosError } from '../errors/cnos-error.ts'
import { localStoreError } from './local-error.ts'
import { listFiles } from './local-list.ts'
import { confineToRoots, fileOf } from './local-path.ts'
import { moveIntoPlace, renameDurably, temporaryName } from './local-publish.ts'
import { makeDirectories } from './make-directories.ts'
import type {
  FileAccess,
  GetOptions,
  GetResult,
  MultipartUpload,
  ObjectMeta,
  ObjectStore,
  PutMultipartOptions,
  PutResult,
} from './object-store.ts'
import { defineStoreDriver, type StoreContext } from './store-driver.ts'

const PART_SIZE_BYTES = 8 * 1024 * 1024
const MAX_CONCURRENT_PARTS = 4
const CHUNK_BYTES = 1024 * 1024

/** Files of the server's machine. An object's path is the absolute file path without its leading slash. */
export const local = defineStoreDriver({
  schemes: ['file'],
  connection: {},
  open: (_url, _connection, context) => new LocalStore(context),
})

interface FileStat {
  readonly size: number
  readonly mtimeMs: number
  readonly mtime: Date
  readonly ino: number
}

function metaOf(path: string, found: FileStat): ObjectMeta {
  const etag = `${found.ino.toString(16)}-${Math.round(found.mtimeMs * 1000).toString(16)}-${found.size.toString(16)}`
  return { path, sizeBytes: found.size, lastModified: found.mtime, etag }
}

class LocalStore implements ObjectStore {
  readonly label = 'file://'
  readonly files: FileAccess
  readonly #context: StoreContext
  /** Directories that this store made, so that `delete` can take them away again when they are empty. */
  readonly #made = new Set<string>()

  constructor(context: StoreContext) {
    this.#context = context
    this.files = {
      filePath: (path) => this.#confined(path),
      adopt: (path, from, options) => this.#adopt(path, from, options),
    }
  }

  async head(path: string, { signal }: Abortable = {}): Promise<ObjectMeta> {
    signal?.throwIfAborted()
    const file = await this.#confined(path)
    return metaOf(path, await this.#statFile(file))
  }

  async get(path: string, { range, ifMatch, signal }: GetOptions = {}): Promise<GetResult> {
    const file = await this.#confined(path)
    const meta = metaOf(path, await this.#statFile(file))
    if (ifMatch !== undefined && meta.etag !== ifMatch) throw changed(file)
    const start = range?.start ?? 0
    const end = Math.min(range?.end ?? meta.sizeBytes, meta.sizeBytes)
    signal?.throwIfAborted()
    return { meta, body: readFileRange(file, { start, end, etag: meta.etag, signal }) }
  }

  async put(path: string, bytes: Uint8Array, options: Abortable = {}): Promise<PutResult> {
    const upload = await this.putMultipart(path, options)
    try {
      await upload.putPart(1, bytes, options)
      return await upload.complete(options)
    } catch (error) {
      await upload.abort()
      throw error
    }
  }

  async putMultipart(path: string, { signal }: PutMultipartOptions = {}): Promise<MultipartUpload> {
    signal?.throwIfAborted()
    const file = await this.#confined(path)
    await this.#makeParent(file)
    const temporary = temporaryName(file, this.#context.clock)
    try {
      const handle = await open(temporary, 'wx')
      return new LocalUpload({ handle, temporary, file, path })
    } catch (error) {
      throw localStoreError(error, file)
    }
  }

  async *list(prefix: string, { signal }: Abortable = {}): AsyncIterable<ObjectMeta> {
    for (const { path, found } of await listFiles(prefix, { roots: this.#context.localRoots, signal })) {
      yield metaOf(path, found)
    }
  }

  async delete(path: string, { signal }: Abortable = {}): Promise<void> {
    signal?.throwIfAborted()
    const file = await this.#confined(path)
    try {
      await rm(file, { force: true })
    } catch (error) {
      throw localStoreError(error, file)
    }
    await this.#removeMadeDirectories(dirname(file))
  }

  async #adopt(path: string, from: string, { signal }: Abortable = {}): Promise<PutResult> {
    signal?.throwIfAborted()
    const file = await this.#confined(path)
    await this.#makeParent(file)
    try {
      await moveIntoPlace(from, file, this.#context.clock)
      return { etag: metaOf(path, await stat(file)).etag }
    } catch (error) {
      throw localStoreError(error, file)
    }
  }

  #confined(path: string): Promise<string> {
    return confineToRoots(fileOf(path), this.#context.localRoots)
  }

  async #statFile(file: string): Promise<FileStat> {
    try {
      const found = await stat(file)
      if (found.isDirectory()) throw Object.assign(new Error('is directory'), { code: 'EISDIR' })
      if (!found.isFile()) throw Object.assign(new Error('it is no regular file'), { code: 'EINVAL' })
      return found
    } catch (error) {
      throw localStoreError(error, file)
    }
  }

  async #makeParent(file: string): Promise<void> {
    const parent = dirname(file)
    try {
      const first = await makeDirectories(parent)
      if (first === undefined) return
      for (let made = parent; made.length >= first.length; made = dirname(made)) this.#made.add(made)
    } catch (error) {
      throw localStoreError(error, parent)
    }
  }

  async #removeMadeDirectories(start: string): Promise<void> {
    for (let directory = start; this.#made.has(directory); directory = dirname(directory)) {
      try {
        await rmdir(directory)
        this.#made.delete(directory)
      } catch {
        return
      }
    }
  }
}

function changed(file: string): CnosError {
  return new CnosError('STORE_PRECONDITION', `object store error: ${file} changed while it was read`, {
    context: { store: 'file://', path: file },
    hint: 'run the statement again when nothing writes to the file',
  })
}

interface ReadRange extends Abortable {
  readonly start: number
  readonly end: number
  /** The file must still be this one when it is opened. */
  readonly etag: string | undefined
}

async function* readFileRange(file: string, { start, end, etag, signal }: ReadRange): AsyncGenerator<Uint8Array> {
  if (end <= start) return
  let left = end - start
  try {
    await using handle = await open(file, 'r')
    if (metaOf('', await handle.stat()).etag !== etag) throw changed(file)
    const stream = handle.createReadStream({
      start,
      end: end - 1,
      highWaterMark: CHUNK_BYTES,
      autoClose: false,
      signal,
    })
    for await (const chunk of stream) {
      left -= chunk.length
      yield chunk
    }
  } catch (error) {
    signal?.throwIfAborted()
    throw localStoreError(error, file)
  }
  if (left > 0) throw changed(file)
}

interface LocalUploadState {
  readonly handle: Awaited<ReturnType<typeof open>>
  readonly temporary: string
  readonly file: string
  readonly path: string
}

class LocalUpload implements MultipartUpload {
  readonly partSizeBytes = PART_SIZE_BYTES
  readonly maxConcurrentParts = MAX_CONCURRENT_PARTS
  readonly #state: LocalUploadState
  readonly #sizes = new Map<number, number>()

  constructor(state: LocalUploadState) {
    this.#state = state
  }

  async putPart(partNumber: number, bytes: Uint8Array, { signal }: Abortable = {}): Promise<void> {
    signal?.throwIfAborted()
    const base = (partNumber - 1) * PART_SIZE_BYTES
    try {
      for (let written = 0; written < bytes.byteLength; ) {
        const result = await this.#state.handle.write(bytes, written, bytes.byteLength - written, base + written)
        written += result.bytesWritten
      }
    } catch (error) {
      throw localStoreError(error, this.#state.file)
    }
    this.#sizes.set(partNumber, bytes.byteLength)
  }

  async complete({ signal }: Abortable = {}): Promise<PutResult> {
    signal?.throwIfAborted()
    const { handle, temporary, file, path } = this.#state
    const expected = [...this.#sizes.values()].reduce((sum, size) => sum + size, 0)
    try {
      const found = await handle.stat()
      if (found.size !== expected) throw shortFile(file, found.size, expected)
      await handle.sync()
      await handle.close()
      await renameDurably(temporary, file)
      return { etag: metaOf(path, found).etag }
    } catch (error) {
      throw localStoreError(error, file)
    }
  }

  async abort(): Promise<void> {
    const { handle, temporary } = this.#state
    await handle.close().catch(() => {})
    await rm(temporary, { force: true }).catch(() => {})
  }
}

function shortFile(file: string, sizeBytes: number, expected: number): CnosError {
  return new CnosError(
    'STORE_PRECONDITION',
    `object store error: ${file} holds ${sizeBytes} bytes although ${expected} were written`,
    { context: { store: 'file://', path: file } },
  )
}
