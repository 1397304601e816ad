/** Enough for a run of 2^40 values that are not known. */
const PASSES = 40

/** Each NULL becomes the value 1, 2, 4… places before it; `place` is that of the second operand, which is 2 first. */
const WIDTH = 'CAST(power(2, place - 2) AS BIGINT)'
const IS_OPEN = `list_count(known) < len(known) AND ${WIDTH} < len(known)`
const SHIFTED = `list_concat(list_resize(known[:0], ${WIDTH}), known)`
const PASS = `CASE WHEN ${IS_OPEN} THEN list_transform(list_zip(known, ${SHIFTED}, true), lambda pair: coalesce(pair[1], pair[2])) ELSE known END`

/** The list with the last known value in the place of every NULL, and `first` where there is none. */
export const carried = (first: string, list: string) =>
  `list_reduce(list_resize([list_concat([${first}], ${list})], ${PASSES}), lambda known, unused, place: ${PASS})[2:]`

/** The same from the other end. */
export const carriedBack = (last: string, list: string) => `list_reverse(${carried(last, `list_reverse(${list})`)})`
