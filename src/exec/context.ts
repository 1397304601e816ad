import type { Clock } from '../async/clock.ts'
import type { Catalog } from '../catalog/catalog.ts'
import type { Principal } from '../catalog/privileges.ts'
import type { Engine } from '../engine/engine.ts'
import type { UserSession } from '../plan/session.ts'
import type { Budgets } from './budgets.ts'
import type { CopyTotals } from './copy-totals.ts'
import type { QueryHandle, QueryRegistry } from './query-registry.ts'
import type { SpoolShares } from './spool-shares.ts'
import type { StatementSlots } from './statement-slots.ts'

/** What running a plan needs. */
export interface ExecContext {
  readonly engine: Engine
  readonly catalog: Catalog
  readonly queries: QueryRegistry
  /** The statement itself, on the list of running ones. */
  readonly handle: QueryHandle
  readonly principal: Principal
  readonly session: UserSession
  readonly clock: Clock
  readonly slots: StatementSlots
  readonly copied: CopyTotals
  readonly spoolDir: string
  readonly spool: SpoolShares
  readonly budgets: Budgets
  readonly targetFileBytes: number | undefined
}
