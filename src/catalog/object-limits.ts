import { CnosError } from '../errors/cnos-error.ts'
import { DAY } from '../model/duration.ts'
import { durationOf } from './database-settings.ts'
import { type CatalogState, type DatabaseSettings, keyOf } from './state.ts'

function limitOf(state: CatalogState, tenant: string, name: string): number | undefined {
  return state.tenants.get(keyOf(tenant))?.limiter?.object_config?.[name] ?? undefined
}

function refuse(tenant: string, name: string, limit: number): never {
  throw new CnosError('OBJECT_LIMIT', `tenant ${tenant} has reached ${name} = ${limit}`, {
    hint: `an administrator can raise it: ALTER TENANT ${tenant} SET object_config ${name} = …`,
  })
}

/** CREATE DATABASE under the tenant's limits: their number, and what each may have. Throws OBJECT_LIMIT. */
export function checkDatabaseLimits(state: CatalogState, tenant: string, settings: DatabaseSettings): void {
  const databases = [...state.databases.values()].filter((database) => database.tenant === tenant)
  const maxDatabases = limitOf(state, tenant, 'max_databases')
  if (maxDatabases !== undefined && databases.length >= maxDatabases) refuse(tenant, 'max_databases', maxDatabases)
  const maxShards = limitOf(state, tenant, 'max_shard_number')
  if (maxShards !== undefined && settings.shard > maxShards) refuse(tenant, 'max_shard_number', maxShards)
  const maxReplicas = limitOf(state, tenant, 'max_replicate_number')
  if (maxReplicas !== undefined && settings.replica > maxReplicas) refuse(tenant, 'max_replicate_number', maxReplicas)
  const maxDays = limitOf(state, tenant, 'max_retention_time')
  const ttl = durationOf(settings.ttl)
  if (maxDays !== undefined && (ttl === 'INF' || ttl > BigInt(maxDays) * DAY))
    refuse(tenant, 'max_retention_time', maxDays)
}

/** ALTER TENANT … ADD USER under the tenant's limits. Throws OBJECT_LIMIT. */
export function checkMemberLimit(state: CatalogState, tenant: string): void {
  const maxUsers = limitOf(state, tenant, 'max_users_number')
  const members = [...state.members.values()].filter((member) => member.tenant === tenant).length
  if (maxUsers !== undefined && members >= maxUsers) refuse(tenant, 'max_users_number', maxUsers)
}
