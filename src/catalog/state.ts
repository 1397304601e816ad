import { CnosError } from '../errors/cnos-error.ts'
import type { Precision, TableSchema } from '../model/schema.ts'

/** Numbers of a limiter as CnosDB stores them: see the JSON of `cluster_schema.tenants`. */
export type LimiterNumbers = Readonly<Record<string, number | null>>
export interface LimiterConfig {
  readonly object_config: LimiterNumbers | null
  readonly request_config: Readonly<
    Record<string, { readonly remote_bucket: LimiterNumbers; readonly local_bucket: LimiterNumbers } | null>
  > | null
}

export interface Tenant {
  readonly name: string
  /** CnosDB's privilege messages name tenants by number. */
  readonly id: string
  readonly comment?: string
  /** Nanoseconds as decimal text (JSON has no bigint), or INF. */
  readonly dropAfterNs?: string
  readonly limiter?: LimiterConfig
  /** Set while a delayed DROP waits: hidden, and gone at this time (ns since 1970, decimal). */
  readonly dropAtNs?: string
}

export interface User {
  readonly name: string
  readonly id: string
  /** bcrypt; absent: nobody can log in as this user. */
  readonly hashPassword?: string
  readonly mustChangePassword?: boolean
  readonly rsaPublicKey?: string
  readonly comment?: string
  readonly grantedAdmin?: boolean
}

export type SystemRole = 'owner' | 'member'
export type Privilege = 'Read' | 'Write' | 'All'

export interface Role {
  readonly tenant: string
  readonly name: string
  readonly inherit?: SystemRole
  readonly grants: Readonly<Record<string, Privilege>>
}

export interface Member {
  readonly tenant: string
  readonly user: string
  readonly role: string
}

export interface DatabaseSettings {
  /** Nanoseconds as decimal text, or INF. */
  readonly ttl: string
  readonly shard: number
  readonly vnodeDuration: string
  readonly replica: number
  readonly precision: Precision
  /** Bytes as decimal text. */
  readonly maxMemcacheSize: string
  readonly memcachePartitions: number
  readonly walMaxFileSize: string
  readonly walSync: boolean
  readonly strictWrite: boolean
  readonly maxCacheReaders: number
}

export interface DatabaseEntry {
  readonly tenant: string
  readonly name: string
  readonly settings: DatabaseSettings
  readonly dropAtNs?: string
}

interface TableName {
  readonly tenant: string
  readonly database: string
  readonly name: string
}

/** Rows in the physical table `stored`. */
export interface TimeSeriesTable extends TableName {
  readonly engine: 'TSKV'
  readonly stored: string
  readonly schema: TableSchema
}

export interface ForeignColumn {
  readonly name: string
  /** SQL type as written, upper case. */
  readonly type: string
}

/** Files read at each query. */
export interface ExternalTable extends TableName {
  readonly engine: 'EXTERNAL'
  readonly columns: readonly ForeignColumn[]
  readonly fileType: string
  readonly hasHeader: boolean
  readonly delimiter?: string
  readonly compression?: string
  readonly location: string
}

/** Kept as metadata only. */
export interface StreamTable extends TableName {
  readonly engine: 'STREAM'
  readonly columns: readonly ForeignColumn[]
  readonly options: Readonly<Record<string, string>>
}

export type TableEntry = TimeSeriesTable | ExternalTable | StreamTable

/** Everything a server knows besides rows: a snapshot that never changes. Keys are made by `keyOf`. */
export interface CatalogState {
  readonly tenants: ReadonlyMap<string, Tenant>
  readonly users: ReadonlyMap<string, User>
  readonly roles: ReadonlyMap<string, Role>
  readonly members: ReadonlyMap<string, Member>
  readonly databases: ReadonlyMap<string, DatabaseEntry>
  readonly tables: ReadonlyMap<string, TableEntry>
}

export type ObjectKind = keyof CatalogState

export const keyOf = (...names: readonly string[]) => JSON.stringify(names)

export const SYSTEM_TENANT = 'cnosdb'
export const ROOT = 'root'
export const DEFAULT_DATABASE = 'public'

/** A tenant that is there and not being dropped. Throws TENANT_NOT_FOUND. */
export function requireTenant(state: CatalogState, name: string): Tenant {
  const tenant = state.tenants.get(keyOf(name))
  if (tenant && tenant.dropAtNs === undefined) return tenant
  throw new CnosError('TENANT_NOT_FOUND', `The tenant ${name} not found`)
}

export function requireUser(state: CatalogState, name: string): User {
  const user = state.users.get(keyOf(name))
  if (user) return user
  throw new CnosError('USER_NOT_FOUND', `The user ${name} not found`)
}

/** A database that is there and not being dropped, or undefined. */
export function findDatabase(state: CatalogState, tenant: string, name: string): DatabaseEntry | undefined {
  const database = state.databases.get(keyOf(tenant, name))
  return database?.dropAtNs === undefined ? database : undefined
}

/** Throws DATABASE_NOT_FOUND. */
export function requireDatabase(state: CatalogState, tenant: string, name: string): DatabaseEntry {
  const database = findDatabase(state, tenant, name)
  if (database) return database
  throw new CnosError('DATABASE_NOT_FOUND', `Database not found: "${name}"`, {
    hint: 'SHOW DATABASES lists those you can use; CREATE DATABASE makes one',
  })
}

/** Undefined when table or database is missing or being dropped. */
export function findTable(state: CatalogState, tenant: string, database: string, name: string): TableEntry | undefined {
  return findDatabase(state, tenant, database) && state.tables.get(keyOf(tenant, database, name))
}

/** Throws TABLE_NOT_FOUND with the full name, word for word as CnosDB does in queries: clients compare it. */
export function requireTable(state: CatalogState, tenant: string, database: string, name: string): TableEntry {
  const table = findTable(state, tenant, database, name)
  if (table) return table
  throw new CnosError('TABLE_NOT_FOUND', `Table not found: "${tenant}.${database}.${name}"`)
}

/** Also of a database that is being dropped. */
export function tablesOf(state: CatalogState, tenant: string, database: string): TableEntry[] {
  return [...state.tables.values()].filter((table) => table.tenant === tenant && table.database === database)
}
