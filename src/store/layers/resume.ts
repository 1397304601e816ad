import type { Abortable } from '../../async/abort.ts'
import { isCnosError } from '../../errors/cnos-error.ts'
import type { GetOptions, GetResult, ObjectStore } from '../object-store.ts'

export interface ResumeOptions extends GetOptions {
  /** How often a body may break without a single byte in between before its error is passed on. Default 5. */
  readonly maxBreaks?: number | undefined
}

/**
 * `store.get` whose body survives broken connections: it goes on with a range from the last good byte, under the etag
 * of the first answer. STORE_PRECONDITION when the object changed meanwhile. Without an etag nothing is resumed.
 */
export async function readResuming(store: ObjectStore, path: string, options: ResumeOptions = {}): Promise<GetResult> {
  const { maxBreaks = 5, signal } = options
  const first = await store.get(path, options)
  const start = options.range?.start ?? 0
  const end = options.range?.end ?? first.meta.sizeBytes
  const etag = options.ifMatch ?? first.meta.etag
  const reopen =
    etag === undefined
      ? undefined
      : (from: number) => store.get(path, { range: { start: from, end }, ifMatch: etag, signal })
  return { meta: first.meta, body: resumingBody(first.body, { start, end, reopen, maxBreaks, signal }) }
}

interface ResumeState extends Abortable {
  readonly start: number
  readonly end: number
  readonly maxBreaks: number
  readonly reopen: ((from: number) => Promise<GetResult>) | undefined
}

async function* resumingBody(first: AsyncIterable<Uint8Array>, state: ResumeState): AsyncGenerator<Uint8Array> {
  let position = state.start
  let breaks = 0
  let body = first
  while (true) {
    try {
      for await (const chunk of body) {
        position += chunk.byteLength
        breaks = 0
        yield chunk
      }
      return
    } catch (error) {
      state.signal?.throwIfAborted()
      breaks += 1
      if (!isCnosError(error) || !error.entry.retryable || breaks > state.maxBreaks || !state.reopen) throw error
      if (position >= state.end) return
      body = (await state.reopen(position)).body
    }
  }
}
