import { type Batch, type BatchLayout, timeColumnOf } from './batch.ts'
import type { BatchFacts } from './batch-facts.ts'
import type { Session } from './engine.ts'
import type { TimeRange } from './merge-sql.ts'
import { timeUnitOf } from './time-ticks.ts'

/**
 * Cuts the batch's time into ranges of about `sliceRows` rows each, which together cover all of it. Rows of one time
 * stay together, however many they are.
 */
export async function cutTime(
  session: Session,
  batch: Batch,
  layout: BatchLayout,
  { rows, minTime, maxTime }: BatchFacts,
  sliceRows: number,
): Promise<readonly TimeRange[]> {
  const parts = Math.ceil(Number(rows) / sliceRows)
  const { cell, type } = timeColumnOf(layout)
  const quantiles = Array.from({ length: parts - 1 }, (_, index) => (index + 1) / parts)
  const ticks = timeUnitOf(type).toTicks(cell)
  const found =
    quantiles.length === 0
      ? []
      : await session.all(
          `SELECT unnest(approx_quantile(${ticks}, [${quantiles.join(', ')}])) AS cut FROM ${batch.from}`,
        )
  return rangesBetween(
    minTime,
    maxTime,
    found.map((row) => row.cut as bigint),
  )
}

/** The ranges that start at `min` and after each cut inside, the last ending at `max`. */
export function rangesBetween(min: bigint, max: bigint, cuts: readonly bigint[]): readonly TimeRange[] {
  const ends = [...new Set(cuts.filter((cut) => cut >= min && cut < max))].sort((a, b) => (a < b ? -1 : 1))
  return [...ends, max].map((to, index) => ({ from: index === 0 ? min : (ends[index - 1] as bigint) + 1n, to }))
}
