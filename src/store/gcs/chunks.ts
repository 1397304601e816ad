import type { Abortable } from '../../async/abort.ts'
import { CnosError, isCnosError } from '../../errors/cnos-error.ts'
import type { StoreContext } from '../store-driver.ts'
import type { GcsRequests } from './requests.ts'

export interface GcsSession {
  readonly requests: GcsRequests
  readonly path: string
  readonly session: URL
  readonly context: StoreContext
  /** Deletes the object: a finished upload cannot be cancelled. */
  readonly deleteObject: () => Promise<void>
}

/** The bytes of one resumable upload, in order. */
export interface GcsChunks {
  /** Bytes the store has confirmed. */
  readonly sentBytes: number
  append(bytes: Uint8Array, options?: Abortable): Promise<void>
  /** Sends the last bytes and resolves to the JSON of the object. */
  finish(bytes: Uint8Array, options?: Abortable): Promise<string>
  /** Ends the session; never rejects. */
  cancel(): Promise<void>
}

/** How often a chunk may be continued from where the store says it stands, without any progress, before giving up. */
const MAX_CONTINUATIONS = 5

interface Progress {
  sentBytes: number
  /** The finishing request was sent: the object may exist. */
  isFinishing: boolean
}

export function createGcsChunks(session: GcsSession): GcsChunks {
  const progress: Progress = { sentBytes: 0, isFinishing: false }
  return {
    get sentBytes() {
      return progress.sentBytes
    },
    async append(bytes, { signal } = {}) {
      await sendAll(session, { start: progress.sentBytes, bytes, isLast: false, signal })
      progress.sentBytes += bytes.byteLength
    },
    finish(bytes, { signal } = {}) {
      progress.isFinishing = true
      return sendAll(session, { start: progress.sentBytes, bytes, isLast: true, signal })
    },
    cancel: () => cancelSession(session, progress),
  }
}

interface Chunk extends Abortable {
  readonly start: number
  readonly bytes: Uint8Array
  readonly isLast: boolean
}

/** Sends a chunk until all of it is confirmed; after a loss the store is asked how far it got. */
async function sendAll(session: GcsSession, { start, bytes, isLast, signal }: Chunk): Promise<string> {
  const end = start + bytes.byteLength
  const total = isLast ? end : undefined
  let from = start
  let idle = 0
  while (true) {
    const answer = await sendOnce(session, { bytes: bytes.subarray(from - start), from, total, signal })
    if (answer.object !== undefined) return answer.object
    const upTo = confirmed(session, { start, end, upTo: answer.upTo })
    if (!isLast && upTo === end) return ''
    idle = upTo > from ? 0 : idle + 1
    if (idle >= MAX_CONTINUATIONS) throw noProgress(session)
    from = upTo
  }
}

interface OneSend extends Abortable {
  readonly bytes: Uint8Array
  readonly from: number
  readonly total: number | undefined
}

type Confirmation = { readonly object: string } | { readonly object?: undefined; readonly upTo: number }

async function sendOnce(session: GcsSession, { bytes, from, total, signal }: OneSend): Promise<Confirmation> {
  try {
    return await request(session, { body: bytes, range: contentRange(from, bytes.byteLength, total), signal })
  } catch (error) {
    signal?.throwIfAborted()
    // What became of the bytes is unknown, or the store is elsewhere than we think: it knows.
    if (!isCnosError(error, 'STORE_UNAVAILABLE', 'STORE_PRECONDITION', 'STORE_BAD_REQUEST')) throw error
    const state = await request(session, { body: new Uint8Array(0), range: `bytes */${total ?? '*'}`, signal })
    if (state.object === undefined && state.upTo <= from && !error.entry.retryable) throw error
    return state
  }
}

function contentRange(from: number, length: number, total: number | undefined): string {
  if (length === 0) return `bytes */${total ?? '*'}`
  return `bytes ${from}-${from + length - 1}/${total ?? '*'}`
}

interface SessionRequest extends Abortable {
  readonly body: Uint8Array
  readonly range: string
}

async function request(session: GcsSession, { body, range, signal }: SessionRequest): Promise<Confirmation> {
  const answer = await session.requests.sendForText({
    operation: 'PUT',
    path: session.path,
    signal,
    accepts: [200, 201, 308],
    http: { method: 'PUT', url: session.session, headers: { 'Content-Range': range }, body },
  })
  if (answer.status !== 308) return { object: answer.text }
  const last = /^bytes=0-(\d+)$/.exec(answer.headers.range ?? '')?.[1]
  return { upTo: last === undefined ? 0 : Number(last) + 1 }
}

function confirmed(
  session: GcsSession,
  { start, end, upTo }: { readonly start: number; readonly end: number; readonly upTo: number },
): number {
  if (upTo >= start && upTo <= end) return upTo
  const { requests, path } = session
  throw new CnosError(
    'STORE_PRECONDITION',
    `object store error: ${requests.label}/${path}: the store holds ${upTo} bytes of a part from ${start} to ${end}`,
    { context: { store: requests.label, path }, hint: 'the upload session was changed from outside' },
  )
}

function noProgress({ requests, path }: GcsSession): CnosError {
  return new CnosError(
    'STORE_UNAVAILABLE',
    `object store error: ${requests.label}/${path}: the store confirms none of the bytes it is sent`,
    { context: { store: requests.label, path } },
  )
}

async function cancelSession(session: GcsSession, { isFinishing }: Progress): Promise<void> {
  const { requests, path, context } = session
  const warn = (what: string) => (error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error)
    context.warn(`cannot cancel the upload of ${requests.label}/${path}, ${what}: ${reason}`)
  }
  if (isFinishing) await deleteIfFinished(session).catch(warn('the object may be left behind'))
  // 499 is the API's success here.
  const http = { method: 'DELETE', url: session.session } as const
  await requests
    .sendForText({ operation: 'DELETE', path, accepts: [200, 204, 404, 410, 499], http })
    .catch(warn('the upload session ends by itself after a week'))
}

async function deleteIfFinished(session: GcsSession): Promise<void> {
  if (await isFinished(session)) await session.deleteObject()
}

async function isFinished(session: GcsSession): Promise<boolean> {
  try {
    return (await request(session, { body: new Uint8Array(0), range: 'bytes */*' })).object !== undefined
  } catch (error) {
    if (isCnosError(error, 'OBJECT_NOT_FOUND')) return false
    throw error
  }
}
