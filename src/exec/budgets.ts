const MIB = 1024 * 1024

/** How a server's two budgets are cut. */
export interface Budgets {
  /** DuckDB's memory_limit. */
  readonly duckdbMemoryBytes: number
  /** The size of one part of an upload or one range of a download. */
  readonly partBytes: number
  /** Parts held in memory at once, by all statements of one kind. */
  readonly partsInFlight: number
  /** Files on their way in or out. */
  readonly spoolBytes: number
  /** What DuckDB may spill. */
  readonly spillBytes: number
}

const PART_BYTES = 8 * MIB
const MAX_PARTS = 4
const SMALLEST_MEMORY = 128 * MIB

/**
 * Cuts the memory budget into DuckDB's part and the parts in flight (an eighth at most), and the spool budget into
 * three quarters for COPY's files and one for what DuckDB spills. A memory budget below 128 MiB is raised to that.
 */
export function splitBudgets(memoryBytes: number, spoolBytes: number): Budgets {
  const memory = Math.max(memoryBytes, SMALLEST_MEMORY)
  const partsInFlight = Math.max(1, Math.min(MAX_PARTS, Math.floor(memory / 8 / PART_BYTES)))
  return {
    duckdbMemoryBytes: memory - partsInFlight * PART_BYTES,
    partBytes: PART_BYTES,
    partsInFlight,
    spoolBytes: Math.floor((spoolBytes * 3) / 4),
    spillBytes: Math.ceil(spoolBytes / 4),
  }
}
