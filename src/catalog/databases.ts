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

/** Databases that CnosDB itself owns; they cannot be dropped. */
export function isSystemDatabase({ tenant, name }: Named): boolean {
  return EVERYWHERE.has(name) || (tenant === SYSTEM_TENANT && IN_SYSTEM_TENANT.has(name))
}

export function createDatabase(
  state: CatalogState,
  { tenant, name }: Named,
  options: { readonly ifNotExists: boolean; readonly written: WrittenDatabaseOptions },
): CatalogChange {
  checkObjectName(name)
  requireTenant(state, tenant)
  if (state.databases.has(keyOf(tenant, name)) || name === 'information_schema') {
    if (options.ifNotExists) return NO_CHANGE
    throw new CnosError('DATABASE_EXISTS', `Database "${name}" already exists`, hintWhenHidden(state, { tenant, name }))
  }
  const settings = readDatabaseOptions(options.written)
  checkDatabaseLimits(state, tenant, settings)
  const entry: DatabaseEntry = { tenant, name, settings }
  return { objects: [put('databases', keyOf(tenant, name), entry)] }
}

function hintWhenHidden(state: CatalogState, { tenant, name }: Named): { hint: string } | undefined {
  const isHidden = state.databases.get(keyOf(tenant, name))?.dropAtNs !== undefined
  return isHidden ? { hint: `it is being dropped: RECOVER DATABASE ${name}, or wait` } : undefined
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
  if (options.after === undefined) return removeDatabase(state, { tenant, name })
  if (options.after === 'INF') throw new CnosError('BAD_OPTION', 'Semantic error: AFTER needs a finite duration')
  return { objects: [put('databases', keyOf(tenant, name), { ...entry, dropAtNs: String(nowNs + options.after) })] }
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

/** The database, its tables and the privileges on it. */
export function removeDatabase(state: CatalogState, { tenant, name }: Named): CatalogChange {
  const tables = tablesOf(state, tenant, name)
  const roles = [...state.roles.values()].filter((role) => role.tenant === tenant && name in role.grants)
  const objects: ObjectChange[] = [
    ...tables.map((table) => remove('tables', keyOf(tenant, name, table.name))),
    ...roles.map((role) => {
      const { [name]: _, ...grants } = role.grants
      return put('roles', keyOf(tenant, role.name), { ...role, grants })
    }),
    remove('databases', keyOf(tenant, name)),
  ]
  return {
    objects,
    ddl: tables.flatMap((table) => (table.engine === 'TSKV' ? [dropTableSql({ name: table.stored })] : [])),
  }
}

/** Drops whatever delayed DROP is due. */
export function sweepDueDrops(state: CatalogState, { nowNs }: ChangeContext): CatalogChange {
  const isDue = ({ dropAtNs }: { readonly dropAtNs?: string }) => dropAtNs !== undefined && BigInt(dropAtNs) <= nowNs
  const tenants = [...state.tenants.values()].filter(isDue)
  const names = new Set(tenants.map((tenant) => tenant.name))
  const databases = [...state.databases.values()].filter((database) => isDue(database) || names.has(database.tenant))
  const changes = databases.map((database) => removeDatabase(state, database))
  const leftovers = tenants.flatMap(({ name }) => removeTenantObjects(state, name))
  return {
    objects: [...changes.flatMap((change) => change.objects).filter(({ kind }) => kind !== 'roles'), ...leftovers],
    ddl: changes.flatMap((change) => change.ddl ?? []),
  }
}

/** A tenant with its roles and members; its databases are removed by `removeDatabase`. */
export function removeTenantObjects(state: CatalogState, tenant: string): ObjectChange[] {
  return [
    ...[...state.members.values()]
      .filter((member) => member.tenant === tenant)
      .map((member) => remove('members', keyOf(tenant, member.user))),
    ...[...state.roles.values()]
      .filter((role) => role.tenant === tenant)
      .map((role) => remove('roles', keyOf(tenant, role.name))),
    remove('tenants', keyOf(tenant)),
  ]
}
