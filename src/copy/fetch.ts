import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { forEachLimited } from '../async/limit.ts'
import type { LocalFile } from '../format/file-format.ts'
import { localStoreError } from '../store/local-error.ts'
import { downloadRange, type Range, rangesOf } from './download.ts'
import { localFile } from './input-files.ts'
import type { SourceFile } from './list.ts'
import type { LoadJob } from './load-job.ts'
import type { LoadTally } from './load-tally.ts'

const PARALLEL_DOWNLOADS = 4

/** A file on its way into the spool. */
class Arrival {
  readonly source: SourceFile
  readonly path: string
  /** Never left unhandled. */
  readonly file: Promise<LocalFile>
  resolve: (file: LocalFile) => void = () => {}
  reject: (error: unknown) => void = () => {}
  isHere = false
  missingBytes: number
  handle: FileHandle | undefined

  constructor(source: SourceFile, path: string) {
    this.source = source
    this.path = path
    this.missingBytes = source.sizeBytes
    this.file = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
    this.file.catch(() => {})
  }
}

interface ArrivalRange {
  readonly arrival: Arrival
  readonly range: Range
}

/**
 * Fetches the files of a load into a directory of the spool, one after another in their order, some ranges at a time;
 * each is checked when it is whole. What does not fit the spool waits until files are discarded. Disposing ends it and
 * removes the files.
 */
export class Fetching implements AsyncDisposable {
  readonly #job: LoadJob
  readonly #directory: string
  readonly #tally: LoadTally
  readonly #arrivals: readonly Arrival[]
  readonly #stop = new AbortController()
  readonly #signal: AbortSignal
  readonly #ended: Promise<void>
  #heldBytes = 0
  #onRoom = () => {}

  private constructor(job: LoadJob, directory: string, tally: LoadTally) {
    const { signal } = job.options
    this.#job = job
    this.#directory = directory
    this.#tally = tally
    this.#arrivals = job.sources.map((source, i) => new Arrival(source, join(directory, String(i).padStart(8, '0'))))
    this.#signal = signal ? AbortSignal.any([signal, this.#stop.signal]) : this.#stop.signal
    this.#ended = this.#fetchAll()
  }

  static async start(job: LoadJob, tally: LoadTally): Promise<Fetching> {
    const { spoolDir } = job.options
    try {
      return new Fetching(job, await mkdtemp(join(spoolDir, 'load-')), tally)
    } catch (error) {
      throw localStoreError(error, spoolDir)
    }
  }

  /** Resolves when the file is whole and checked; rejects with what ended the fetching. */
  file(index: number): Promise<LocalFile> {
    return this.#arrivalAt(index).file
  }

  /** The file `from` and those behind it that are here already, without a gap. */
  async filesHere(from: number): Promise<readonly LocalFile[]> {
    let until = from + 1
    while (this.#arrivals[until]?.isHere) until += 1
    return Promise.all(this.#arrivals.slice(from, until).map(({ file }) => file))
  }

  all(): Promise<readonly LocalFile[]> {
    return Promise.all(this.#arrivals.map(({ file }) => file))
  }

  /** Removes a file that has come, and makes room for the next. */
  async discard(index: number): Promise<void> {
    const { path, source } = this.#arrivalAt(index)
    await rm(path, { force: true })
    this.#heldBytes -= source.sizeBytes
    this.#onRoom()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error('the files are not wanted any more'))
    await this.#ended
    await rm(this.#directory, { recursive: true, force: true })
  }

  #arrivalAt(index: number): Arrival {
    const arrival = this.#arrivals[index]
    if (!arrival) throw new RangeError(`there is no file ${index}`)
    return arrival
  }

  async #fetchAll(): Promise<void> {
    const parallel = this.#job.options.parallelDownloads ?? PARALLEL_DOWNLOADS
    try {
      await forEachLimited(this.#ranges(), parallel, (range, { signal }) => this.#fetchRange(range, signal), {
        signal: this.#signal,
      })
    } catch (error) {
      for (const { reject } of this.#arrivals) reject(error)
    } finally {
      // Only files that will not be used are still open.
      for (const { handle } of this.#arrivals) await handle?.close().catch(() => {})
    }
  }

  async *#ranges(): AsyncIterable<ArrivalRange> {
    for (const arrival of this.#arrivals) {
      await this.#takeRoom(arrival.source.sizeBytes)
      try {
        arrival.handle = await open(arrival.path, 'wx', 0o600)
      } catch (error) {
        throw localStoreError(error, arrival.path)
      }
      if (arrival.missingBytes === 0) await this.#finish(arrival, this.#signal)
      for (const range of rangesOf(arrival.source.sizeBytes)) yield { arrival, range }
    }
  }

  async #takeRoom(bytes: number): Promise<void> {
    while (this.#heldBytes > 0 && this.#heldBytes + bytes > this.#job.options.spoolBytes) {
      await new Promise<void>((resolve, reject) => {
        const onAbort = () => reject(this.#signal.reason)
        this.#onRoom = () => {
          this.#signal.removeEventListener('abort', onAbort)
          resolve()
        }
        this.#signal.throwIfAborted()
        this.#signal.addEventListener('abort', onAbort, { once: true })
      })
    }
    this.#heldBytes += bytes
  }

  async #fetchRange({ arrival, range }: ArrivalRange, signal: AbortSignal): Promise<void> {
    const { source, path, handle } = arrival
    if (!handle) throw new TypeError(`${path} is not open`)
    try {
      const options = { signal, onBytes: (bytes: number) => this.#tally.addFetched(bytes) }
      await downloadRange(this.#job.location.store, source, range, handle, options)
      arrival.missingBytes -= range.end - range.start
      if (arrival.missingBytes === 0) await this.#finish(arrival, signal)
    } catch (error) {
      const reason = signal.aborted ? signal.reason : localStoreError(error, path)
      // Whoever waits for room would wait for ever.
      this.#stop.abort(reason)
      throw reason
    }
  }

  async #finish(arrival: Arrival, signal: AbortSignal): Promise<void> {
    await arrival.handle?.close()
    arrival.handle = undefined
    const file = await localFile(this.#job.location, arrival.path, arrival.source.origin, { signal })
    arrival.isHere = true
    arrival.resolve(file)
  }
}
