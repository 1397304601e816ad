import type { FileHandle } from 'node:fs/promises'
import type { Abortable } from '../async/abort.ts'
import { CnosError } from '../errors/cnos-error.ts'
import { readResuming } from '../store/layers/resume.ts'
import type { ObjectStore } from '../store/object-store.ts'
import type { SourceFile } from './list.ts'

const RANGE_BYTES = 8 * 1024 * 1024
/** Chunks come in 64 KiB, and each write costs a turn of a thread. */
const WRITE_BYTES = 1024 * 1024

/** Bytes of a file, from `start` to before `end`. */
export interface Range {
  readonly start: number
  readonly end: number
}

export function* rangesOf(sizeBytes: number): Iterable<Range> {
  for (let start = 0; start < sizeBytes; start += RANGE_BYTES) {
    yield { start, end: Math.min(start + RANGE_BYTES, sizeBytes) }
  }
}

export interface DownloadOptions extends Abortable {
  readonly onBytes: (bytes: number) => void
}

/** Writes a range of the object to the same place of a file. STORE_PRECONDITION when it changed since it was listed. */
export async function downloadRange(
  store: ObjectStore,
  source: SourceFile,
  range: Range,
  handle: FileHandle,
  { signal, onBytes }: DownloadOptions,
): Promise<void> {
  const { body } = await readResuming(store, source.path, { range, ifMatch: source.etag, signal })
  let position = range.start
  let chunks: Uint8Array[] = []
  let bytes = 0
  const write = async () => {
    await writeAll(handle, chunks, position)
    position += bytes
    onBytes(bytes)
    chunks = []
    bytes = 0
  }
  for await (const chunk of body) {
    chunks.push(chunk)
    bytes += chunk.byteLength
    if (bytes >= WRITE_BYTES) await write()
  }
  if (bytes > 0) await write()
  if (position !== range.end) throw shortObject(source, position)
}

async function writeAll(handle: FileHandle, chunks: readonly Uint8Array[], position: number): Promise<void> {
  const { bytesWritten } = await handle.writev(chunks, position)
  const bytes = chunks.reduce((sum, { byteLength }) => sum + byteLength, 0)
  if (bytesWritten === bytes) return
  const all = Buffer.concat(chunks)
  for (let written = bytesWritten; written < bytes; ) {
    written += (await handle.write(all, written, bytes - written, position + written)).bytesWritten
  }
}

function shortObject({ origin, sizeBytes }: SourceFile, position: number): CnosError {
  return new CnosError('FILE_TRUNCATED', `${origin}: ${position} bytes came of the ${sizeBytes} that were listed`, {
    context: { file: origin },
    hint: 'the object was replaced while it was read, or the store cuts answers short: run the statement again',
  })
}
