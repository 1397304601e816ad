import type { Abortable } from '../async/abort.ts'
import { type Catalog, type CatalogChange, NO_CHANGE } from '../catalog/catalog.ts'
import type { CatalogState, TableEntry } from '../catalog/state.ts'
import type { Engine } from '../engine/engine.ts'
import { withTablesHeld } from '../engine/table-lock.ts'
import { CnosError, isCnosError } from '../errors/cnos-error.ts'
import type { PlannedTable } from '../plan/plan.ts'

export interface ChangingContext {
  readonly engine: Engine
  readonly catalog: Catalog
}

/** As `Catalog.change`; whoever writes to a table that the change drops finishes first. */
export async function changeCatalog(
  { engine, catalog }: ChangingContext,
  build: Parameters<Catalog['change']>[0],
  { signal }: Abortable = {},
): Promise<void> {
  let held: readonly string[] = []
  for (;;) {
    let others: readonly string[] = []
    const attempt = () =>
      catalog.change(
        (state, context) => {
          const change = build(state, context)
          others = droppedTables(state, change).filter((name) => !held.includes(name))
          return others.length > 0 ? NO_CHANGE : change
        },
        { signal },
      )
    await withTablesHeld(engine, held, attempt, { signal })
    if (others.length === 0) return
    held = [...held, ...others].sort()
  }
}

function droppedTables(state: CatalogState, { objects }: CatalogChange): readonly string[] {
  return objects.flatMap(({ kind, key, value }) => {
    const table: TableEntry | undefined = kind === 'tables' && value === undefined ? state.tables.get(key) : undefined
    return table?.engine === 'TSKV' ? [table.stored] : []
  })
}

/** The error of a statement on a table: TABLE_NOT_FOUND when the table was dropped while the statement waited or ran. */
export function errorOnTable(state: CatalogState, { id, stored }: PlannedTable, error: unknown): unknown {
  const isThere = [...state.tables.values()].some((table) => table.engine === 'TSKV' && table.stored === stored.name)
  if (isThere || isCnosError(error, 'QUERY_CANCELED', 'SERVER_CLOSED')) return error
  return new CnosError('TABLE_NOT_FOUND', `Table not found: "${id.tenant}.${id.database}.${id.table}"`, {
    cause: error,
    hint: 'it was dropped while the statement waited or ran',
  })
}
