import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Abortable } from '../async/abort.ts'
import { forEachLimited } from '../async/limit.ts'
import type { Session } from '../engine/engine.ts'
import { CnosError, isCnosError } from '../errors/cnos-error.ts'
import { localStoreError } from '../store/local-error.ts'
import { encodeSlices, encodeWhole, type SpoolEncoding } from './encode.ts'
import type { FinishedFile } from './finished-files.ts'
import type { CopyStats } from './location.ts'
import { canSlice } from './slices.ts'
import { fileBytesOf, fileName, pathBelow, type UnloadJob } from './unload-job.ts'
import { PartSlots, uploadFile } from './upload.ts'

const PARALLEL_UPLOADS = 4
/** For deleting the objects of an export that failed. */
const CLEAN_UP_WITHIN_MS = 180_000
const LISTED = 10
const SMALLEST_FILE_BYTES = 1024 * 1024

/** What an unload has come to. */
interface StoreUnload {
  readonly job: UnloadJob
  readonly encoding: SpoolEncoding
  readonly uploads: number
  readonly parts: PartSlots
  /** Every object that may have come to be. */
  readonly begun: string[]
  files: number
  bytes: number
  sentBytes: number
}

/**
 * Encodes into the spool and sends each finished file while the next is being encoded. Rows that can be told apart by
 * time are encoded in slices, the next one when the last file of the one before is on its way: so a slow store holds
 * up the encoder, and the spool keeps its bound. On failure every object of this statement is deleted.
 */
export async function unloadToStore(job: UnloadJob): Promise<CopyStats> {
  const { engine, relation, options } = job
  const directory = await spoolDirectory(options.spoolDir)
  const uploads = options.parallelUploads ?? PARALLEL_UPLOADS
  const fileBytes = Math.max(SMALLEST_FILE_BYTES, Math.floor(options.spoolBytes / (4 * uploads)))
  const encoding = { job, directory, fileBytes: Math.min(fileBytesOf(job), fileBytes), rows: 0n, percent: -1 }
  const state: StoreUnload = {
    job,
    encoding,
    uploads,
    parts: new PartSlots(uploads),
    begun: [],
    files: 0,
    bytes: 0,
    sentBytes: 0,
  }
  const waiting: Abortable = { signal: options.signal }
  try {
    if (await canSlice(engine, relation, waiting)) {
      await engine.transaction((session) => sendAll(state, session), waiting)
    } else await sendAll(state, undefined)
    return { files: state.files, rows: encoding.rows, bytes: state.bytes }
  } catch (error) {
    const leftBehind = await deleteBegun(state)
    const reason: unknown = options.signal?.aborted ? options.signal.reason : error
    throw leftBehind.length > 0 ? withLeftovers(reason, leftBehind) : reason
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function spoolDirectory(spoolDir: string): Promise<string> {
  try {
    return await mkdtemp(join(spoolDir, 'unload-'))
  } catch (error) {
    throw localStoreError(error, spoolDir)
  }
}

/** With a session: in slices inside its transaction, so that all of them see the same rows. */
async function sendAll(state: StoreUnload, session: Session | undefined): Promise<void> {
  const { job, encoding, uploads } = state
  const outer = job.options.signal
  const stop = new AbortController()
  const signal = outer ? AbortSignal.any([outer, stop.signal]) : stop.signal
  const files = session ? encodeSlices(encoding, session, { signal }) : encodeWhole(encoding, { signal })
  try {
    await forEachLimited(files, uploads, (file, linked) => sendOrStop(state, file, stop, linked), { signal: outer })
  } finally {
    stop.abort()
  }
}

/** A failed upload stops the encoder at once, which would otherwise go on until its next file. */
async function sendOrStop(
  state: StoreUnload,
  file: FinishedFile,
  stop: AbortController,
  linked: Abortable,
): Promise<void> {
  try {
    await send(state, file, linked)
  } catch (error) {
    stop.abort(error)
    throw error
  }
}

async function send(state: StoreUnload, file: FinishedFile, { signal }: Abortable): Promise<void> {
  const { job, encoding, parts, begun } = state
  const { location, options } = job
  const path = pathBelow(location, fileName(job, begun.length))
  begun.push(path)
  const onBytes = (count: number) => {
    state.sentBytes += count
    options.onProgress?.({ rows: encoding.rows, percent: encoding.percent, bytes: state.sentBytes })
  }
  await uploadFile(location.store, path, file, { signal, parts, onBytes })
  await rm(file.path, { force: true })
  state.files += 1
  state.bytes += file.sizeBytes
}

/** Cleaning up is not cancelled, but a store that is gone ends it. Resolves with what could not be deleted. */
async function deleteBegun({ job, begun, uploads }: StoreUnload): Promise<readonly string[]> {
  const { store } = job.location
  const left: string[] = []
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(), CLEAN_UP_WITHIN_MS)
  await forEachLimited(begun, uploads, async (path) => {
    try {
      await store.delete(path, { signal: late.signal })
    } catch {
      left.push(`${store.label}/${path}`)
    }
  })
  clearTimeout(timer)
  return left
}

function withLeftovers(error: unknown, left: readonly string[]): unknown {
  if (!isCnosError(error)) return error
  return new CnosError(error.errorName, error.message, {
    cause: error.cause,
    context: error.context,
    hint: [error.hint, `these objects could not be deleted: ${shortList(left)}`].filter(Boolean).join('; '),
  })
}

/** All names of one statement begin alike. */
function shortList(names: readonly string[]): string {
  const others = names.length - LISTED
  return `${names.slice(0, LISTED).join(', ')}${others > 0 ? ` and ${others} more of this queryId` : ''}`
}
