import type { ListedQuery } from '../catalog/information-schema.ts'
import type { Principal } from '../catalog/privileges.ts'
import type { CatalogState } from '../catalog/state.ts'
import type { Session } from '../engine/engine.ts'
import type { StoreContext } from '../store/store-driver.ts'
import type { UserSession } from './session.ts'

/** What planning may look at. */
export interface PlanContext {
  readonly signal?: AbortSignal | undefined
  readonly session: UserSession
  /** What the session's user may do in the session's tenant. */
  readonly principal: Principal
  /** The statement as the user sent it. */
  readonly sql: string
  /** The metadata at one moment: a statement is planned against one state. */
  readonly catalog: CatalogState
  /** For the engine's parser and binder, and to look into the files of external tables; changes nothing. */
  readonly engine: Session
  readonly nowNs: bigint
  /** Every running statement; who may see which is for the catalog to say. */
  readonly queries: readonly ListedQuery[]
  readonly copyRoots: readonly string[]
  readonly storeContext: StoreContext
  /** What relative paths start from. */
  readonly cwd: string
  /** An existing directory for files fetched while planning. */
  readonly spoolDir: string
}
