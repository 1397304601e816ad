import { type Catalog, type CatalogChange, type ChangeContext, NO_CHANGE } from '../catalog/catalog.ts'
import { type CatalogState, findTable, type TableEntry, type TimeSeriesTable } from '../catalog/state.ts'
import { alterTable, createTable, type TableAlteration, type TableName } from '../catalog/tables.ts'
import { CnosError } from '../errors/cnos-error.ts'
import type { LineBatch } from './line-batch.ts'
import { type MissingColumns, missingColumns } from './target-columns.ts'

/** The table as it is now, if there is one. Throws PLANNING for one that takes no rows. */
export function currentTable(state: CatalogState, { tenant, database, name }: TableName): TimeSeriesTable | undefined {
  const entry = findTable(state, tenant, database, name)
  if (entry === undefined || entry.engine === 'TSKV') return entry
  throw new CnosError('PLANNING', 'Datafusion: Error during planning: Table not support write.', {
    hint: `${database}.${name} is an ${entry.engine.toLowerCase()} table; only time-series tables are written to`,
  })
}

/** The batch's table with all its columns; what is missing is made in one change of the catalog. */
export async function ensureTable(
  catalog: Catalog,
  name: TableName,
  body: Buffer,
  batch: LineBatch,
): Promise<TimeSeriesTable> {
  for (;;) {
    const table = currentTable(catalog.state, name)
    const missing = missingColumns(body, batch, table?.schema)
    if (table && missing.tags.length + missing.fields.length === 0) return table
    await catalog.change((state, context) =>
      makeMissing(state, name, missingColumns(body, batch, currentTable(state, name)?.schema), context),
    )
  }
}

/** Another request may have made some of it meanwhile: made is what the latest state lacks. */
function makeMissing(
  state: CatalogState,
  name: TableName,
  missing: MissingColumns,
  context: ChangeContext,
): CatalogChange {
  if (!findTable(state, name.tenant, name.database, name.name))
    return createTable(state, name, { ifNotExists: true, ...missing }, context)
  const actions: TableAlteration[] = [
    ...missing.tags.map((tag) => ({ kind: 'add-tag' as const, name: tag })),
    ...missing.fields.map((column) => ({ kind: 'add-field' as const, column })),
  ]
  return actions.reduce((change, action) => withAlteration(state, name, change, action), NO_CHANGE)
}

function withAlteration(
  before: CatalogState,
  name: TableName,
  change: CatalogChange,
  action: TableAlteration,
): CatalogChange {
  const [done] = change.objects
  const tables = new Map(before.tables)
  if (done) tables.set(done.key, done.value as TableEntry)
  const state = { ...before, tables }
  const column = action.kind === 'add-tag' ? action.name : action.kind === 'add-field' ? action.column.name : undefined
  const known = currentTable(state, name)?.schema.columns.some((candidate) => candidate.name === column)
  if (known) return change
  const next = alterTable(state, name, action)
  return { objects: next.objects, ddl: [...(change.ddl ?? []), ...(next.ddl ?? [])] }
}
