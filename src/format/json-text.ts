import { open } from 'node:fs/promises'
import { createGunzip } from 'node:zlib'
import type { Abortable } from '../async/abort.ts'
import type { Session } from '../engine/engine.ts'
import type { LocalFile } from './file-format.ts'
import { nonBlankLines } from './line-number.ts'
import { rawLines } from './local-files.ts'

const PIECE_BYTES = 4096

/** The first character of a file that is no blank; empty when there is none. */
export async function firstByte(file: LocalFile, session: Session, options: Abortable = {}): Promise<string> {
  if (file.compression === 'zstd') return firstZstdByte(file, session, options)
  await using handle = await open(file.path, 'r')
  const stream = handle.createReadStream({ highWaterMark: PIECE_BYTES, autoClose: false })
  for await (const piece of file.compression === 'gzip' ? stream.pipe(createGunzip()) : stream) {
    const start = (piece as Buffer).toString('latin1').replace(/^(?:\xef\xbb\xbf)?\s+|^\xef\xbb\xbf/, '')
    if (start !== '') return start[0] as string
  }
  return ''
}

/** A line too long to be looked at is taken for an array: objects have lines of their own. */
async function firstZstdByte(file: LocalFile, session: Session, options: Abortable): Promise<string> {
  try {
    const [row] = await session.all(
      `SELECT ltrim(line)[1] AS first FROM ${rawLines(file)} WHERE trim(line) <> '' LIMIT 1`,
      options,
    )
    return typeof row?.first === 'string' ? row.first : ''
  } catch {
    options.signal?.throwIfAborted()
    return '['
  }
}

/** The line of the `record`-th object (from 1) when every object has a line of its own. */
export async function lineOfJsonRecord(file: LocalFile, record: number): Promise<number | undefined> {
  let records = 0
  let found: number | undefined
  for await (const { line, text } of nonBlankLines(file)) {
    if (!isJson(text)) return undefined
    records += 1
    if (records === record) {
      found = line
      break
    }
  }
  return found
}

/** The first line that is no JSON by itself. */
export async function malformedLine(file: LocalFile): Promise<number | undefined> {
  for await (const { line, text } of nonBlankLines(file)) if (!isJson(text)) return line
  return undefined
}

/** NaN and Infinity, which the engine takes, count as JSON here. */
function isJson(text: string): boolean {
  try {
    JSON.parse(text.replace(/\b(-?Infinity|NaN)\b/g, '0'))
    return true
  } catch {
    return false
  }
}
