/** One series of a batch: what tells it from others, its first time and its last. */
export interface SeriesSpan {
  readonly key: string
  readonly from: bigint
  readonly to: bigint
}

/** About 10 MB a table. */
const MAX_SERIES = 50_000

/**
 * What this process knows of the newest row of each series of a table, so that senders whose times overlap, each with
 * series of its own, need not be compared with the rows that are there: no row of a series is newer than its bound.
 */
export class SeriesBounds {
  readonly #known = new Map<string, bigint>()
  /** The bound of all series that are not known. */
  #others: bigint
  #newest: bigint

  /** No row of the table is newer than `newest`. */
  constructor(newest: bigint) {
    this.#others = newest
    this.#newest = newest
  }

  /** Whether all rows of these series are newer than what the table has of them. */
  areNewer(series: readonly SeriesSpan[]): boolean {
    return series.every(({ key, from }) => from > (this.#known.get(key) ?? this.#others))
  }

  /** Before the rows are there: a bound must hold even when they come and the answer is lost. */
  raise(series: readonly SeriesSpan[]): void {
    for (const { key, to } of series) {
      if (to > (this.#known.get(key) ?? this.#others)) this.#known.set(key, to)
      if (to > this.#newest) this.#newest = to
    }
    if (this.#known.size <= MAX_SERIES) return
    this.#known.clear()
    this.#others = this.#newest
  }
}
