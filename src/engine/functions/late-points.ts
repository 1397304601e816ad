import { bound } from './bound.ts'

/** How many points behind a gap are looked at for those that came late, in gaps. */
const SIGHT = 9
/** A longer gap, in usual gaps, is taken for a time in which nothing was measured. */
const LONGEST = 9

const isNarrow = (gap: string) => `${gap} <= 0.5 * usual.gap`
const isWide = (gap: string) => `${gap} >= 2 * usual.gap`
const isMissing = (gap: string) => `(${isWide(gap)} AND ${gap} <= ${LONGEST} * usual.gap)`

/** How many points are missing in the first gap of the window. */
const WANTED = 'CAST(floor(total.seen[1] / usual.gap - 0.5) AS BIGINT)'

/** The gap that is added, from the last point that was not taken out of the window. */
const ADDED = 'list_transform(each.seen, lambda gap: gap + total.behind)'
const WINDOW = `list_concat(total.seen, ${ADDED})`

/** Points that crowd behind a gap came late and fill it, but none behind the next gap. */
const LATER = `list_transform(list_concat([CAST(0 AS BIGINT)], (${WINDOW})[2:]), lambda gap: struct_pack(kept := [gap], behind := CAST(0 AS BIGINT), late := CAST(0 AS BIGINT), done := false))`
const NEXT = '(state.behind + other.kept[1])'
const keep = (done: string) =>
  `struct_pack(kept := list_append(state.kept, ${NEXT}), behind := CAST(0 AS BIGINT), late := state.late, done := ${done})`
const DROP = `struct_pack(kept := state.kept, behind := ${NEXT}, late := state.late + 1, done := state.late + 1 = ${WANTED})`
const FILLED = `list_reduce(${LATER}, lambda state, other: CASE WHEN state.done OR ${isWide(NEXT)} THEN ${keep('true')} WHEN ${isNarrow(NEXT)} THEN ${DROP} ELSE ${keep('false')} END)`

const counts = (seen: string, { behind = '0', redundant = '', late = '', missing = '' }) =>
  `struct_pack(seen := ${seen}, behind := CAST(${behind} AS BIGINT), redundant := total.redundant${redundant}, late := total.late${late}, missing := total.missing${missing})`
const AFTER_GAP = bound(
  FILLED,
  'filled',
  counts('filled.kept[2:]', {
    behind: 'filled.behind',
    late: ' + filled.late',
    missing: ` + ${WANTED} - filled.late`,
  }),
)
const IS_SHORT = `len(total.seen) = 0 OR (len(total.seen) < ${SIGHT - 1} AND len(each.seen) > 0)`
const STEP = `CASE
  WHEN ${IS_SHORT} THEN ${counts(WINDOW, {})}
  WHEN ${isNarrow('total.seen[1]')} THEN ${counts(`${WINDOW}[3:]`, { redundant: ' + 1' })}
  WHEN ${isMissing('total.seen[1]')} THEN ${AFTER_GAP}
  ELSE ${counts(`${WINDOW}[2:]`, {})} END`

const NONE = 'CAST(0 AS BIGINT)'
const start = (seen: string) =>
  `struct_pack(seen := ${seen}, behind := ${NONE}, redundant := ${NONE}, late := ${NONE}, missing := ${NONE})`

/** Gaps that are out of sight of every odd one before them cannot count. */
const ODD = `list_filter(list_zip(series.gaps, range(1, len(series.gaps) + 1)), lambda pair: ${isNarrow('pair[1]')} OR ${isMissing('pair[1]')})`
const NEAR = `list_filter(list_sort(list_distinct(flatten(list_transform(${ODD}, lambda pair: range(pair[2], pair[2] + ${SIGHT + 2}))))), lambda place: place <= len(series.gaps))`
const STEPS = `list_concat([${start('series.gaps[:0]')}], list_transform(list_select(series.gaps, ${NEAR}), lambda gap: ${start('[gap]')}), list_transform(range(${SIGHT}), lambda unused: ${start('series.gaps[:0]')}))`
const SCAN = `list_reduce(${STEPS}, lambda total, each: ${STEP})`
const USUAL = "struct_pack(gap := CAST(list_aggregate(series.gaps, 'median') AS DOUBLE))"

/** `body` over `found`: how many points of `series` are `redundant`, `late` and `missing`. */
export const withCounts = (body: string) => bound(USUAL, 'usual', bound(SCAN, 'found', body))
