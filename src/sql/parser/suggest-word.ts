/** Longer words are no typing errors of ours. */
const MAX_LENGTH = 24

/** How many letters must be added, dropped or replaced to make `right` of `left`; a swap of neighbours counts as one. */
function distance(left: string, right: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (let i = 1; i <= left.length; i += 1) {
    const row = [i]
    for (let j = 1; j <= right.length; j += 1) {
      const isSame = left[i - 1] === right[j - 1]
      const isSwap = left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1]
      const replaced = (last[j - 1] ?? 0) + (isSame ? 0 : 1)
      const swapped = isSwap ? (beforeLast[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY
      row.push(Math.min(replaced, swapped, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1))
    }
    beforeLast = last
    last = row
  }
  return last[right.length] ?? 0
}

/** `did you mean X?` for a word that is one or two typing errors away from one of `words`. */
export function suggestWord(word: string, words: readonly string[]): string | undefined {
  if (word.length < 3 || word.length > MAX_LENGTH) return undefined
  const allowed = word.length < 6 ? 1 : 2
  const nearest = words
    .map((candidate) => ({ candidate, errors: distance(word, candidate) }))
    .sort((left, right) => left.errors - right.errors)[0]
  return nearest && nearest.errors <= allowed ? `did you mean ${nearest.candidate.toUpperCase()}?` : undefined
}
