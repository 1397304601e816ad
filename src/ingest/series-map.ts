import { LF, SPACE } from './bytes.ts'
import type { TableBuilder } from './table-builder.ts'

/** The bytes of a body between two offsets, measurement and tags as written, and the series they name. */
export interface SeriesEntry {
  readonly start: number
  readonly length: number
  readonly hash: number
  readonly table: TableBuilder
  readonly series: number
  /** The series of the line after the latest of this one: senders go round their series in the same order. */
  next: SeriesEntry | undefined
}

/** Finds a series by the bytes of its key without making a string of them: open addressing over one body. */
export class SeriesMap {
  readonly #body: Buffer
  #slots: (SeriesEntry | undefined)[] = new Array(1024).fill(undefined)
  #size = 0

  constructor(body: Buffer) {
    this.#body = body
  }

  /** Whether the key at `start` is that of `entry`: its bytes, and then its end. */
  isAt(entry: SeriesEntry, start: number): boolean {
    const end = this.#body[start + entry.length]
    return (end === SPACE || end === LF) && this.#isSame(entry.start, start, entry.length)
  }

  find(hash: number, start: number, length: number): SeriesEntry | undefined {
    const mask = this.#slots.length - 1
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const entry = this.#slots[at]
      if (entry === undefined) return undefined
      if (entry.hash === hash && entry.length === length && this.#isSame(entry.start, start, length)) return entry
    }
  }

  add(entry: SeriesEntry): void {
    this.#size += 1
    if (this.#size * 2 > this.#slots.length) this.#double()
    this.#place(entry)
  }

  #place(entry: SeriesEntry): void {
    const mask = this.#slots.length - 1
    let at = entry.hash & mask
    while (this.#slots[at] !== undefined) at = (at + 1) & mask
    this.#slots[at] = entry
  }

  #double(): void {
    const entries = this.#slots
    this.#slots = new Array(entries.length * 2).fill(undefined)
    for (const entry of entries) if (entry) this.#place(entry)
  }

  #isSame(a: number, b: number, length: number): boolean {
    const body = this.#body
    for (let i = 0; i < length; i += 1) if (body[a + i] !== body[b + i]) return false
    return true
  }
}
