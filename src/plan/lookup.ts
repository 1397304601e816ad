import { durationOf } from '../catalog/database-settings.ts'
import { requireDatabasePrivilege } from '../catalog/privileges.ts'
import {
  type ExternalTable,
  requireDatabase,
  requireTable,
  type TableEntry,
  type TimeSeriesTable,
} from '../catalog/state.ts'
import { quoteIdentifier } from '../engine/quote.ts'
import type { RelationColumn } from '../engine/relation.ts'
import { type StoredTable, tableReference } from '../engine/table.ts'
import { CnosError } from '../errors/cnos-error.ts'
import type { TableId } from '../model/schema.ts'
import type { PlanContext } from './context.ts'
import type { PlannedTable } from './plan.ts'
import { systemTableSource } from './system-table.ts'

/** What a name in a SELECT stands for. */
export type FoundTable =
  | { readonly kind: 'rows'; readonly from: StoredTable }
  /** `from` is a FROM item. */
  | { readonly kind: 'system'; readonly from: string; readonly columns: readonly RelationColumn[] }
  | { readonly kind: 'external'; readonly table: ExternalTable }

/** A table of a SELECT that the user may read. TABLE_NOT_FOUND, INSUFFICIENT_PRIVILEGES; UNSUPPORTED for streams. */
export function requireReadable(context: PlanContext, id: TableId): FoundTable {
  const system = systemTableSource(context, id)
  if (system !== undefined) return { kind: 'system', from: `(${system.select})`, columns: system.columns }
  const entry = requireTable(context.catalog, id.tenant, id.database, id.table)
  requireDatabasePrivilege(context.principal, id.database, 'Read')
  if (entry.engine === 'EXTERNAL') return { kind: 'external', table: entry }
  if (entry.engine === 'STREAM') throw streamTable(entry)
  return { kind: 'rows', from: { name: entry.stored, schema: entry.schema } }
}

/**
 * Every column of the table in stored order: what SELECT * gives. By name, so that a table which is altered before it is
 * read never shows one column under the name of another.
 */
export function allColumns(table: StoredTable): string {
  const names = table.schema.columns.map((column) => quoteIdentifier(column.name))
  return `SELECT ${names.join(', ')} FROM ${tableReference(table)}`
}

/** The time-series table that is to be read as a whole; undefined for external and system tables. */
export function requireReadableTable(context: PlanContext, id: TableId): PlannedTable | undefined {
  if (systemTableSource(context, id) !== undefined) return undefined
  const entry = requireTable(context.catalog, id.tenant, id.database, id.table)
  requireDatabasePrivilege(context.principal, id.database, 'Read')
  if (entry.engine === 'STREAM') throw streamTable(entry)
  return entry.engine === 'TSKV' ? plannedTable(context, entry) : undefined
}

/** The time-series table that SHOW SERIES and SHOW TAG VALUES look into. */
export function requireTimeSeries(context: PlanContext, id: TableId): PlannedTable {
  const table = requireReadableTable(context, id)
  if (table) return table
  throw new CnosError('UNSUPPORTED', `This feature is not implemented: series of ${id.database}.${id.table}`, {
    hint: 'only time-series tables have series',
  })
}

/** The time-series table a statement changes; WRITE on its database. */
export function requireWritableTable(context: PlanContext, id: TableId): PlannedTable {
  const isSystem = systemTableSource(context, id) !== undefined
  const entry = isSystem ? undefined : requireTable(context.catalog, id.tenant, id.database, id.table)
  requireDatabasePrivilege(context.principal, id.database, 'Write')
  if (entry?.engine === 'TSKV') return plannedTable(context, entry)
  throw new CnosError('PLANNING', 'Datafusion: Error during planning: Table not support write.', {
    hint: `${id.database}.${id.table} is ${entry ? `an ${entry.engine.toLowerCase()}` : 'a system'} table; only time-series tables are written to`,
  })
}

/** Administrators may name every local path, and end every statement. */
export function isAdministrator({ principal }: PlanContext): boolean {
  return principal.isAdmin
}

function plannedTable({ catalog, nowNs }: PlanContext, entry: TimeSeriesTable): PlannedTable {
  const { ttl, precision } = requireDatabase(catalog, entry.tenant, entry.database).settings
  const keptNs = durationOf(ttl)
  return {
    id: { tenant: entry.tenant, database: entry.database, table: entry.name },
    stored: { name: entry.stored, schema: entry.schema },
    precision,
    minTimeNs: keptNs === 'INF' ? undefined : nowNs - keptNs,
  }
}

function streamTable({ name }: TableEntry): CnosError {
  return new CnosError('UNSUPPORTED', `This feature is not implemented: reading stream table ${name}`, {
    hint: 'select from the table the stream is made of',
  })
}
