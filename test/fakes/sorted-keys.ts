/** The keys of a map by ascending bytes of their UTF-8, sorted once for as long as none comes or goes. */
export class SortedKeys {
  readonly #map: ReadonlyMap<string, unknown>
  #sorted: readonly string[] = []
  #stamp = -1
  #changes = 0

  constructor(map: Map<string, unknown>) {
    this.#map = map
    const set = map.set.bind(map)
    const remove = map.delete.bind(map)
    map.set = (key, value) => {
      if (!map.has(key)) this.#changes += 1
      return set(key, value)
    }
    map.delete = (key) => {
      this.#changes += 1
      return remove(key)
    }
  }

  /** Up to `limit` keys with this prefix that come after `after`, and whether there are more. */
  page(prefix: string, after: string, limit: number): { readonly keys: readonly string[]; readonly hasMore: boolean } {
    if (this.#stamp !== this.#changes) {
      this.#sorted = [...this.#map.keys()].sort(compareUtf8)
      this.#stamp = this.#changes
    }
    let index = after === '' ? 0 : this.#firstAfter(after)
    const keys: string[] = []
    for (; index < this.#sorted.length && keys.length <= limit; index += 1) {
      const key = this.#sorted[index] as string
      if (key.startsWith(prefix)) keys.push(key)
    }
    return { keys: keys.slice(0, limit), hasMore: keys.length > limit }
  }

  #firstAfter(after: string): number {
    let low = 0
    let high = this.#sorted.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (compareUtf8(this.#sorted[middle] as string, after) <= 0) low = middle + 1
      else high = middle
    }
    return low
  }
}

const compareUtf8 = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))
