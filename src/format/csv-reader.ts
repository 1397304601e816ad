import type { Abortable } from '../async/abort.ts'
import { forEachLimited } from '../async/limit.ts'
import type { Session } from '../engine/engine.ts'
import { quoteString } from '../engine/quote.ts'
import { CnosError, isCnosError } from '../errors/cnos-error.ts'
import { readHead } from './csv-head.ts'
import { LaxNumbers } from './csv-lax-numbers.ts'
import type { csvOptions } from './csv-options.ts'
import { scanQuotes } from './csv-quotes.ts'
import type { LineEnd } from './csv-record.ts'
import { lineOfOtherEnd, scanCsv } from './csv-scan.ts'
import { engineText, explainFault, type FaultySource } from './fault.ts'
import type { LocalFile, ReadColumn, Reader, Reading, ReadRequest } from './file-format.ts'
import { compressionName, fileList, rawLines, unionAll } from './local-files.ts'
import { fromText, NOT_FINITE, selectFromTexts } from './strict-value.ts'
import { hasMixedLineEnds, quoteError, structureError } from './structure-fault.ts'

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

const fieldOf = ({ fileColumns }: CsvRequest, source: string) => numbered(fileColumns.indexOf(source))

/** Neighbouring files that one call can read. */
export interface Run {
  readonly files: readonly LocalFile[]
  readonly lineEnd: LineEnd
  /** Several threads may share a file: no line ends inside quotes. */
  readonly isParallel: boolean
  /** DuckDB may cast to DOUBLE: of what it takes for a finite number nothing is none. */
  readonly areNumbersPlain: boolean
}

const WITH_CARE = { isParallel: false, areNumbersPlain: false } as const

/** CRLF is what DuckDB finds out by itself, and cannot be told. */
const NEW_LINE: Readonly<Record<LineEnd, string>> = { LF: ", new_line = '\\n'", CR: ", new_line = '\\r'", CRLF: '' }

/** The call that reads files in columns `c0`, `c1`, …, as text but for plain numbers. */
export function readCsv(run: Run, request: CsvRequest, limits: LineLimits): string {
  const { files, lineEnd, isParallel, areNumbersPlain } = run
  const { fileColumns, options } = request
  const doubles = new Set(request.columns.filter(isDouble).map(({ source }) => fieldOf(request, source)))
  const typeOf = (field: string) => (areNumbersPlain && doubles.has(field) ? 'DOUBLE' : 'VARCHAR')
  const columns = fileColumns.map((_, i) => `'${numbered(i)}': '${typeOf(numbered(i))}'`)
  return [
    `read_csv(${fileList(files)}, columns = {${columns.join(', ')}}, auto_detect = false, header = ${options.with_header}`,
    `delim = ${quoteString(options.delimiter)}, quote = '"', escape = '"', nullstr = '', allow_quoted_nulls = false`,
    `strict_mode = true, null_padding = false, hive_partitioning = false, encoding = 'utf-8'`,
    `compression = '${compressionName(files[0]?.compression)}'${NEW_LINE[lineEnd]}, parallel = ${isParallel}`,
    `max_line_size = ${limits.longestLineBytes}, buffer_size = ${limits.bufferBytes})`,
  ].join(', ')
}

const isDouble = ({ type }: ReadColumn) => type === 'DOUBLE'

/** Fields are read as text and converted by our own rules, but for plain numbers. */
function fromItem(request: CsvRequest, runs: readonly Run[], limits: LineLimits): string {
  const selects = runs.map((run) => {
    const columns = request.columns.map((column) => ({
      column,
      field: fieldOf(request, column.source),
      isRead: run.areNumbersPlain && isDouble(column),
    }))
    return selectFromTexts(columns, readCsv(run, request, limits))
  })
  return unionAll(selects)
}

const hasLongLine = (error: unknown) => /Maximum line size/.test(engineText(error))

/** What only the text tells: an infinity from a number that is too large, and an empty text in quotes, which is NULL. */
const needsText = (error: unknown) => new RegExp(`${NOT_FINITE}|Error when converting column`).test(engineText(error))

/** Long lines are read with larger buffers, numbers that are not plain as text. */
function readingOf(request: CsvRequest, runs: readonly Run[]): Reading {
  const texts = runs.map((run) => ({ ...run, areNumbersPlain: false }))
  const alone = texts.map((run) => ({ ...run, isParallel: false }))
  const isLast = !runs.some(({ areNumbersPlain }) => areNumbersPlain)
  return {
    from: fromItem(request, runs, USUAL_LINES),
    careful: {
      suits: (error) => hasLongLine(error) || (!isLast && needsText(error)),
      open: (error) =>
        hasLongLine(error) ? { from: fromItem(request, alone, LONG_LINES) } : readingOf(request, texts),
    },
  }
}

/** Reads CSV by position. Throws BAD_FILE for a header with another number of fields. */
export async function csvReader(request: CsvRequest, session: Session, options: Abortable = {}): Promise<Reader> {
  const found = await runsOf(request, session, options)
  const runs = request.isCareful ? found.map((run) => ({ ...run, areNumbersPlain: false })) : found
  const runOf = new Map(runs.flatMap((run) => run.files.map((file) => [file, run] as const)))
  const source: FaultySource = {
    kind: 'csv',
    recordsBefore: request.options.with_header ? 1n : 0n,
    lineOf: async (file, record) => (await scanCsv(file, request.options.delimiter, Number(record)))?.lineOfRecord,
    malformedLine: async (file, fault) => (hasMixedLineEnds(fault) ? lineOfOtherEnd(file) : undefined),
    files: request.files,
    columns: request.columns,
    read: (file) => readCsv({ lineEnd: 'LF', ...runOf.get(file), ...WITH_CARE, files: [file] }, request, USUAL_LINES),
    rawOf: (column) => fieldOf(request, column.source),
    faultOf: (column) => fromText(fieldOf(request, column.source), column).isBad,
  }
  return {
    ...readingOf(request, runs),
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
    const kind = kinds.get(file) as Omit<Run, 'files'>
    const last = runs.at(-1)
    if (last && isAlike(last, kind) && last.files[0]?.compression === file.compression) last.files.push(file)
    else runs.push({ files: [file], ...kind })
  }
  return runs
}

const isAlike = (a: Omit<Run, 'files'>, b: Omit<Run, 'files'>) =>
  a.lineEnd === b.lineEnd && a.isParallel === b.isParallel && a.areNumbersPlain === b.areNumbersPlain

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
    return { lineEnd: 'LF', ...WITH_CARE }
  }
  const lineEnd = head?.lineEnd ?? 'LF'
  const laxNumbers = new LaxNumbers(delimiter, lineEnd)
  const quotes = await scanQuotes(file, delimiter, (chunk) => laxNumbers.look(chunk))
  options.signal?.throwIfAborted()
  if (quotes?.isBroken) throw quoteError(file, (await scanCsv(file, delimiter))?.fault?.line)
  const isParallel = quotes?.hasQuotedLineEnd === false
  return { lineEnd, isParallel, areNumbersPlain: isParallel && !laxNumbers.found }
}

/**
 * Without a header DuckDB never takes wrong line ends in silence. An open quote at the end, which it would, leaves an
 * odd number of quotes.
 */
async function probe(request: CsvRequest, file: LocalFile, session: Session, options: Abortable): Promise<void> {
  const headless: CsvRequest = { ...request, options: { ...request.options, with_header: false } }
  const from = readCsv({ files: [file], lineEnd: 'LF', ...WITH_CARE }, headless, USUAL_LINES)
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
