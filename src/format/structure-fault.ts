import { CnosError, type ErrorContext } from '../errors/cnos-error.ts'
import type { LocalFile } from './file-format.ts'

const OPEN_QUOTE =
  'Csv error: a quoted field does not end, or goes on behind its closing quote, or lines end in different ways'
const MIXED = /state machine reached an invalid state/i
const MIXED_LINE_ENDS = 'Csv error: lines end in different ways, or a field without quotes holds a carriage return'
const QUOTE_HINT = 'double every quote inside a quoted field, and end all lines of a file alike'
const FOREIGN_FILE = 'check TYPE and its options; a directory must hold files of one kind only'

/** A file that could not be read at all, as an error that names it and, where the engine tells, the line. */
export function structureError(
  kind: 'csv' | 'json' | 'parquet',
  file: LocalFile,
  error: unknown,
  knownLine?: number | undefined,
): CnosError {
  const cause = error instanceof Error ? error : new Error(String(error))
  const told = kind === 'csv' ? csvFault(cause) : kind === 'json' ? jsonFault(cause) : parquetFault(cause)
  const { text, hint, line = knownLine } = told
  const context: ErrorContext = { file: file.origin, ...(line === undefined ? {} : { line }) }
  const place = line === undefined ? file.origin : `${file.origin}, line ${line}`
  return new CnosError('BAD_FILE', `${text.replaceAll(file.path, file.origin)}: ${place}`, { cause, context, hint })
}

/** Whether DuckDB stopped at a line end of another kind than it was told. */
export function hasMixedLineEnds(error: unknown): boolean {
  return error instanceof Error && (MIXED.test(error.message) || hasMixedLineEnds(error.cause))
}

/** A quoted field of CSV that does not end where it should. */
export function quoteError({ origin }: LocalFile, line: number | undefined): CnosError {
  return new CnosError('BAD_FILE', `${OPEN_QUOTE}: ${line === undefined ? origin : `${origin}, line ${line}`}`, {
    context: { file: origin, ...(line === undefined ? {} : { line }) },
    hint: QUOTE_HINT,
  })
}

interface StructureFault {
  readonly text: string
  readonly line?: number | undefined
  readonly hint: string
}

function csvFault({ message }: Error): StructureFault {
  const line = numberIn(/CSV Error on Line: (\d+)/, message)
  const [, expected, found] = /Expected Number of Columns: (\d+) Found: (\d+)/.exec(message) ?? []
  if (expected !== undefined && found !== undefined) {
    const got = Number(found) > Number(expected) ? `more than ${expected}` : found
    return {
      text: `Arrow error: Csv error: incorrect number of fields for line ${line}, expected ${expected} got ${got}`,
      line,
      hint: "list the file's columns after the table's name, or check DELIMITER and WITH_HEADER",
    }
  }
  if (/unterminated quote/i.test(message)) {
    return {
      text: OPEN_QUOTE,
      line,
      hint: QUOTE_HINT,
    }
  }
  if (MIXED.test(message)) {
    return {
      text: MIXED_LINE_ENDS,
      line,
      hint: 'end all lines with LF (dos2unix does it), and quote fields that hold line ends',
    }
  }
  if (/unicode|utf-8/i.test(message)) {
    return { text: 'Csv error: the file is not UTF-8', line, hint: 'convert the file to UTF-8' }
  }
  if (/Maximum line size/i.test(message)) {
    return {
      text: 'Csv error: a line is too long: at most 64 MiB can be read',
      line,
      hint: 'check the quotes and line ends of the file',
    }
  }
  return { text: `Csv error: ${firstLines(message)}`, line, hint: FOREIGN_FILE }
}

function jsonFault({ message }: Error): StructureFault {
  const reason =
    /(?:Malformed JSON|JSON transform error) in file ".*", (?:at byte (\d+) )?in (line|record\/value) (\d+): (.*)/s.exec(
      message,
    )
  const text = reason ? (reason[4] as string).split('\n')[0] : firstLines(message)
  return { text: `Json error: ${text}`, hint: FOREIGN_FILE }
}

function parquetFault({ message }: Error): StructureFault {
  return {
    text: `Parquet error: ${firstLines(message)}`,
    hint: `the file is damaged, incomplete or no Parquet: write it again, or ${FOREIGN_FILE}`,
  }
}

const numberIn = (pattern: RegExp, text: string) => {
  const found = pattern.exec(text)?.[1]
  return found === undefined ? undefined : Number(found)
}

const firstLines = (message: string) => message.split('\n')[0] as string
