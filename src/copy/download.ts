import type { FileHandle } from 'node:fs/promises'
import type { Abortable } from '../async/abort.ts'
import { CnosError } from '../errors/cnos-error.ts'
import { readResuming } from '../store/layers/resume.ts'
import type { ObjectStore } from '../store/object-store.ts'
import type { SourceFile } from './list.ts'

const RANGE_BYTES = 8 * 1024 * 1024

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
  for await (const chunk of body) {
    for (let written = 0; written < chunk.byteLength; ) {
      const result = await handle.write(chunk, written, chunk.byteLength - written, position + written)
      written += result.bytesWritten
    }
    position += chunk.byteLength
    onBytes(chunk.byteLength)
  }
  if (position !== range.end) throw shortObject(source, position)
}

function shortObject({ origin, sizeBytes }: SourceFile, position: number): CnosError {
  return new CnosError('FILE_TRUNCATED', `${origin}: ${position} bytes came of the ${sizeBytes} that were listed`, {
    context: { file: origin },
    hint: 'the object was replaced while it was read, or the store cuts answers short: run the statement again',
  })
}
