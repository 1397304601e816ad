const FIRST_ROWS = 64
const FIRST_BYTES = 1024
/** Below this many bytes a loop is faster than a call. */
const LOOP_BYTES = 32

/** A text for every row in UTF-8, without a string for any of them. */
export interface Texts {
  readonly bytes: Uint8Array
  /** By row: where in `bytes` its text begins, and how many bytes it has. */
  readonly starts: Uint32Array
  readonly lengths: Uint32Array
}

/** Takes texts row by row; a row that is left out has the empty one. */
export class TextsBuilder {
  #bytes: Uint8Array = new Uint8Array(0)
  #starts: Uint32Array = new Uint32Array(0)
  #lengths: Uint32Array = new Uint32Array(0)
  #end = 0

  /** The bytes of `source` from `start` to `end`. */
  put(row: number, source: Uint8Array, start: number, end: number): void {
    const length = end - start
    if (row >= this.#starts.length) this.#growRows(Math.max(FIRST_ROWS, this.#starts.length * 2, row + 1))
    if (this.#end + length > this.#bytes.length)
      this.#bytes = grown(
        this.#bytes,
        new Uint8Array(Math.max(this.#bytes.length * 2, this.#end + length, FIRST_BYTES)),
      )
    this.#starts[row] = this.#end
    this.#lengths[row] = length
    if (length > LOOP_BYTES) this.#bytes.set(source.subarray(start, end), this.#end)
    else for (let at = 0; at < length; at += 1) this.#bytes[this.#end + at] = source[start + at] as number
    this.#end += length
  }

  build(rows: number): Texts {
    if (rows > this.#starts.length) this.#growRows(rows)
    return {
      bytes: this.#bytes.subarray(0, this.#end),
      starts: this.#starts.subarray(0, rows),
      lengths: this.#lengths.subarray(0, rows),
    }
  }

  #growRows(rows: number): void {
    this.#starts = grown(this.#starts, new Uint32Array(rows))
    this.#lengths = grown(this.#lengths, new Uint32Array(rows))
  }
}

/** The same of strings; null becomes the empty text. */
export function textsOf(values: readonly (string | null)[]): Texts {
  const builder = new TextsBuilder()
  for (const [row, value] of values.entries()) {
    const bytes = Buffer.from(value ?? '')
    builder.put(row, bytes, 0, bytes.length)
  }
  return builder.build(values.length)
}

function grown<T extends { set(from: T): void }>(from: T, to: T): T {
  to.set(from)
  return to
}
