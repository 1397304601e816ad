import type { Abortable } from '../async/abort.ts'
import { forEachLimited } from '../async/limit.ts'
import { isCnosError } from '../errors/cnos-error.ts'
import type { ProgressReporter } from './progress.ts'
import type { CopyUnit } from './unit.ts'

interface UnitOutcome {
  readonly rows: bigint
  /** Unknown when the files are out of the tool's reach. */
  readonly bytes: number | undefined
  readonly elapsedMs: number
  /** Set when there was nothing left to do. */
  readonly skipped?: string
}

export interface UnitRunner {
  run(unit: CopyUnit, options: { readonly signal: AbortSignal }): Promise<UnitOutcome>
  /** Smaller units that together are `unit`, to try after it failed; empty when there are none. */
  split(unit: CopyUnit, error: unknown): Promise<readonly CopyUnit[]>
  /** Resolves when the node answers, again if need be; rejects when it does not and going on is pointless. */
  awaitNode(options: { readonly signal: AbortSignal }): Promise<unknown>
}

export interface RunTotals {
  skipped: number
  rows: bigint
  bytes: number
  readonly failures: { readonly what: string; readonly unit: CopyUnit; readonly error: Error }[]
}

export interface RunOptions extends Abortable {
  readonly parallel: number
  readonly reporter: ProgressReporter
  readonly describe: (unit: CopyUnit) => string
}

/**
 * Runs the units, `parallel` at once. One that fails does not stop the others: it is cut smaller if it can be, and
 * otherwise named in `failures`. Rejects with `signal.reason`, or when the node is gone or another run has taken over,
 * once nothing runs any more.
 */
export async function runUnits(
  units: readonly CopyUnit[],
  runner: UnitRunner,
  options: RunOptions,
): Promise<RunTotals> {
  const { parallel, reporter, signal } = options
  const totals: RunTotals = { skipped: 0, rows: 0n, bytes: 0, failures: [] }
  let pending = [...units]
  while (pending.length > 0) {
    const smaller: CopyUnit[] = []
    await forEachLimited(
      pending,
      parallel,
      async (unit, inner) => {
        reporter.report({ type: 'unit-started', unit })
        try {
          count(totals, unit, await runner.run(unit, inner), reporter)
        } catch (thrown) {
          inner.signal.throwIfAborted()
          const error = thrown instanceof Error ? thrown : new Error(String(thrown))
          if (isCnosError(error, 'RUN_REPLACED')) throw error
          if (isCnosError(error, 'CLUSTER_UNREACHABLE')) await runner.awaitNode(inner)
          const pieces = await runner.split(unit, error)
          smaller.push(...pieces)
          if (pieces.length > 0) reporter.report({ type: 'unit-split', unit, into: pieces.length, error })
          else {
            totals.failures.push({ what: options.describe(unit), unit, error })
            reporter.report({ type: 'unit-failed', unit, error })
          }
        }
      },
      { signal },
    )
    pending = smaller
  }
  return totals
}

function count(totals: RunTotals, unit: CopyUnit, outcome: UnitOutcome, reporter: ProgressReporter): void {
  const { rows, bytes, elapsedMs, skipped } = outcome
  totals.rows += rows
  totals.bytes += bytes ?? 0
  if (skipped === undefined) reporter.report({ type: 'unit-finished', unit, rows, bytes, elapsedMs })
  else {
    totals.skipped += 1
    reporter.report({ type: 'unit-skipped', unit, rows, reason: skipped })
  }
}
