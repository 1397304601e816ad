import type { Clock } from '../async/clock.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { durationOf } from '../catalog/database-settings.ts'
import { sweepDueDrops } from '../catalog/databases.ts'
import type { CatalogState, TimeSeriesTable } from '../catalog/state.ts'
import { findDatabase } from '../catalog/state.ts'
import type { Engine } from '../engine/engine.ts'
import { tableReference } from '../engine/table.ts'
import { withTableLock } from '../engine/table-lock.ts'
import { timeUnitOf } from '../engine/time-ticks.ts'
import { type Precision, timeTypeOf } from '../model/schema.ts'

export interface SweepContext {
  readonly engine: Engine
  readonly catalog: Catalog
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** Removes what a delayed DROP left until now, and rows older than their database's TTL. */
export async function sweep({ engine, catalog, clock, signal }: SweepContext): Promise<void> {
  await catalog.change(sweepDueDrops)
  for (const { table, precision, minTimeNs } of expiringTables(catalog.state, clock.nowNs())) {
    if (signal.aborted) return
    const unit = timeUnitOf(timeTypeOf(precision))
    const horizon = minTimeNs / unit.nanoseconds
    if (horizon <= unit.min) continue
    const stored = { name: table.stored }
    const sql = `DELETE FROM ${tableReference(stored)} WHERE "time" < ${unit.fromTicks(horizon)}`
    await withTableLock(engine, stored, () => engine.run(sql, { signal }), { signal })
  }
}

interface ExpiringTable {
  readonly table: TimeSeriesTable
  readonly precision: Precision
  readonly minTimeNs: bigint
}

function* expiringTables(state: CatalogState, nowNs: bigint): Generator<ExpiringTable> {
  for (const table of state.tables.values()) {
    const settings = findDatabase(state, table.tenant, table.database)?.settings
    if (table.engine !== 'TSKV' || !settings || settings.ttl === 'INF') continue
    const minTimeNs = nowNs - (durationOf(settings.ttl) as bigint)
    yield { table, precision: settings.precision, minTimeNs }
  }
}

export interface BackgroundSweep {
  /** Starts no more; resolves when a sweep under way has stopped. */
  stop(): Promise<void>
}

/** Sweeps now and every `intervalMs`, one sweep at a time; a failed sweep is told to `warn` and tried again at the next. */
export function startSweeping(
  context: Omit<SweepContext, 'signal'>,
  { intervalMs, warn }: { readonly intervalMs: number; readonly warn: (message: string) => void },
): BackgroundSweep {
  const stopping = new AbortController()
  let running: Promise<void> | undefined
  const run = async () => {
    try {
      await sweep({ ...context, signal: stopping.signal })
    } catch (error) {
      if (!stopping.signal.aborted) warn(`removing expired rows failed, it is tried again: ${messageOf(error)}`)
    } finally {
      running = undefined
    }
  }
  const start = () => {
    running ??= run()
  }
  start()
  const timer = setInterval(start, intervalMs)
  timer.unref()
  return {
    async stop() {
      clearInterval(timer)
      stopping.abort()
      await running
    },
  }
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))
