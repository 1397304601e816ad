import type { LocalFile } from './file-format.ts'
import { bytesOf } from './line-number.ts'

const QUOTE = 0x22
const LF = 0x0a
const CR = 0x0d

const AT_RECORD = 0
const AT_FIELD = 1
const PLAIN = 2
const QUOTED = 3
const BEHIND_QUOTE = 4

/** A quoted field without an end, or with text behind its closing quote. */
interface QuoteFault {
  /** Where the record begins, from 1. */
  readonly line: number
}

export interface CsvScan {
  /** Without blank lines, with the header. */
  readonly records: number
  /** Where the record that was asked for begins, from 1. */
  readonly lineOfRecord: number | undefined
  readonly fault: QuoteFault | undefined
}

/**
 * Goes through a file byte by byte, by the same rules as the engine: a quote means something only where a field begins.
 * Stops at the record `wanted` (counted from 1) or at a fault. Undefined where this Node cannot unpack the file.
 */
export async function scanCsv(file: LocalFile, delimiter: string, wanted = 0): Promise<CsvScan | undefined> {
  const bytes = bytesOf(file)
  if (!bytes) return undefined
  const separator = delimiter.charCodeAt(0)
  let state = AT_RECORD
  let line = 1
  let records = 0
  let recordLine = 1
  let previous = 0
  for await (const chunk of bytes) {
    for (const byte of chunk) {
      if (state === AT_RECORD && byte !== LF && byte !== CR) {
        records += 1
        recordLine = line
        if (records === wanted) return { records, lineOfRecord: line, fault: undefined }
        state = AT_FIELD
      }
      if (byte === CR || (byte === LF && previous !== CR)) line += 1
      previous = byte
      if (state === QUOTED) {
        if (byte === QUOTE) state = BEHIND_QUOTE
      } else if (byte === separator) state = AT_FIELD
      else if (byte === LF || byte === CR) state = AT_RECORD
      else if (byte === QUOTE && (state === AT_FIELD || state === BEHIND_QUOTE)) state = QUOTED
      else if (state === BEHIND_QUOTE) return { records, lineOfRecord: undefined, fault: { line: recordLine } }
      else state = PLAIN
    }
  }
  return { records, lineOfRecord: undefined, fault: state === QUOTED ? { line: recordLine } : undefined }
}

/** The first line, counted from 1, that ends in another way than the file's first; ends inside quotes do not count. */
export async function lineOfOtherEnd(file: LocalFile): Promise<number | undefined> {
  let line = 1
  let first: string | undefined
  let previous = 0
  let isQuoted = false
  for await (const chunk of bytesOf(file) ?? []) {
    for (const byte of chunk) {
      const isPair = previous === CR && byte === LF
      if (previous === CR || byte === LF) {
        const end = isPair ? 'CRLF' : previous === CR ? 'CR' : 'LF'
        if (!isQuoted) first ??= end
        if (!isQuoted && end !== first) return line
        line += 1
      }
      if (byte === QUOTE) isQuoted = !isQuoted
      previous = isPair ? 0 : byte
    }
  }
  return undefined
}
