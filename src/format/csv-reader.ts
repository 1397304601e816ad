import type { Abortable } from '../async/abort.ts'
import type { Session } from '../engine/engine.ts'
import { quoteIdentifier, quoteString } from '../engine/quote.ts'
import { CnosError } from '../errors/cnos-error.ts'
import { readHead } from './csv-head.ts'
import type { csvOptions } from './csv-options.ts'
import type { LineEnd } from './csv-record.ts'
import { engineText, explainFault, type FaultySource } from './fault.ts'
import type { LocalFile, Reader, ReadRequest } from './file-format.ts'
import { lineOfCsvRecord } from './line-number.ts'
import { compressionName, fileList, unionAll } from './local-files.ts'
import { fromText } from './strict-value.ts'
import { structureError } from './structure-fault.ts'

type CsvRequest = ReadRequest<typeof csvOptions>

const MIB = 1024 * 1024

interface Speed {
  readonly isParallel: boolean
  readonly longestLineBytes: number
  readonly bufferBytes: number
}

/** DuckDB cuts a file for its threads at line ends; it notices when line ends inside quotes led it astray, and fails. */
const FAST: Speed = { isParallel: true, longestLineBytes: 16 * MIB, bufferBytes: 32 * MIB }
const CAREFUL: Speed = { isParallel: false, longestLineBytes: 128 * MIB, bufferBytes: 128 * MIB }

/** Columns are numbered, so that names that differ in case only, or repeat, do no harm. */
const numbered = (position: number) => `c${position}`

/** Neighbouring files that one call can read. */
interface Run {
  readonly files: readonly LocalFile[]
  readonly lineEnd: LineEnd
}

/** CRLF is what DuckDB finds out by itself, and cannot be told. */
const NEW_LINE: Readonly<Record<LineEnd, string>> = { LF: ", new_line = '\\n'", CR: ", new_line = '\\r'", CRLF: '' }

function readCsv({ files, lineEnd }: Run, { fileColumns, options }: CsvRequest, speed: Speed): string {
  const columns = fileColumns.map((_, i) => `'${numbered(i)}': 'VARCHAR'`).join(', ')
  return [
    `read_csv(${fileList(files)}, columns = {${columns}}, auto_detect = false, header = ${options.with_header}`,
    `delim = ${quoteString(options.delimiter)}, quote = '"', escape = '"', nullstr = '', allow_quoted_nulls = false`,
    `strict_mode = true, null_padding = false, hive_partitioning = false, encoding = 'utf-8'`,
    `compression = '${compressionName(files[0]?.compression)}'${NEW_LINE[lineEnd]}, parallel = ${speed.isParallel}`,
    `max_line_size = ${speed.longestLineBytes}, buffer_size = ${speed.bufferBytes})`,
  ].join(', ')
}

/** Every field is read as text and converted by our own rules. */
function fromItem(request: CsvRequest, runs: readonly Run[], speed: Speed): string {
  const values = request.columns.map((column) => {
    const { value } = fromText(fieldOf(request, column.source), column)
    return `${value} AS ${quoteIdentifier(column.name)}`
  })
  return unionAll(runs.map((run) => `SELECT ${values.join(', ')} FROM ${readCsv(run, request, speed)}`))
}

const fieldOf = ({ fileColumns }: CsvRequest, source: string) => numbered(fileColumns.indexOf(source))

/** Whether DuckDB failed over the structure of a file and not over a value: a single thread may do better. */
const isStructural = (error: unknown) =>
  /CSV Error on Line|Parallel CSV Reader|Maximum line size/.test(engineText(error))

/** Reads CSV by position. Throws BAD_FILE for a header with another number of fields. */
export async function csvReader(request: CsvRequest, session: Session, options: Abortable = {}): Promise<Reader> {
  const runs = await runsOf(request, session, options)
  const lineEndOf = new Map(runs.flatMap(({ files, lineEnd }) => files.map((file) => [file, lineEnd] as const)))
  const source: FaultySource = {
    kind: 'csv',
    recordsBefore: request.options.with_header ? 1n : 0n,
    lineOf: (file, record) => lineOfCsvRecord(file, Number(record), request.options.delimiter),
    files: request.files,
    columns: request.columns,
    read: (file) => readCsv({ files: [file], lineEnd: lineEndOf.get(file) ?? 'LF' }, request, CAREFUL),
    rawOf: (column) => fieldOf(request, column.source),
    faultOf: (column) => fromText(fieldOf(request, column.source), column).isBad,
  }
  return {
    from: fromItem(request, runs, FAST),
    careful: { from: fromItem(request, runs, CAREFUL), suits: isStructural },
    explain: (error, among, waiting) => explainFault([source], error, among, waiting),
  }
}

/** Checks the first record of every file and puts neighbours of one kind together. */
async function runsOf(request: CsvRequest, session: Session, options: Abortable): Promise<readonly Run[]> {
  const runs: { files: LocalFile[]; lineEnd: LineEnd }[] = []
  for (const file of request.files) {
    options.signal?.throwIfAborted()
    const head = await readHead(file, request.options.delimiter, session, options)
    if (head) checkFields(request, file, head.fields)
    if (file.compression === 'zstd') await probe(request, file, session, options)
    const lineEnd = head?.lineEnd ?? 'LF'
    const last = runs.at(-1)
    if (last?.lineEnd === lineEnd && last.files[0]?.compression === file.compression) last.files.push(file)
    else runs.push({ files: [file], lineEnd })
  }
  return runs
}

/** Without a header DuckDB never takes wrong line ends in silence. */
async function probe(request: CsvRequest, file: LocalFile, session: Session, options: Abortable): Promise<void> {
  const headless: CsvRequest = { ...request, options: { ...request.options, with_header: false } }
  const from = readCsv({ files: [file], lineEnd: 'LF' }, headless, CAREFUL)
  try {
    await session.all(`SELECT 1 FROM ${from} LIMIT 1`, options)
  } catch (error) {
    options.signal?.throwIfAborted()
    throw structureError('csv', file, error)
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
