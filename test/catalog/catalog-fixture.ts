import { applyChange, type CatalogChange, type ChangeContext, emptyCatalogState } from '../../src/catalog/catalog.ts'
import { firstObjects } from '../../src/catalog/first-objects.ts'
import type { CatalogState } from '../../src/catalog/state.ts'
import { isCnosError } from '../../src/errors/cnos-error.ts'

export type Build = (state: CatalogState, context: ChangeContext) => CatalogChange

export const NOW_NS = 1_700_000_000_000_000_000n

/** Metadata without an engine: applies changes to states in memory, with ids 1, 2, 3, … */
export function startCatalog() {
  let id = 0
  const context: ChangeContext = {
    newId: () => {
      id += 1
      return String(id)
    },
    nowNs: NOW_NS,
  }
  let state = applyChange(emptyCatalogState(), firstObjects(context, '$2b$12$root'))
  return {
    get state() {
      return state
    },
    /** Applies the changes in order; what one throws is passed on. */
    run(...builds: readonly Build[]): CatalogState {
      for (const build of builds) state = applyChange(state, build(state, context))
      return state
    },
    /** As `run`, at another time. */
    runAt(nowNs: bigint, build: Build): CatalogState {
      state = applyChange(state, build(state, { ...context, nowNs }))
      return state
    },
    /** The name of the error a change is refused with. */
    refusal(build: Build): string {
      const before = state
      try {
        build(state, context)
      } catch (error) {
        if (isCnosError(error) && state === before) return error.errorName
        throw error
      }
      throw new Error('the change was not refused')
    },
  }
}
