import type { Abortable } from '../async/abort.ts'
import { forEachLimited } from '../async/limit.ts'
import type { Session } from '../engine/engine.ts'
import { quoteString } from '../engine/quote.ts'
import { CnosError, isCnosError } from '../errors/cnos-error.ts'
import { readHead } from './csv-head.ts'
import type { csvOptions } from './csv-options.ts'
import { scanQuotes } from './csv-quotes.ts'
import type { LineEnd } from './csv-record.ts'
import { scanCsv } from './csv-scan.ts'
import { engineText, explainFault, type FaultySource } from './fault.ts'
import type { LocalFile, Reader, ReadRequest } from './file-format.ts'
import { compressionName, fileList, rawLines, unionAll } from './local-files.ts'
import { fromText, selectFromTexts } from './strict-value.ts'
import { quoteError, structureError } from './structure-fault.ts'

export type CsvRequest = ReadRequest<typeof csvOptions>

const MIB = 1024 * 1024
/** Each look reads a whole file. */
const LOOKS_AT_ONCE = 2

export interface LineLimits {
  readonly longestLineBytes: number
  readonly bufferBytes: number
}

/** Buffers that all threads of the engine can hold at once. */
const USUAL_LINES: LineLimits = { longestLineBytes: 16 * MIB, bufferBytes: 32 * MIB }
const LONG_LINES: LineLimits = { longestLineBytes: 64 * MIB, bufferBytes: 64 * MIB }

/** Columns are numbered, so that names that differ in case only, or repeat, do no harm. */
const numbered = (position: number) => `c${position}`

/** Neighbouring files that one call can read. */
export interface Run {
  readonly files: readonly LocalFile[]
  readonly lineEnd: LineEnd
  /** Several threads may share a file: no line ends inside quotes. */
  readonly isParallel: boolean
}

/** CRLF is what DuckDB finds out by itself, and cannot be told. */
const NEW_LINE: Readonly<Record<LineEnd, string>> = { LF: ", new_line = '\\n'", CR: ", new_line = '\\r'", CRLF: '' }

/** The call that reads files as text, in columns `c0`, `c1`, …. */
export function readCsv(run: Run, { fileColumns, options }: CsvRequest, limits: LineLimits): string {
  const { files, lineEnd, isParallel } = run
  const columns = fileColumns.map((_, i) => `'${numbered(i)}': 'VARCHAR'`).join(', ')
  return [
    `read_csv(${fileList(files)}, columns = {${columns}}, auto_detect = false, header = ${options.with_header}`,
    `delim = ${quoteString(options.delimiter)}, quote = '"', escape = '"', nullstr = '', allow_quoted_nulls = false`,
    `strict_mode = true, null_padding = false, hive_partitioning = false, encoding = 'utf-8'`,
    `compression = '${compressionName(files[0]?.compression)}'${NEW_LINE[lineEnd]}, parallel = ${isParallel}`,
    `max_line_size = ${limits.longestLineBytes}, buffer_size = ${limits.bufferBytes})`,
  ].join(', ')
}

/** Every field is read as text and converted by our own rules. */
function fromItem(request: CsvRequest, runs: readonly Run[], limits: LineLimits): string {
  const columns = request.columns.map((column) => ({ column, text: fieldOf(request, column.source) }))
  return unionAll(runs.map((run) => selectFromTexts(columns, readCsv(run, request, limits))))
}

const fieldOf = ({ fileColumns }: CsvRequest, source: string) => numbered(fileColumns.indexOf(source))

const hasLongLine = (error: unknown) => /Maximum line size/.test(engineText(error))

/** Reads CSV by position. Throws BAD_FILE for a header with another number of fields. */
export async function csvReader(request: CsvRequest, session: Session, options: Abortable = {}): Promise<Reader> {
  const runs = await runsOf(request, session, options)
  const runOf = new Map(runs.flatMap((run) => run.files.map((file) => [file, run] as const)))
  const source: FaultySource = {
    kind: 'csv',
    recordsBefore: request.options.with_header ? 1n : 0n,
    lineOf: async (file, record) => (await scanCsv(file, request.options.delimiter, Number(record)))?.lineOfRecord,
    files: request.files,
    columns: request.columns,
    read: (file) =>
      readCsv({ lineEnd: 'LF', ...runOf.get(file), files: [file], isParallel: false }, request, USUAL_LINES),
    rawOf: (column) => fieldOf(request, column.source),
    faultOf: (column) => fromText(fieldOf(request, column.source), column).isBad,
  }
  return {
    from: fromItem(request, runs, USUAL_LINES),
    careful: {
      suits: hasLongLine,
      open: () =>
        fromItem(
          request,
          runs.map((run) => ({ ...run, isParallel: false })),
          LONG_LINES,
        ),
    },
    explain: (error, among, waiting) => explainFault([source], error, among, waiting),
  }
}

/** Looks at every file and puts neighbours of one kind together. */
async function runsOf(request: CsvRequest, session: Session, options: Abortable): Promise<readonly Run[]> {
  const kinds = new Map<LocalFile, Omit<Run, 'files'>>()
  await forEachLimited(
    request.files,
    LOOKS_AT_ONCE,
    async (file, linked) => {
      kinds.set(file, await lookAt(request, file, session, linked))
    },
    options,
  )
  const runs: (Omit<Run, 'files'> & { files: LocalFile[] })[] = []
  for (const file of request.files) {
    const { lineEnd, isParallel } = kinds.get(file) as Omit<Run, 'files'>
    const last = runs.at(-1)
    const isLike = last?.lineEnd === lineEnd && last.isParallel === isParallel
    if (isLike && last.files[0]?.compression === file.compression) last.files.push(file)
    else runs.push({ files: [file], lineEnd, isParallel })
  }
  return runs
}

async function lookAt(
  request: CsvRequest,
  file: LocalFile,
  session: Session,
  options: Abortable,
): Promise<Omit<Run, 'files'>> {
  const { delimiter } = request.options
  const head = await readHead(file, delimiter, session, options)
  if (head) checkFields(request, file, head.fields)
  if (file.compression === 'zstd') {
    await probe(request, file, session, options)
    return { lineEnd: 'LF', isParallel: false }
  }
  const quotes = await scanQuotes(file, delimiter)
  options.signal?.throwIfAborted()
  if (quotes?.isBroken) throw quoteError(file, (await scanCsv(file, delimiter))?.fault?.line)
  return { lineEnd: head?.lineEnd ?? 'LF', isParallel: quotes?.hasQuotedLineEnd === false }
}

/**
 * Without a header DuckDB never takes wrong line ends in silence. An open quote at the end, which it would, leaves an
 * odd number of quotes.
 */
async function probe(request: CsvRequest, file: LocalFile, session: Session, options: Abortable): Promise<void> {
  const headless: CsvRequest = { ...request, options: { ...request.options, with_header: false } }
  const from = readCsv({ files: [file], lineEnd: 'LF', isParallel: false }, headless, USUAL_LINES)
  try {
    await session.all(`SELECT 1 FROM ${from} LIMIT 1`, options)
    const [row] = await session.all(
      `SELECT sum(strlen(line) - strlen(replace(line, '"', ''))) % 2 = 1 AS is_odd FROM ${rawLines(file)}`,
      options,
    )
    if (row?.is_odd === true) throw quoteError(file, undefined)
  } catch (error) {
    options.signal?.throwIfAborted()
    throw isCnosError(error, 'BAD_FILE') ? error : structureError('csv', file, error)
  }
}

function checkFields(
  { fileColumns, namesMatter, options }: CsvRequest,
  file: LocalFile,
  fields: readonly string[],
): void {
  if (fields.length !== fileColumns.length) throw wrongCount(file, fields, fileColumns)
  if (!namesMatter || !options.with_header || fields.every((name, i) => name === fileColumns[i])) return
  throw new CnosError(
    'BAD_FILE',
    `${file.origin}: the header (${fields.join(', ')}) differs from that of the first file (${fileColumns.join(', ')})`,
    { context: { file: file.origin, line: 1 }, hint: 'load files with different columns in separate statements' },
  )
}

function wrongCount({ origin }: LocalFile, header: readonly string[], expected: readonly string[]): CnosError {
  return new CnosError(
    'BAD_FILE',
    `Csv error: incorrect number of fields for line 1, expected ${expected.length} got ${header.length > expected.length ? `more than ${expected.length}` : header.length} in ${origin}: it has ${header.join(', ')}; needed are ${expected.join(', ')}`,
    {
      context: { file: origin, line: 1 },
      hint: "list the file's columns after the table's name, or check DELIMITER; a directory must hold files of one kind only",
    },
  )
}
