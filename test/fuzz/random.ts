/** Numbers that one seed fixes for ever (Mulberry32), so that a failure can be had again. */
export interface Random {
  /** 0 ≤ n < `limit`. */
  below(limit: number): number
  pick<T>(values: readonly T[]): T
}

export function randomFrom(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  const below = (limit: number) => Math.floor(next() * limit)
  return { below, pick: <T>(values: readonly T[]) => values[below(values.length)] as T }
}
