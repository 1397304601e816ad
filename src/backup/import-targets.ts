import type { Abortable } from '../async/abort.ts'
import { mapLimited } from '../async/limit.ts'
import type { ClusterClient } from '../client/cluster-client.ts'
import { CnosError, isCnosError } from '../errors/cnos-error.ts'
import { printStatement } from '../sql/printer.ts'
import type { ColumnInfo, TableInfo } from './cluster-metadata.ts'
import type { ImportTarget } from './import-unit.ts'
import type { Journal } from './journal.ts'
import { quoteTable } from './place.ts'
import { measure, rangeConditions, type TimeRange, tickNs, whereSql } from './plan.ts'
import { readTables } from './read-metadata.ts'
import { databaseName, type TargetObjects } from './target-objects.ts'

export type ConflictPolicy = 'fail' | 'skip' | 'merge' | 'replace'

/** What the maps and sets of this module are keyed by. */
export const keyOf = ({ tenant, database, table }: Pick<TableInfo, 'tenant' | 'database' | 'table'>) =>
  JSON.stringify([tenant, database, table])

/** The tables of these tenants that are on the target now; a tenant that is not there has none. */
export async function readTargetTables(
  client: ClusterClient,
  tenants: Iterable<string>,
  { signal }: Abortable,
): Promise<Map<string, TableInfo>> {
  const tables = new Map<string, TableInfo>()
  for (const tenant of new Set(tenants)) {
    try {
      for (const table of await readTables(client, tenant, { signal })) tables.set(keyOf(table), table)
    } catch (error) {
      if (!isCnosError(error, 'ACCESS_DENIED') && !(isCnosError(error) && error.context.remoteCode === '030010'))
        throw error
    }
  }
  return tables
}

const EVERYTHING: TimeRange = { fromNs: undefined, toNs: undefined }

/** A table of the backup under its name on the target. */
export interface WantedTable {
  readonly table: TableInfo
  /** Whether rows of it are to come; others are only made. */
  readonly hasUnits: boolean
}

/**
 * Applies the conflict policy before anything is touched. `fail` throws TARGET_CONFLICT naming every table that holds
 * rows, whose columns differ in type or whose times would lose digits; `skip` returns them in `skipped`.
 */
export async function judgeTargets(
  client: ClusterClient,
  wanted: readonly WantedTable[],
  { databases }: TargetObjects,
  { policy, parallel }: { readonly policy: ConflictPolicy; readonly parallel: number },
  journal: Journal,
  { signal }: Abortable,
): Promise<{ readonly occupied: ReadonlySet<string>; readonly skipped: ReadonlySet<string> }> {
  const present = await readTargetTables(
    client,
    wanted.map(({ table }) => table.tenant),
    { signal },
  )
  const occupied = new Set<string>()
  const conflictsOf = async ({ table, hasUnits }: WantedTable, inner: Abortable) => {
    const there = present.get(keyOf(table))
    if (!there) return []
    const name = `${table.tenant}.${table.database}.${table.table}`
    const conflicts = typeConflicts(table, there).map((problem) => `${name}: ${problem}`)
    if (!hasUnits || journal.states.has(tableEntry(table))) return conflicts
    if ((await measure(client, there, EVERYTHING, inner)).rows === 0n) return conflicts
    occupied.add(keyOf(table))
    return policy === 'fail' ? [...conflicts, `${name} already holds rows`] : conflicts
  }
  const conflicts = [
    ...precisionConflicts(wanted, databases),
    ...(await mapLimited(wanted, parallel, conflictsOf, { signal })).flat(),
  ]
  if (conflicts.length > 0) {
    throw new CnosError('TARGET_CONFLICT', `the target is not free:\n  ${conflicts.slice(0, 20).join('\n  ')}`, {
      hint: 'nothing was changed; restore into an empty cluster, rename with --rename, or choose --on-conflict skip, merge or replace; an import that was interrupted goes on in the directory where it was run (or its --meta-dir)',
    })
  }
  return { occupied, skipped: policy === 'skip' ? occupied : new Set() }
}

const TICKS_NS: Readonly<Record<string, bigint>> = { NS: 1n, US: 1_000n, MS: 1_000_000n }

function precisionConflicts(wanted: readonly WantedTable[], databases: TargetObjects['databases']): string[] {
  const conflicts = wanted.flatMap(({ table: { tenant, database, ...table } }) => {
    const there = databases.get(databaseName(tenant, database))?.precision ?? ''
    const isCoarser = (TICKS_NS[there] ?? 1n) > tickNs(table)
    return isCoarser
      ? [`${tenant}.${database} has PRECISION '${there}', which would cut digits off the times of the backup`]
      : []
  })
  return [...new Set(conflicts)]
}

const tableEntry = (table: Pick<TableInfo, 'tenant' | 'database' | 'table'>) => `table ${keyOf(table)}`
export const isIn = (set: ReadonlySet<string>, table: Pick<TableInfo, 'tenant' | 'database' | 'table'>) =>
  set.has(keyOf(table))

function typeConflicts(wanted: TableInfo, there: TableInfo): string[] {
  return wanted.columns.flatMap((column) => {
    const other = there.columns.find(({ name }) => name === column.name)
    if (!other || column.kind === 'time') return []
    if (other.kind !== column.kind)
      return [`column ${column.name} is a ${other.kind} on the target and a ${column.kind} in the backup`]
    if (other.type.toUpperCase() !== column.type.toUpperCase())
      return [`column ${column.name} is ${other.type} on the target and ${column.type} in the backup`]
    return []
  })
}

export interface TargetWish {
  readonly table: TableInfo
  /** Of the rows to come: what `replace` deletes first. */
  readonly range: TimeRange
  readonly policy: ConflictPolicy
  /** Whether it held rows before this import. */
  readonly isOccupied: boolean
}

/**
 * Makes a table ready for its rows: missing columns are added, and under `replace` the rows in range are deleted, once.
 * `there` is the table as it is on the target; resolves with it as it then is. Throws what the target refused.
 */
export async function prepareTarget(
  client: ClusterClient,
  { table: wanted, range, policy, isOccupied }: TargetWish,
  there: TableInfo | undefined,
  journal: Journal,
  { signal }: Abortable,
): Promise<ImportTarget> {
  const known = journal.states.get(tableEntry(wanted))
  const scope = { tenant: wanted.tenant, database: wanted.database, signal }
  if (!there)
    throw new CnosError(
      'TARGET_CONFLICT',
      `${wanted.tenant}.${wanted.database}.${wanted.table} could not be created on the target`,
    )
  const missing = wanted.columns.filter((column) => !there.columns.some(({ name }) => name === column.name))
  for (const column of missing) await client.execute(addColumnSql(wanted, column), scope)
  const table = missing.length > 0 ? { ...there, columns: [...there.columns, ...missing] } : there
  if (known?.state === 'table') return { table, isOurs: known.isOurs }
  if (policy === 'replace' && isOccupied) {
    await client.execute(
      `DELETE FROM ${quoteTable(wanted.database, wanted.table)}${whereSql(rangeConditions(table, range))}`,
      scope,
    )
  }
  const isOurs = !isOccupied || policy === 'replace'
  await journal.record(tableEntry(wanted), { state: 'table', attempt: 0, isOurs }, { signal })
  return { table, isOurs }
}

function addColumnSql(table: TableInfo, column: ColumnInfo): string {
  const { name, type, codec } = column
  return printStatement({
    kind: 'alter-table',
    table: { parts: [table.database, table.table] },
    action:
      column.kind === 'tag'
        ? { kind: 'add-tag', name }
        : { kind: 'add-field', column: { name, type: type.toUpperCase(), ...(codec === 'DEFAULT' ? {} : { codec }) } },
  })
}
