import type { Abortable } from '../async/abort.ts'
import type { Session } from '../engine/engine.ts'
import { quoteIdentifier, quoteString } from '../engine/quote.ts'
import { CnosError } from '../errors/cnos-error.ts'
import type { csvOptions } from './csv-options.ts'
import { readHeader } from './csv-record.ts'
import { engineText, explainFault, type FaultySource } from './fault.ts'
import type { LocalFile, Reader, ReadRequest } from './file-format.ts'
import { lineOfCsvRecord } from './line-number.ts'
import { fileList, runsOfCompression, unionAll } from './local-files.ts'
import { fromText } from './strict-value.ts'

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

function readCsv(files: readonly LocalFile[], { fileColumns, options }: CsvRequest, speed: Speed): string {
  const columns = fileColumns.map((_, i) => `'${numbered(i)}': 'VARCHAR'`).join(', ')
  return [
    `read_csv(${fileList(files)}, columns = {${columns}}, auto_detect = false, header = ${options.with_header}`,
    `delim = ${quoteString(options.delimiter)}, quote = '"', escape = '"', nullstr = '', allow_quoted_nulls = false`,
    `strict_mode = true, null_padding = false, hive_partitioning = false, encoding = 'utf-8'`,
    `compression = '${files[0]?.compression ?? 'none'}', parallel = ${speed.isParallel}`,
    `max_line_size = ${speed.longestLineBytes}, buffer_size = ${speed.bufferBytes})`,
  ].join(', ')
}

/** Every field is read as text and converted by our own rules. */
function fromItem(request: CsvRequest, speed: Speed): string {
  const values = request.columns.map((column) => {
    const { value } = fromText(fieldOf(request, column.source), column)
    return `${value} AS ${quoteIdentifier(column.name)}`
  })
  const parts = runsOfCompression(request.files).map(
    (files) => `SELECT ${values.join(', ')} FROM ${readCsv(files, request, speed)}`,
  )
  return unionAll(parts)
}

const fieldOf = ({ fileColumns }: CsvRequest, source: string) => numbered(fileColumns.indexOf(source))

/** Whether DuckDB failed over the structure of a file and not over a value: a single thread may do better. */
const isStructural = (error: unknown) =>
  /CSV Error on Line|Parallel CSV Reader|Maximum line size/.test(engineText(error))

/** Reads CSV by position. Throws BAD_FILE for a header with another number of fields. */
export async function csvReader(request: CsvRequest, session: Session, options: Abortable = {}): Promise<Reader> {
  if (request.options.with_header || request.namesMatter) await checkHeaders(request, session, options)
  const source: FaultySource = {
    kind: 'csv',
    recordsBefore: request.options.with_header ? 1n : 0n,
    lineOf: (file, record) => lineOfCsvRecord(file, Number(record), request.options.delimiter),
    files: request.files,
    columns: request.columns,
    read: (file) => readCsv([file], request, CAREFUL),
    rawOf: (column) => fieldOf(request, column.source),
    faultOf: (column) => fromText(fieldOf(request, column.source), column).isBad,
  }
  return {
    from: fromItem(request, FAST),
    careful: { from: fromItem(request, CAREFUL), suits: isStructural },
    explain: (error, among, waiting) => explainFault([source], error, among, waiting),
  }
}

async function checkHeaders(request: CsvRequest, session: Session, options: Abortable): Promise<void> {
  const { files, fileColumns } = request
  for (const file of files) {
    options.signal?.throwIfAborted()
    const header = await readHeader(file, request.options.delimiter, session, options)
    if (!header) continue
    if (header.length !== fileColumns.length) throw wrongHeader(file, header, fileColumns)
    if (request.namesMatter && request.options.with_header && header.some((name, i) => name !== fileColumns[i])) {
      throw new CnosError(
        'BAD_FILE',
        `${file.origin}: the header (${header.join(', ')}) differs from that of the first file (${fileColumns.join(', ')})`,
        { context: { file: file.origin, line: 1 }, hint: 'load files with different columns in separate statements' },
      )
    }
  }
}

function wrongHeader({ origin }: LocalFile, header: readonly string[], expected: readonly string[]): CnosError {
  return new CnosError(
    'BAD_FILE',
    `Csv error: incorrect number of fields for line 1, expected ${expected.length} got ${header.length > expected.length ? `more than ${expected.length}` : header.length} in ${origin}: it has ${header.join(', ')}; needed are ${expected.join(', ')}`,
    {
      context: { file: origin, line: 1 },
      hint: "list the file's columns after the table's name, or check DELIMITER; a directory must hold files of one kind only",
    },
  )
}
