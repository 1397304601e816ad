import type { ColumnBatch, TagVector } from './column-batch.ts'
import type { SeriesSpan } from './series-bounds.ts'

export interface BatchSpans {
  readonly spans: readonly SeriesSpan[]
  /** Whether every row of a series is newer than the one before it. */
  readonly isRising: boolean
  /** Whether no two of the series have the same tags. */
  readonly areDistinct: boolean
}

/** First and last time of every series that has rows. */
export function spansOf({ time, series, seriesCount, rowCount, tags }: ColumnBatch): BatchSpans {
  const ticks = new TickColumn(time)
  const from = new TickColumn(new BigInt64Array(seriesCount))
  const to = new TickColumn(new BigInt64Array(seriesCount))
  const hasRows = new Uint8Array(seriesCount)
  let isRising = true
  for (let row = 0; row < rowCount; row += 1) {
    const set = series[row] as number
    if (hasRows[set] === 0) {
      hasRows[set] = 1
      from.copy(set, ticks, row)
      to.copy(set, ticks, row)
    } else if (to.isBefore(set, ticks, row)) to.copy(set, ticks, row)
    else {
      isRising = false
      if (ticks.isBefore(row, from, set)) from.copy(set, ticks, row)
    }
  }
  const keyOf = seriesKeys(tags)
  const spans: SeriesSpan[] = []
  for (let set = 0; set < seriesCount; set += 1)
    if (hasRows[set] === 1) spans.push({ key: keyOf(set), from: from.at(set), to: to.at(set) })
  return { spans, isRising, areDistinct: new Set(spans.map(({ key }) => key)).size === spans.length }
}

/** Times compared and copied by their halves, low first: a bigint for every row would cost more than all the rest. */
class TickColumn {
  readonly #ticks: BigInt64Array
  readonly #signed: Int32Array
  readonly #unsigned: Uint32Array

  constructor(ticks: BigInt64Array) {
    this.#ticks = ticks
    this.#signed = new Int32Array(ticks.buffer, ticks.byteOffset, ticks.length * 2)
    this.#unsigned = new Uint32Array(ticks.buffer, ticks.byteOffset, ticks.length * 2)
  }

  at(place: number): bigint {
    return this.#ticks[place] as bigint
  }

  copy(place: number, other: TickColumn, from: number): void {
    this.#signed[place * 2] = other.#signed[from * 2] as number
    this.#signed[place * 2 + 1] = other.#signed[from * 2 + 1] as number
  }

  isBefore(place: number, other: TickColumn, otherPlace: number): boolean {
    const [high, otherHigh] = [this.#signed[place * 2 + 1] as number, other.#signed[otherPlace * 2 + 1] as number]
    if (high !== otherHigh) return high < otherHigh
    return (this.#unsigned[place * 2] as number) < (other.#unsigned[otherPlace * 2] as number)
  }
}

/** Never a byte of UTF-8. */
const END_OF_NAME = 0xff

/**
 * The same text for the same tags, however they are arranged: of each tag that is there, in the order of their names, the
 * name, its end, the length of the value in four bytes, and the value. The characters are bytes.
 */
function seriesKeys(tags: readonly TagVector[]): (set: number) => string {
  const inOrder = [...tags]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((tag) => ({ ...tag, head: Buffer.from([...Buffer.from(tag.name), END_OF_NAME]) }))
  const headBytes = inOrder.reduce((sum, { head }) => sum + head.length + 4, 0)
  let key = Buffer.alloc(0)
  return (set) => {
    const bytes = inOrder.reduce((sum, { values }) => sum + (values.lengths[set] as number), headBytes)
    if (bytes > key.length) key = Buffer.alloc(bytes * 2)
    let end = 0
    for (const { head, values, valid } of inOrder) {
      if (valid !== undefined && valid[set] !== 1) continue
      for (let at = 0; at < head.length; at += 1) key[end++] = head[at] as number
      const length = values.lengths[set] as number
      for (let shift = 0; shift < 32; shift += 8) key[end++] = length >>> shift
      const start = values.starts[set] as number
      for (let at = 0; at < length; at += 1) key[end++] = values.bytes[start + at] as number
    }
    return key.toString('latin1', 0, end)
  }
}
