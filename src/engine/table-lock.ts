import type { Abortable } from '../async/abort.ts'
import { Limit } from '../async/limit.ts'
import type { Engine } from './engine.ts'
import { type PendingMerge, runMerge } from './merge-journal.ts'
import type { SeriesBounds } from './series-bounds.ts'
import type { StoredTable } from './table.ts'

/** What this process knows of a table. Only the holder of the lock touches it. */
export interface TableState {
  readonly turn: Limit
  /** No row of the table is newer; undefined until asked. Deleting rows leaves it true. */
  newest: bigint | undefined
  /** Undefined until asked, and again after anything but writes of columns has had the table. */
  bounds: SeriesBounds | undefined
  /** Merges that are in the journal but failed half way. */
  readonly unfinished: PendingMerge[]
}

const tablesOf = new WeakMap<Engine, Map<string, TableState>>()

function stateOf(engine: Engine, name: string): TableState {
  const tables = tablesOf.get(engine) ?? new Map<string, TableState>()
  tablesOf.set(engine, tables)
  const state = tables.get(name) ?? { turn: new Limit(1), newest: undefined, bounds: undefined, unfinished: [] }
  tables.set(name, state)
  return state
}

/**
 * Runs `work` while nothing else changes the table: appends, DELETE, UPDATE and ALTER take turns. An import that failed
 * half way (no space, for example) is finished first. Take the lock before a transaction, never inside one.
 */
export function withTableLock<T>(
  engine: Engine,
  table: Pick<StoredTable, 'name'>,
  work: (state: TableState) => Promise<T>,
  { signal }: Abortable = {},
): Promise<T> {
  return withTurn(
    engine,
    table,
    (state) => {
      state.bounds = undefined
      return work(state)
    },
    { signal },
  )
}

/** The same for work that keeps `bounds` true. */
export function withTurn<T>(
  engine: Engine,
  table: Pick<StoredTable, 'name'>,
  work: (state: TableState) => Promise<T>,
  { signal }: Abortable = {},
): Promise<T> {
  const state = stateOf(engine, table.name)
  return state.turn.run(
    async () => {
      for (let merge = state.unfinished[0]; merge !== undefined; merge = state.unfinished[0]) {
        await runMerge(engine, merge)
        state.unfinished.shift()
      }
      return work(state)
    },
    { signal },
  )
}

/**
 * Runs `work`, which drops the tables, while nothing changes any of them. What an import left unfinished stays so. The
 * order of `names` must be the same for all callers.
 */
export async function withTablesHeld<T>(
  engine: Engine,
  names: readonly string[],
  work: () => Promise<T>,
  { signal }: Abortable = {},
): Promise<T> {
  const [name, ...others] = names
  if (name === undefined) return work()
  return stateOf(engine, name).turn.run(() => withTablesHeld(engine, others, work, { signal }), { signal })
}
