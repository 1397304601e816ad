import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Abortable } from '../async/abort.ts'
import type { Session } from '../engine/engine.ts'
import { quoteString } from '../engine/quote.ts'
import { CnosError } from '../errors/cnos-error.ts'
import { type FinishedFile, finishedFiles } from './finished-files.ts'
import { gzipFile } from './gzip-file.ts'
import { sampleRowBytes, sliceOf, takeSlice, timeHistogram } from './slices.ts'
import { encodedSelect, encodeOptions, type UnloadJob } from './unload-job.ts'

/** Rows on their way into files of the spool. */
export interface SpoolEncoding {
  readonly job: UnloadJob
  readonly directory: string
  readonly fileBytes: number
  /** Encoded so far. */
  rows: bigint
  percent: number
}

const WATCH_EVERY_MS = 100

/** One statement over all rows. NO_SPACE when files pile up beyond the spool because the store is too slow. */
export async function* encodeWhole(state: SpoolEncoding, { signal }: Abortable): AsyncIterable<FinishedFile> {
  const { job, directory } = state
  const target = join(directory, 'rows')
  const stop = new AbortController()
  const linked = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal
  const unwatch = watchSpool(target, job.options.spoolBytes, (error) => stop.abort(error))
  const encoding = job.engine.copyTo(
    encodedSelect(job, job.relation.select),
    target,
    encodeOptions(job, state.fileBytes),
    {
      signal: linked,
      onProgress: ({ percent, rows }) => {
        state.percent = percent
        job.options.onProgress?.({ percent, rows, bytes: 0 })
      },
    },
  )
  try {
    yield* packedFiles(job, target, encoding, { signal: linked })
    state.rows = await encoding
  } finally {
    unwatch()
    stop.abort()
    await encoding.catch(() => {})
  }
}

/** One statement a slice of time, in the session's transaction; a slice begins when the files of the last were taken. */
export async function* encodeSlices(
  state: SpoolEncoding,
  session: Session,
  { signal }: Abortable,
): AsyncIterable<FinishedFile> {
  const { job, directory } = state
  const histogram = [...(await timeHistogram(session, job.relation, { signal }))]
  const total = histogram.reduce((sum, { rows }) => sum + rows, 0n)
  const sampledRowBytes = await sampleRowBytes(session, job.relation, { signal })
  let bytes = 0
  for (let n = 0; histogram.length > 0; n += 1) {
    const slice = takeSlice(histogram, rowsThatFit(state, n === 0 ? sampledRowBytes : bytes / Number(state.rows)))
    const target = join(directory, `slice-${n}`)
    const sql = `COPY (${encodedSelect(job, sliceOf(job.relation, slice))}) TO ${quoteString(target)} (${encodeOptions(job, state.fileBytes)})`
    const stop = new AbortController()
    const linked = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal
    const encoding = session.run(sql, { signal: linked })
    try {
      for await (const file of packedFiles(job, target, encoding, { signal: linked })) {
        bytes += file.sizeBytes
        yield file
      }
      state.rows += await encoding
      state.percent = (Number(state.rows) / Math.max(Number(total), 1)) * 100
    } finally {
      stop.abort()
      await encoding.catch(() => {})
    }
  }
}

/** A quarter of the spool a slice: the rest is for files on their way. */
function rowsThatFit({ job }: SpoolEncoding, rowBytes: number): bigint {
  return BigInt(Math.max(1, Math.floor(job.options.spoolBytes / 4 / Math.max(rowBytes, 1))))
}

/** Nothing when no row came: the encoder leaves a file without rows then. */
async function* packedFiles(
  { writer }: UnloadJob,
  directory: string,
  encoding: Promise<bigint>,
  options: Abortable,
): AsyncIterable<FinishedFile> {
  const none = encoding.then((rows) => rows === 0n)
  none.catch(() => {})
  for await (const file of finishedFiles(directory, encoding)) {
    // Before the encoding has ended a finished file is one of several, so that it has rows.
    if (await Promise.race([none, Promise.resolve(false)])) return
    yield writer.compression === 'gzip' ? await gzipFile(file, options) : file
  }
}

function watchSpool(directory: string, limit: number, onOverflow: (error: CnosError) => void): () => void {
  const timer = setInterval(() => {
    bytesIn(directory).then((bytes) => {
      if (bytes <= limit) return
      onOverflow(
        new CnosError(
          'NO_SPACE',
          `${bytes} encoded bytes wait in the spool, which takes ${limit}: the store is too slow`,
          {
            hint: 'start the server with a larger --spool, or export the table itself or a shorter range of time',
          },
        ),
      )
    })
  }, WATCH_EVERY_MS)
  return () => clearInterval(timer)
}

async function bytesIn(directory: string): Promise<number> {
  const names = await readdir(directory).catch(() => [])
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(directory, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}
