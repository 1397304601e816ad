import { dropTableSql } from '../engine/table.ts'
import { CnosError } from '../errors/cnos-error.ts'
import type { Duration } from '../model/duration.ts'
import { type CatalogChange, type ChangeContext, NO_CHANGE, type ObjectChange, put, remove } from './catalog.ts'
import { alterDatabaseOptions, readDatabaseOptions, type WrittenDatabaseOptions } from './database-settings.ts'
import { checkObjectName } from './names.ts'
import { checkDatabaseLimits } from './object-limits.ts'
import {
  type CatalogState,
  type DatabaseEntry,
  keyOf,
  requireDatabase,
  requireTenant,
  SYSTEM_TENANT,
  tablesOf,
} from './state.ts'

export interface Named {
  readonly tenant: string
  readonly name: string
}

const EVERYWHERE: ReadonlySet<string> = new Set(['information_schema', 'usage_schema'])
const IN_SYSTEM_TENANT: ReadonlySet<string> = new Set(['public', 'cluster_schema'])

/** Databases that CnosDB itself owns, in any case; they cannot be made or dropped. */
export function isSystemDatabase({ tenant, name }: Named): boolean {
  const lower = name.toLowerCase()
  return EVERYWHERE.has(lower) || (tenant === SYSTEM_TENANT && IN_SYSTEM_TENANT.has(lower))
}

/**
 * Throws DATABASE_EXISTS, with `ifNotExists` as well when the name belongs to a database that is being dropped: it could
 * not be used.
 */
export function createDatabase(
  state: CatalogState,
  { tenant, name }: Named,
  options: { readonly ifNotExists: boolean; readonly written: WrittenDatabaseOptions },
): CatalogChange {
  checkObjectName(name)
  requireTenant(state, tenant)
  const existing = state.databases.get(keyOf(tenant, name))
  if (existing || isSystemDatabase({ tenant, name })) {
    const isHidden = existing?.dropAtNs !== undefined
    if (options.ifNotExists && !isHidden) return NO_CHANGE
    const hint = { hint: `it is being dropped: RECOVER DATABASE ${name}, or wait` }
    throw new CnosError('DATABASE_EXISTS', `Database "${name}" already exists`, isHidden ? hint : {})
  }
  const settings = readDatabaseOptions(options.written)
  checkDatabaseLimits(state, tenant, settings)
  const entry: DatabaseEntry = { tenant, name, settings }
  return { objects: [put('databases', keyOf(tenant, name), entry)] }
}

export function alterDatabase(
  state: CatalogState,
  { tenant, name }: Named,
  written: WrittenDatabaseOptions,
): CatalogChange {
  const entry = requireDatabase(state, tenant, name)
  const settings = alterDatabaseOptions(written, entry.settings)
  return { objects: [put('databases', keyOf(tenant, name), { ...entry, settings })] }
}

/** At once, or, with `after`, hidden now and gone then. */
export function dropDatabase(
  state: CatalogState,
  { tenant, name }: Named,
  options: { readonly ifExists: boolean; readonly after: Duration | undefined },
  { nowNs }: ChangeContext,
): CatalogChange {
  if (isSystemDatabase({ tenant, name })) {
    throw new CnosError('DROP_SYSTEM_DATABASE', `Can't drop system database ${name}`)
  }
  const entry = state.databases.get(keyOf(tenant, name))
  if (!entry) {
    if (options.ifExists) return NO_CHANGE
    throw new CnosError('DATABASE_NOT_FOUND', `Database not found: "${name}"`)
  }
  if (options.after === undefined) return removeDatabases(state, [entry])
  if (options.after === 'INF') throw new CnosError('BAD_OPTION', 'Semantic error: AFTER needs a finite duration')
  const dropAtNs = dropTime(entry.dropAtNs, nowNs + options.after)
  if (dropAtNs !== undefined) return { objects: [put('databases', keyOf(tenant, name), { ...entry, dropAtNs })] }
  if (options.ifExists) return NO_CHANGE
  throw new CnosError('DATABASE_NOT_FOUND', `Database not found: "${name}"`, {
    hint: `it is being dropped already, and sooner: RECOVER DATABASE ${name} first`,
  })
}

/** When a delayed DROP happens; undefined when an earlier DROP, which may not be put off, comes sooner. */
export function dropTime(waiting: string | undefined, atNs: bigint): string | undefined {
  return waiting !== undefined && BigInt(waiting) < atNs ? undefined : String(atNs)
}

export function recoverDatabase(
  state: CatalogState,
  { tenant, name }: Named,
  { ifExists }: { readonly ifExists: boolean },
): CatalogChange {
  const entry = state.databases.get(keyOf(tenant, name))
  if (!entry) {
    if (ifExists) return NO_CHANGE
    throw new CnosError('DATABASE_NOT_FOUND', `Database not found: "${name}"`)
  }
  const { dropAtNs: _, ...recovered } = entry
  return { objects: [put('databases', keyOf(tenant, name), recovered)] }
}

/** Databases, their tables and the privileges on them. */
function removeDatabases(state: CatalogState, databases: readonly DatabaseEntry[]): CatalogChange {
  const tables = databases.flatMap((database) => tablesOf(state, database.tenant, database.name))
  return {
    objects: [
      ...tables.map((table) => remove('tables', keyOf(table.tenant, table.database, table.name))),
      ...databases.map((database) => remove('databases', keyOf(database.tenant, database.name))),
      ...rolesWithoutGrants(state, databases),
    ],
    ddl: tables.flatMap((table) => (table.engine === 'TSKV' ? [dropTableSql({ name: table.stored })] : [])),
  }
}

/** A privilege must not outlive its database: a later one of that name would inherit it. */
function rolesWithoutGrants(state: CatalogState, databases: readonly DatabaseEntry[]): ObjectChange[] {
  const gone = new Set(databases.map((database) => keyOf(database.tenant, database.name)))
  return [...state.roles.values()].flatMap((role) => {
    const grants = Object.entries(role.grants)
    const kept = grants.filter(([database]) => !gone.has(keyOf(role.tenant, database)))
    if (kept.length === grants.length) return []
    return [put('roles', keyOf(role.tenant, role.name), { ...role, grants: Object.fromEntries(kept) })]
  })
}

/** Tenants with everything in them, and further databases. */
function removeObjects(
  state: CatalogState,
  tenants: ReadonlySet<string>,
  isDue: (database: DatabaseEntry) => boolean,
): CatalogChange {
  const inTenants = ({ tenant }: { readonly tenant: string }) => tenants.has(tenant)
  const databases = [...state.databases.values()].filter((database) => inTenants(database) || isDue(database))
  const { objects, ddl = [] } = removeDatabases(state, databases)
  const members = [...state.members.values()].filter(inTenants)
  const roles = [...state.roles.values()].filter(inTenants)
  return {
    objects: [
      ...objects,
      ...members.map((member) => remove('members', keyOf(member.tenant, member.user))),
      ...roles.map((role) => remove('roles', keyOf(role.tenant, role.name))),
      ...[...tenants].map((tenant) => remove('tenants', keyOf(tenant))),
    ],
    ddl,
  }
}

/** A tenant with its databases, roles and members. */
export function removeTenant(state: CatalogState, tenant: string): CatalogChange {
  return removeObjects(state, new Set([tenant]), () => false)
}

/** Drops whatever delayed DROP is due. */
export function sweepDueDrops(state: CatalogState, { nowNs }: ChangeContext): CatalogChange {
  const isDue = ({ dropAtNs }: { readonly dropAtNs?: string }) => dropAtNs !== undefined && BigInt(dropAtNs) <= nowNs
  const tenants = new Set([...state.tenants.values()].filter(isDue).map(({ name }) => name))
  return removeObjects(state, tenants, isDue)
}
