import { createReadStream } from 'node:fs'
import { createGunzip } from 'node:zlib'
import type { LocalFile } from './file-format.ts'

const QUOTE = 0x22
const LF = 0x0a
const CR = 0x0d
const MIB = 1024 * 1024

/** The unpacked bytes of a file; undefined where this Node cannot unpack it. */
function bytesOf({ path, compression }: LocalFile): AsyncIterable<Buffer> | undefined {
  if (compression === 'zstd') return undefined
  const stream = createReadStream(path, { highWaterMark: MIB })
  return compression === 'gzip' ? stream.pipe(createGunzip()) : stream
}

/**
 * The line, from 1, where the `record`-th record of CSV begins, counted from 1 with the header and without blank lines.
 * Undefined when the file cannot be told.
 */
export async function lineOfCsvRecord(file: LocalFile, record: number, delimiter: string): Promise<number | undefined> {
  const separator = delimiter.charCodeAt(0)
  let line = 1
  let records = 0
  let isInRecord = false
  let isQuoted = false
  let isFieldStart = true
  let previous = 0
  for await (const bytes of bytesOf(file) ?? []) {
    for (const byte of bytes) {
      const isLineEnd = byte === LF ? previous !== CR : byte === CR
      if (!isInRecord && byte !== LF && byte !== CR) {
        isInRecord = true
        records += 1
        if (records === record) return line
      }
      if (isQuoted) {
        if (byte === QUOTE) isQuoted = false
      } else if (byte === QUOTE && (isFieldStart || previous === QUOTE)) {
        isQuoted = true
      } else if (byte === LF || byte === CR) {
        isInRecord = false
      }
      isFieldStart = !isQuoted && (byte === separator || byte === LF || byte === CR)
      if (isLineEnd) line += 1
      previous = byte
    }
  }
  return undefined
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
