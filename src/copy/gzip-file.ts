import { createReadStream, createWriteStream } from 'node:fs'
import { rm, stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import type { Abortable } from '../async/abort.ts'
import type { FinishedFile } from './finished-files.ts'

const MIB = 1024 * 1024
/** Half the time of zlib's default for a tenth more bytes. */
const LEVEL = 4

/**
 * Packs a finished file, into the directory above its own, where nobody looks for encoded files, and removes the unpacked
 * one. DuckDB's own gzip costs several times as much.
 */
export async function gzipFile({ path }: FinishedFile, { signal }: Abortable = {}): Promise<FinishedFile> {
  const packed = `${dirname(path)}-${basename(path)}.gz`
  const input = createReadStream(path, { highWaterMark: MIB })
  await pipeline(input, createGzip({ level: LEVEL, chunkSize: MIB }), createWriteStream(packed, { flags: 'wx' }), {
    signal,
  })
  await rm(path)
  return { path: packed, sizeBytes: (await stat(packed)).size }
}
