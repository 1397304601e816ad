import { type FileHandle, open } from 'node:fs/promises'
import { createGunzip } from 'node:zlib'
import type { Abortable } from '../async/abort.ts'
import type { Session } from '../engine/engine.ts'
import { quoteString } from '../engine/quote.ts'
import type { LocalFile } from './file-format.ts'
import { fileList } from './local-files.ts'

const PIECE_BYTES = 64 * 1024
const LONGEST_RECORD_BYTES = 16 * 1024 * 1024

/**
 * The fields of the first record of CSV text; undefined when it does not end within `text`. `isWhole` says that nothing
 * follows, so that the end of the text ends the record.
 */
export function firstRecord(text: string, delimiter: string, isWhole: boolean): readonly string[] | undefined {
  const fields: string[] = []
  let field = ''
  let position = text.startsWith('\uFEFF') ? 1 : 0
  for (;;) {
    if (text[position] === '"' && field === '') {
      const end = closingQuote(text, position + 1)
      if (end === undefined) return isWhole ? [...fields, text.slice(position)] : undefined
      field = text.slice(position + 1, end).replaceAll('""', '"')
      position = end + 1
    }
    const character = text[position]
    if (character === undefined) return isWhole ? [...fields, field] : undefined
    if (character === '\n' || character === '\r') return [...fields, field]
    if (character === delimiter) {
      fields.push(field)
      field = ''
    } else field += character
    position += 1
  }
}

function closingQuote(text: string, from: number): number | undefined {
  for (let at = text.indexOf('"', from); at >= 0; at = text.indexOf('"', at + 2)) {
    if (text[at + 1] !== '"') return at
  }
  return undefined
}

/** The header of a file; undefined when the file holds nothing but blank lines. */
export async function readHeader(
  file: LocalFile,
  delimiter: string,
  session: Session,
  options: Abortable = {},
): Promise<readonly string[] | undefined> {
  const text = file.compression === 'zstd' ? await zstdLine(file, session, options) : await headText(file, delimiter)
  const start = text.replace(/^\uFEFF?[\r\n]+/, '')
  return start === '' ? undefined : firstRecord(start, delimiter, true)
}

async function zstdLine(file: LocalFile, session: Session, options: Abortable): Promise<string> {
  const [row] = await session.all(
    `SELECT line FROM read_csv(${fileList([file])}, columns = {'line': 'VARCHAR'}, auto_detect = false, header = false, ` +
      `delim = ${quoteString('\u0001')}, quote = '', escape = '', compression = 'zstd', strict_mode = false, hive_partitioning = false) LIMIT 1`,
    options,
  )
  return typeof row?.line === 'string' ? row.line : ''
}

/** Enough text for the first record. */
async function headText({ path, compression }: LocalFile, delimiter: string): Promise<string> {
  const pieces: Buffer[] = []
  let size = 0
  await using handle = await open(path, 'r')
  for await (const piece of headPieces(handle, compression === 'gzip')) {
    pieces.push(piece)
    size += piece.length
    const text = Buffer.concat(pieces).toString('utf8')
    const body = text.replace(/^\uFEFF?[\r\n]+/, '')
    if (body !== '' && firstRecord(body, delimiter, false)) return text
    if (size > LONGEST_RECORD_BYTES) break
  }
  return Buffer.concat(pieces).toString('utf8')
}

async function* headPieces(handle: FileHandle, isGzip: boolean): AsyncIterable<Buffer> {
  const stream = handle.createReadStream({ highWaterMark: PIECE_BYTES, autoClose: false })
  yield* isGzip ? stream.pipe(createGunzip()) : stream
}
