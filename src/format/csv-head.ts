import { type FileHandle, open } from 'node:fs/promises'
import { createGunzip } from 'node:zlib'
import type { Abortable } from '../async/abort.ts'
import type { Session } from '../engine/engine.ts'
import { CnosError } from '../errors/cnos-error.ts'
import { type LineEnd, lineEndAt, parseRecord } from './csv-record.ts'
import type { LocalFile } from './file-format.ts'
import { rawLines } from './local-files.ts'

const PIECE_BYTES = 64 * 1024
/** The magic bytes, and a byte that no header of CSV goes on with. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is a control character that tells the two apart
const PARQUET = /^PAR1[\0-\x1f]/
const LONGEST_HEAD_BYTES = 16 * 1024 * 1024

/** The beginning of a CSV file. */
export interface CsvHead {
  /** Of the first record: the header, or a row. */
  readonly fields: readonly string[]
  /**
   * How the lines of the file end. DuckDB must be told: it goes by the first CR or LF even inside quotes, and with the
   * wrong one it takes a whole file for a header.
   */
  readonly lineEnd: LineEnd
}

/** Undefined when the file holds nothing but blank lines. Throws BAD_FILE for Parquet, and when its lines end in different ways. */
export async function readHead(
  file: LocalFile,
  delimiter: string,
  session: Session,
  options: Abortable = {},
): Promise<CsvHead | undefined> {
  const { text, isWhole } =
    file.compression === 'zstd' ? await zstdHead(file, session, options) : await headText(file, delimiter)
  if (PARQUET.test(text)) throw parquetFile(file)
  const start = startOf(text)
  if (start === text.length) return undefined
  const first = parseRecord(text, start, { delimiter, isWhole: true })
  if (!first) return undefined
  const second = parseRecord(text, first.next, { delimiter, isWhole })
  const lineEnd = first.end ?? 'LF'
  if (second?.end !== undefined && second.end !== lineEnd) throw mixedLineEnds(file)
  if (lineEnd === 'CRLF' && lineEndAt(text, text.search(/[\r\n]/)) !== 'CRLF') throw mixedLineEnds(file)
  return { fields: first.fields, lineEnd }
}

const startOf = (text: string) => /^\uFEFF?[\r\n]*/.exec(text)?.[0].length ?? 0

function mixedLineEnds({ origin }: LocalFile): CnosError {
  return new CnosError('BAD_FILE', `Csv error: the lines of ${origin} end in different ways`, {
    context: { file: origin },
    hint: 'end all lines with LF, those inside quotes as well (dos2unix does it)',
  })
}

function parquetFile({ origin }: LocalFile): CnosError {
  return new CnosError('BAD_FILE', `Csv error: ${origin} is a Parquet file`, {
    context: { file: origin },
    hint: "write FILE_FORMAT = (TYPE = 'PARQUET'), or move the file away",
  })
}

interface HeadText {
  readonly text: string
  readonly isWhole: boolean
}

/** The engine unpacks zstd, and says how it found the lines only by failing: so they must end with LF. */
async function zstdHead(file: LocalFile, session: Session, options: Abortable): Promise<HeadText> {
  const rows = await session.all(`SELECT line FROM ${rawLines(file)} LIMIT 1`, options)
  const line = rows[0]?.line
  return { text: typeof line === 'string' ? `${line}\n` : '', isWhole: false }
}

/** Enough text for two records. */
async function headText({ path, compression }: LocalFile, delimiter: string): Promise<HeadText> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  let text = ''
  let wanted = PIECE_BYTES
  await using handle = await open(path, 'r')
  for await (const piece of headPieces(handle, compression === 'gzip')) {
    text += decoder.decode(piece, { stream: true })
    if (text.length < wanted) continue
    wanted *= 2
    const first = parseRecord(text, startOf(text), { delimiter, isWhole: false })
    if (first && parseRecord(text, first.next, { delimiter, isWhole: false })) return { text, isWhole: false }
    if (text.length > LONGEST_HEAD_BYTES) return { text, isWhole: false }
  }
  return { text: text + decoder.decode(), isWhole: true }
}

async function* headPieces(handle: FileHandle, isGzip: boolean): AsyncIterable<Buffer> {
  const stream = handle.createReadStream({ highWaterMark: PIECE_BYTES, autoClose: false })
  yield* isGzip ? stream.pipe(createGunzip()) : stream
}
