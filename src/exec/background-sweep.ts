import type { Clock } from '../async/clock.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { durationOf } from '../catalog/database-settings.ts'
import { sweepDueDrops } from '../catalog/databases.ts'
import type { CatalogState, TimeSeriesTable } from '../catalog/state.ts'
import { findDatabase, findTable } from '../catalog/state.ts'
import type { Engine } from '../engine/engine.ts'
import { tableReference } from '../engine/table.ts'
import { withTableLock } from '../engine/table-lock.ts'
import { timeUnitOf } from '../engine/time-ticks.ts'
import { timeTypeOf } from '../model/schema.ts'
import { changeCatalog } from './change-catalog.ts'

export interface SweepContext {
  readonly engine: Engine
  readonly catalog: Catalog
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** Removes what a delayed DROP left until now, and rows older than their database's TTL. */
async function sweep({ engine, catalog, clock, signal }: SweepContext): Promise<void> {
  await changeCatalog({ engine, catalog }, sweepDueDrops, { signal })
  for (const table of catalog.state.tables.values()) {
    if (signal.aborted) return
    if (table.engine !== 'TSKV' || expiredRows(catalog.state, table, clock) === undefined) continue
    const stored = { name: table.stored }
    const removeExpired = async () => {
      const expired = expiredRows(catalog.state, table, clock)
      if (expired) await engine.run(`DELETE FROM ${tableReference(stored)} WHERE ${expired}`, { signal })
    }
    await withTableLock(engine, stored, removeExpired, { signal })
  }
}

/** The condition of the rows to remove, as the TTL is now; undefined when the table is gone or keeps everything. */
function expiredRows(state: CatalogState, { tenant, database, name, stored }: TimeSeriesTable, clock: Clock) {
  const table = findTable(state, tenant, database, name)
  const settings = findDatabase(state, tenant, database)?.settings
  if (table?.engine !== 'TSKV' || table.stored !== stored || !settings || settings.ttl === 'INF') return undefined
  const unit = timeUnitOf(timeTypeOf(settings.precision))
  const horizon = (clock.nowNs() - (durationOf(settings.ttl) as bigint)) / unit.nanoseconds
  return horizon <= unit.min ? undefined : `"time" < ${unit.fromTicks(horizon)}`
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
