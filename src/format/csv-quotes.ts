import type { LocalFile } from './file-format.ts'
import { bytesOf } from './line-number.ts'

const QUOTE = 0x22
const LF = 0x0a
const CR = 0x0d
const BLANK = 0x20

export interface Quotes {
  /** Lines end inside quotes: DuckDB, which cuts files at line ends for its threads, may lose rows then. */
  readonly hasQuotedLineEnd: boolean
  /** A quoted field has no end, or text behind its closing quote. DuckDB takes the former for the end of the rows. */
  readonly isBroken: boolean
}

interface State {
  isQuoted: boolean
  /** The last byte was a quote that ends a field or, with another one behind it, stands for a quote. */
  isClosing: boolean
  /** The last byte before the chunk that is no blank; -1 at the start of the file. */
  previous: number
  hasQuotedLineEnd: boolean
  isBroken: boolean
}

/**
 * Hops from quote to quote, much faster than byte by byte, and shows every piece of the file to `look`. Undefined where
 * this Node cannot unpack the file.
 */
export async function scanQuotes(
  file: LocalFile,
  delimiter: string,
  look: (chunk: Buffer) => void = () => {},
): Promise<Quotes | undefined> {
  const bytes = bytesOf(file)
  if (!bytes) return undefined
  const separator = delimiter.charCodeAt(0)
  const state: State = { isQuoted: false, isClosing: false, previous: -1, hasQuotedLineEnd: false, isBroken: false }
  for await (const chunk of bytes) {
    if (chunk.length === 0) continue
    scanChunk(chunk, separator, state)
    if (state.isBroken) break
    look(chunk)
    state.previous = lastNonBlank(chunk, state.previous)
  }
  return { hasQuotedLineEnd: state.hasQuotedLineEnd, isBroken: state.isBroken || (state.isQuoted && !state.isClosing) }
}

function scanChunk(chunk: Buffer, separator: number, state: State): void {
  const lines = lineEndsOf(chunk)
  let position = 0
  if (state.isClosing) {
    position = afterQuote(chunk, 0, separator, state)
  }
  while (position < chunk.length && !state.isBroken) {
    const quote = chunk.indexOf(QUOTE, position)
    if (!state.isQuoted) {
      if (quote < 0) return
      position = quote + 1
      state.isQuoted = opensField(chunk, quote, separator, state.previous)
      continue
    }
    if (!state.hasQuotedLineEnd && lines.isBetween(position, quote < 0 ? chunk.length : quote)) {
      state.hasQuotedLineEnd = true
    }
    if (quote < 0) return
    position = quote + 1
    if (position === chunk.length) state.isClosing = true
    else position = afterQuote(chunk, position, separator, state)
  }
}

/** Goes on behind a quote inside a quoted field, which `position` follows. */
function afterQuote(chunk: Buffer, position: number, separator: number, state: State): number {
  state.isClosing = false
  const next = chunk[position]
  if (next === QUOTE) return position + 1
  state.isQuoted = false
  state.isBroken = next !== separator && next !== LF && next !== CR && next !== BLANK
  return position
}

/** Whether the quote at `at` begins a field: only blanks stand between it and a delimiter or the line's start. */
function opensField(chunk: Buffer, at: number, separator: number, previous: number): boolean {
  const byte = lastNonBlank(chunk.subarray(0, at), previous)
  return byte === separator || byte === LF || byte === CR || byte === -1 || (previous === -1 && isMark(chunk, at))
}

function lastNonBlank(bytes: Buffer, previous: number): number {
  let at = bytes.length - 1
  while (at >= 0 && bytes[at] === BLANK) at -= 1
  return at >= 0 ? (bytes[at] as number) : previous
}

/** Whether nothing but a byte order mark stands before `at`. */
function isMark(chunk: Buffer, at: number): boolean {
  return at === 3 && chunk[0] === 0xef && chunk[1] === 0xbb && chunk[2] === 0xbf
}

/** Answers ascending questions about line ends without looking at a byte twice. */
function lineEndsOf(chunk: Buffer): { isBetween(from: number, to: number): boolean } {
  const next = { [LF]: -2, [CR]: -2 }
  const nextAt = (byte: typeof LF | typeof CR, from: number) => {
    const known = next[byte]
    if (known === -1 || known >= from) return known
    next[byte] = chunk.indexOf(byte, from)
    return next[byte]
  }
  const isIn = (at: number, to: number) => at >= 0 && at < to
  return { isBetween: (from, to) => isIn(nextAt(LF, from), to) || isIn(nextAt(CR, from), to) }
}
