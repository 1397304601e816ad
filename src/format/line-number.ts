import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { createGunzip } from 'node:zlib'
import type { LocalFile } from './file-format.ts'

const MIB = 1024 * 1024

/** The unpacked bytes of a file, each piece valid until the next; undefined where this Node cannot unpack it. */
export function bytesOf({ path, compression }: LocalFile): AsyncIterable<Buffer> | undefined {
  if (compression === 'zstd') return undefined
  return compression === 'gzip' ? createReadStream(path, { highWaterMark: MIB }).pipe(createGunzip()) : piecesOf(path)
}

/** One buffer for all pieces: fresh memory for each takes longer than to look through it. */
async function* piecesOf(path: string): AsyncIterable<Buffer> {
  await using file = await open(path, 'r')
  const buffer = Buffer.allocUnsafe(MIB)
  for (;;) {
    const { bytesRead } = await file.read(buffer, 0, MIB)
    if (bytesRead === 0) return
    yield buffer.subarray(0, bytesRead)
  }
}

/** A line of a text file, counted from 1. */
export interface NumberedLine {
  readonly line: number
  readonly text: string
}

/** The lines of a file that are not blank; nothing where this Node cannot unpack it. */
export async function* nonBlankLines(file: LocalFile): AsyncIterable<NumberedLine> {
  let line = 0
  let rest = ''
  const decoder = new TextDecoder()
  for await (const bytes of bytesOf(file) ?? []) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n')
    rest = lines.pop() as string
    for (const text of lines) {
      line += 1
      if (text.trim() !== '') yield { line, text }
    }
  }
  if (rest.trim() !== '') yield { line: line + 1, text: rest }
}
