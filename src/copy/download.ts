import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Abortable } from '../async/abort.ts'
import { forEachLimited, Limit } from '../async/limit.ts'
import { CnosError } from '../errors/cnos-error.ts'
import { readResuming } from '../store/layers/resume.ts'
import { localStoreError } from '../store/local-error.ts'
import type { ObjectStore } from '../store/object-store.ts'
import type { SourceFile } from './list.ts'

const RANGE_BYTES = 8 * 1024 * 1024

/** Fetches files of a store into a directory of its own, `parallel` ranges at a time over all files. */
export class Downloader implements AsyncDisposable {
  readonly #store: ObjectStore
  readonly #directory: string
  readonly #ranges: Limit
  readonly #onBytes: (bytes: number) => void
  #files = 0

  private constructor(state: {
    readonly store: ObjectStore
    readonly directory: string
    readonly ranges: Limit
    readonly onBytes: (bytes: number) => void
  }) {
    this.#store = state.store
    this.#directory = state.directory
    this.#ranges = state.ranges
    this.#onBytes = state.onBytes
  }

  static async open(
    store: ObjectStore,
    spoolDir: string,
    { parallel, onBytes }: { readonly parallel: number; readonly onBytes: (bytes: number) => void },
  ): Promise<Downloader> {
    try {
      const directory = await mkdtemp(join(spoolDir, 'load-'))
      return new Downloader({ store, directory, ranges: new Limit(parallel), onBytes })
    } catch (error) {
      throw localStoreError(error, spoolDir)
    }
  }

  /** The local path of the whole object, its size checked. STORE_PRECONDITION when it changed since it was listed. */
  async fetch(source: SourceFile, options: Abortable = {}): Promise<string> {
    this.#files += 1
    const path = join(this.#directory, String(this.#files).padStart(8, '0'))
    try {
      await using handle = await open(path, 'wx', 0o600)
      await forEachLimited(
        rangesOf(source.sizeBytes),
        this.#ranges.capacity,
        (range, { signal }) => this.#ranges.run(() => this.#fetchRange(source, range, handle, { signal }), { signal }),
        options,
      )
      return path
    } catch (error) {
      options.signal?.throwIfAborted()
      throw localStoreError(error, path)
    }
  }

  async #fetchRange(source: SourceFile, range: Range, handle: FileHandle, { signal }: Abortable): Promise<void> {
    const { body } = await readResuming(this.#store, source.path, { range, ifMatch: source.etag, signal })
    let position = range.start
    for await (const chunk of body) {
      for (let written = 0; written < chunk.byteLength; ) {
        const result = await handle.write(chunk, written, chunk.byteLength - written, position + written)
        written += result.bytesWritten
      }
      position += chunk.byteLength
      this.#onBytes(chunk.byteLength)
    }
    if (position !== range.end) throw shortObject(source, position)
  }

  async discard(path: string): Promise<void> {
    await rm(path, { force: true })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true })
  }
}

interface Range {
  readonly start: number
  readonly end: number
}

function* rangesOf(sizeBytes: number): Iterable<Range> {
  for (let start = 0; start < sizeBytes; start += RANGE_BYTES) {
    yield { start, end: Math.min(start + RANGE_BYTES, sizeBytes) }
  }
}

function shortObject({ origin, sizeBytes }: SourceFile, position: number): CnosError {
  return new CnosError('FILE_TRUNCATED', `${origin}: ${position} bytes came of the ${sizeBytes} that were listed`, {
    context: { file: origin },
    hint: 'the object was replaced while it was read, or the store cuts answers short: run the statement again',
  })
}
