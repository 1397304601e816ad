import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import type { Abortable } from '../async/abort.ts'
import { CnosError } from '../errors/cnos-error.ts'
import type { Compression, LocalFile } from '../format/file-format.ts'

const MIB = 1024 * 1024
const ZSTD_MAGIC = 0xfd2fb528
const SKIPPABLE_MAGIC = 0x184d2a50

/** How a file is packed, by its first bytes: names of real exports have no extension. */
export async function compressionOf(path: string): Promise<Compression> {
  const head = Buffer.alloc(4)
  await using handle = await open(path, 'r')
  const { bytesRead } = await handle.read(head, 0, 4, 0)
  if (bytesRead >= 3 && head[0] === 0x1f && head[1] === 0x8b && head[2] === 0x08) return 'gzip'
  if (bytesRead === 4 && head.readUInt32LE(0) === ZSTD_MAGIC) return 'zstd'
  return 'none'
}

/**
 * Throws FILE_TRUNCATED when a packed file ends early, BAD_FILE when it is damaged or not packed that way. The engine
 * takes the end of a cut file for the end of its rows, so this must be asked first.
 */
export async function verifyPacked(file: LocalFile, options: Abortable = {}): Promise<void> {
  if (file.compression === 'gzip') await verifyGzip(file, options)
  if (file.compression === 'zstd') await verifyZstd(file, options)
}

async function verifyGzip({ path, origin }: LocalFile, { signal }: Abortable): Promise<void> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  try {
    const input = createReadStream(path, { highWaterMark: MIB })
    await pipeline(input, createGunzip({ chunkSize: MIB }), nowhere, { signal })
  } catch (error) {
    signal?.throwIfAborted()
    const isShort = error instanceof Error && 'code' in error && error.code === 'Z_BUF_ERROR'
    throw isShort ? truncated(origin, 'gzip', error) : damaged(origin, 'gzip', error)
  }
}

function truncated(origin: string, packing: string, cause?: unknown): CnosError {
  return new CnosError('FILE_TRUNCATED', `${origin} ends in the middle of its ${packing} data`, {
    cause,
    context: { file: origin },
    hint: 'the file was not written or copied to its end: fetch it again',
  })
}

function damaged(origin: string, packing: string, cause?: unknown): CnosError {
  const reason = cause instanceof Error ? `: ${cause.message}` : ''
  return new CnosError('BAD_FILE', `${origin} is not valid ${packing}${reason}`, {
    cause,
    context: { file: origin },
    hint: 'fetch the file again, or correct file_compression_type',
  })
}

/** Walks the frames and blocks of RFC 8878 by their headers, without unpacking. */
async function verifyZstd({ path, origin }: LocalFile, { signal }: Abortable): Promise<void> {
  await using handle = await open(path, 'r')
  const { size } = await handle.stat()
  const bytesAt = async (position: number, length: number): Promise<Buffer> => {
    const bytes = Buffer.alloc(length)
    const { bytesRead } = await handle.read(bytes, 0, length, position)
    if (bytesRead < length) throw truncated(origin, 'zstd')
    return bytes
  }
  for (let position = 0; position < size; ) {
    signal?.throwIfAborted()
    const magic = (await bytesAt(position, 4)).readUInt32LE(0)
    if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) {
      position += 8 + (await bytesAt(position + 4, 4)).readUInt32LE(0)
    } else if (magic === ZSTD_MAGIC) {
      position = await endOfFrame(position + 4, bytesAt, options(signal))
    } else throw damaged(origin, 'zstd')
    if (position > size) throw truncated(origin, 'zstd')
  }
}

const options = (signal: AbortSignal | undefined): Abortable => ({ signal })

async function endOfFrame(
  start: number,
  bytesAt: (position: number, length: number) => Promise<Buffer>,
  { signal }: Abortable,
): Promise<number> {
  const descriptor = (await bytesAt(start, 1))[0] as number
  const isSingleSegment = (descriptor & 0x20) !== 0
  const sizeFlag = descriptor >> 6
  const contentSizeBytes = sizeFlag === 0 ? (isSingleSegment ? 1 : 0) : 2 ** sizeFlag
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] as number
  let position = start + 1 + (isSingleSegment ? 0 : 1) + dictionaryBytes + contentSizeBytes
  for (let isLast = false; !isLast; ) {
    signal?.throwIfAborted()
    const header = (await bytesAt(position, 3)).readUIntLE(0, 3)
    isLast = (header & 1) === 1
    const isRepeated = ((header >> 1) & 3) === 1
    position += 3 + (isRepeated ? 1 : header >> 3)
  }
  return position + ((descriptor & 4) !== 0 ? 4 : 0)
}
