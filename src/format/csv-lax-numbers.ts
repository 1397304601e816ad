import type { LineEnd } from './csv-record.ts'

const QUOTE = 0x22
const PLUS = 0x2b
const MINUS = 0x2d
const LF = 0x0a
const CR = 0x0d

/** The underscore and the blanks that DuckDB's cast to DOUBLE passes over, but for ends of lines. */
const PASSED_OVER = [0x5f, 0x20, 0x09, 0x0b, 0x0c]
/** What else a text may hold that DuckDB casts to a finite DOUBLE. */
const OF_NUMBERS = [...'0123456789+-.eE'].map((character) => character.charCodeAt(0))
/** Blanks as well where lines do not end with them. */
const STRAY: Readonly<Record<LineEnd, readonly number[]>> = { LF: [CR], CR: [LF], CRLF: [] }

const OTHER = 0
const NUMBER = 1
/** Where a field can begin or end. */
const EDGE = 2

/** Words for what is no finite number; one inside a string does no harm. */
const WORD = /[^\w.+-][+-]?(?:nan|inf|infinity)[^\w.+-]/i
/** Of each piece: enough to find the files with many words at once. Others are read in vain first. */
const SAMPLED_BYTES = 4096

/**
 * Looks for fields that DuckDB takes for finite numbers and CnosDB does not: `1_000`, ` 1`, `+-1`. Where a file has
 * none, DuckDB itself can read its columns of numbers, which is much faster than to look at every text. Files with
 * infinities and NaN are not for it: that those are meant only their text tells.
 */
export class LaxNumbers {
  readonly #suspects: readonly number[]
  readonly #kinds = new Uint8Array(256).fill(OTHER)
  #found: boolean

  /** For a file in which no line ends inside quotes. */
  constructor(delimiter: string, lineEnd: LineEnd) {
    const separator = delimiter.charCodeAt(0)
    this.#suspects = [PLUS, ...PASSED_OVER, ...STRAY[lineEnd]]
    for (const byte of [...OF_NUMBERS, ...PASSED_OVER]) this.#kinds[byte] = NUMBER
    for (const byte of [separator, QUOTE, LF, CR]) this.#kinds[byte] = EDGE
    for (const byte of STRAY[lineEnd]) this.#kinds[byte] = NUMBER
    this.#found = this.#suspects.includes(separator)
  }

  /** Possible without any, but never false when there is one. */
  get found(): boolean {
    return this.#found
  }

  /** Looks at the next piece of the file; where it begins and ends, fields do for all that is known. */
  look(chunk: Buffer): void {
    this.#found ||= WORD.test(chunk.toString('latin1', 0, SAMPLED_BYTES))
    this.#found ||= this.#suspects.some((suspect) => this.#hasLaxNumber(chunk, suspect))
  }

  /** Hops from suspect to suspect; no byte is looked at again and again, however many stand in a row. */
  #hasLaxNumber(chunk: Buffer, suspect: number): boolean {
    let at = chunk.indexOf(suspect)
    while (at >= 0) {
      let [start, end] = [at, at + 1]
      while (end < chunk.length && this.#kinds[chunk[end] as number] === NUMBER) end += 1
      while (start > 0 && this.#kinds[chunk[start - 1] as number] === NUMBER) start -= 1
      const isField = this.#isEdge(chunk[start - 1]) && this.#isEdge(chunk[end])
      if (isField && (suspect !== PLUS || isMinus(chunk[at + 1]))) return true
      at = chunk.indexOf(suspect, end)
    }
    return false
  }

  #isEdge(byte: number | undefined): boolean {
    return byte === undefined || this.#kinds[byte] === EDGE
  }
}

/** Whether a minus stands there, or may: the piece has ended. */
const isMinus = (byte: number | undefined) => byte === undefined || byte === MINUS
