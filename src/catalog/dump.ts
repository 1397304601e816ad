import { printDuration } from '../model/duration.ts'
import type { Column } from '../model/schema.ts'
import { DEFAULT_DATABASE_SETTINGS, durationOf, printDatabaseSettings } from './database-settings.ts'
import { isSystemDatabase } from './databases.ts'
import { ROOT_COMMENT, SYSTEM_TENANT_COMMENT } from './first-objects.ts'
import { printLimits } from './limiter.ts'
import {
  type CatalogState,
  type DatabaseEntry,
  DEFAULT_DATABASE,
  type ExternalTable,
  type ForeignColumn,
  keyOf,
  ROOT,
  type Role,
  type StreamTable,
  SYSTEM_TENANT,
  type Tenant,
  type TimeSeriesTable,
  tablesOf,
  type User,
} from './state.ts'

const name = (text: string) => `"${text.replaceAll('"', '""')}"`
const string = (text: string) => `'${text.replaceAll("'", "''")}'`

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
const byName = <T extends { readonly name: string }>(items: Iterable<T>) =>
  [...items].sort((a, b) => compare(a.name, b.name))

/**
 * CnosDB's dump dialect: keywords in lower case, one statement a line, in an order that replays. What 2.4.3 gets wrong
 * is mended: limits are option groups and not `_limiter`, and come last so that they do not stop the restore; geometry
 * columns carry their sub-type; `"` in names is doubled; hidden objects are left out; every CREATE that knows it says
 * `if not exists`; all time-series tables of a tenant come before its external and stream tables; what was changed in
 * root, in tenant cnosdb and in its first databases follows as ALTER. What root signs in with is left out: replaying it
 * would lock out whoever replays.
 */
export function dumpDdl(state: CatalogState, { tenant: only }: { readonly tenant?: string | undefined } = {}): string {
  const tenants = byName(state.tenants.values()).filter(
    (tenant) => tenant.dropAtNs === undefined && (only === undefined || tenant.name === only),
  )
  const users = byName(state.users.values()).filter(
    (user) => user.name !== ROOT && (only === undefined || state.members.has(keyOf(only, user.name))),
  )
  const lines = [
    '-- Dump Global Object',
    ...tenants.filter((tenant) => tenant.name !== SYSTEM_TENANT).map(tenantLine),
    ...users.map(userLine),
    ...(only === undefined ? rootLines(state) : []),
    ...tenants.flatMap((tenant) => tenantLines(state, tenant)),
  ]
  return `${lines.join('\n')}\n`
}

/** Bare, as CnosDB writes it, unless a reader would take it for another name. */
function changeTenantName(tenant: string): string {
  return tenant.startsWith('"') || tenant.trim() !== tenant ? name(tenant) : tenant
}

function tenantOptions({ comment, dropAfterNs }: Tenant): readonly (readonly [string, string])[] {
  return [
    ...(comment === undefined ? [] : [['comment', comment] as const]),
    ...(dropAfterNs === undefined ? [] : [['drop_after', printDuration(durationOf(dropAfterNs))] as const]),
  ]
}

function tenantLine(tenant: Tenant): string {
  const options = tenantOptions(tenant).map(([option, value]) => `${option}=${string(value)}`)
  return `create tenant if not exists ${name(tenant.name)}${options.length > 0 ? ` with ${options.join(', ')}` : ''};`
}

/** What was changed in the tenant that every server is born with. */
function systemTenantLines(tenant: Tenant): string[] {
  const alter = `alter tenant ${name(tenant.name)}`
  return [
    ...(tenant.comment === undefined ? [`${alter} unset comment;`] : []),
    ...tenantOptions(tenant)
      .filter(([option, value]) => option !== 'comment' || value !== SYSTEM_TENANT_COMMENT)
      .map(([option, value]) => `${alter} set ${option}=${string(value)};`),
  ]
}

/** What was changed in root, but for what it signs in with. */
function rootLines(state: CatalogState): string[] {
  const comment = state.users.get(keyOf(ROOT))?.comment
  return comment === undefined || comment === ROOT_COMMENT
    ? []
    : [`alter user ${name(ROOT)} set comment=${string(comment)};`]
}

function userLine(user: User): string {
  const options = [
    ...(user.hashPassword === undefined ? [] : [`hash_password=${string(user.hashPassword)}`]),
    ...(user.comment === undefined ? [] : [`comment=${string(user.comment)}`]),
    ...(user.mustChangePassword === undefined ? [] : [`must_change_password=${user.mustChangePassword}`]),
    ...(user.rsaPublicKey === undefined ? [] : [`rsa_public_key=${string(user.rsaPublicKey)}`]),
    ...(user.grantedAdmin === undefined ? [] : [`granted_admin=${user.grantedAdmin}`]),
  ]
  return `create user if not exists ${name(user.name)}${options.length > 0 ? ` with ${options.join(', ')}` : ''};`
}

function tenantLines(state: CatalogState, tenant: Tenant): string[] {
  const databases = byName(
    [...state.databases.values()].filter(
      (database) => database.tenant === tenant.name && database.dropAtNs === undefined,
    ),
  )
  const tables = databases.flatMap((database) => byName(tablesOf(state, tenant.name, database.name)))
  const roles = byName([...state.roles.values()].filter((role) => role.tenant === tenant.name))
  const members = [...state.members.values()]
    .filter((member) => member.tenant === tenant.name && !(tenant.name === SYSTEM_TENANT && member.user === ROOT))
    .sort((a, b) => compare(a.user, b.user))
  return [
    `-- Dump Tenant ${tenant.name} Object`,
    `\\change_tenant ${changeTenantName(tenant.name)}`,
    ...(tenant.name === SYSTEM_TENANT ? systemTenantLines(tenant) : []),
    ...databases.flatMap(databaseLines),
    ...roles.flatMap((role) => roleLines(role, databases)),
    ...members.map(
      (member) => `alter tenant ${name(tenant.name)} add user ${name(member.user)} as ${name(member.role)};`,
    ),
    ...tables.filter((table) => table.engine === 'TSKV').flatMap(tableLines),
    ...tables.filter((table) => table.engine === 'EXTERNAL').map(externalTableLine),
    ...tables.filter((table) => table.engine === 'STREAM').map(streamTableLine),
    ...(tenant.limiter ? limitLines(tenant.name, printLimits(tenant.limiter)) : []),
  ]
}

const limitLines = (tenant: string, limits: readonly string[]) =>
  limits.map((group) => `alter tenant ${name(tenant)} set ${group};`)

function databaseLines(database: DatabaseEntry): string[] {
  if (isSystemDatabase(database)) return firstDatabaseLines(database)
  const printed = printDatabaseSettings(database.settings)
  return [createDatabaseLine(database.name, printed)]
}

function createDatabaseLine(database: string, printed: ReturnType<typeof printDatabaseSettings>): string {
  const options = [
    `precision ${string(printed.precision)}`,
    `max_memcache_size ${string(printed.maxMemcacheSize)}`,
    `memcache_partitions ${printed.memcachePartitions}`,
    `wal_max_file_size ${string(printed.walMaxFileSize)}`,
    `wal_sync ${string(String(printed.walSync))}`,
    `strict_write ${string(String(printed.strictWrite))}`,
    `max_cache_readers ${printed.maxCacheReaders}`,
    `ttl ${string(printed.ttl)}`,
    `shard ${printed.shard}`,
    `replica ${printed.replica}`,
    `vnode_duration ${string(printed.vnodeDuration)}`,
  ]
  return `create database if not exists ${name(database)} with ${options.join(' ')};`
}

/** A database that every server is born with, as it was then (`public` goes without saying), and what was changed. */
function firstDatabaseLines(database: DatabaseEntry): string[] {
  const first = printDatabaseSettings(DEFAULT_DATABASE_SETTINGS)
  const printed = printDatabaseSettings(database.settings)
  const changed = [
    printed.ttl === first.ttl ? [] : [`ttl ${string(printed.ttl)}`],
    printed.shard === first.shard ? [] : [`shard ${printed.shard}`],
    printed.vnodeDuration === first.vnodeDuration ? [] : [`vnode_duration ${string(printed.vnodeDuration)}`],
  ].flat()
  return [
    ...(database.name === DEFAULT_DATABASE ? [] : [createDatabaseLine(database.name, first)]),
    ...changed.map((option) => `alter database ${name(database.name)} set ${option};`),
  ]
}

function roleLines(role: Role, databases: readonly DatabaseEntry[]): string[] {
  const visible = new Set(databases.map((database) => database.name))
  const inherit = role.inherit === undefined ? '' : ` inherit ${role.inherit}`
  const grants = Object.entries(role.grants)
    .filter(([database]) => visible.has(database))
    .sort(([a], [b]) => compare(a, b))
  return [
    `create role if not exists ${name(role.name)}${inherit};`,
    ...grants.map(([database, privilege]) => `grant ${privilege} on database ${name(database)} to ${name(role.name)};`),
  ]
}

const codec = (column: Column) => (column.codec === 'DEFAULT' ? '' : ` CODEC(${column.codec})`)

function tableLines(table: TimeSeriesTable): string[] {
  const { columns } = table.schema
  const fields = columns
    .filter(({ kind }) => kind === 'field')
    .map((column) => `${name(column.name)} ${column.type.toUpperCase()}${codec(column)}`)
  const tags = columns.filter(({ kind }) => kind === 'tag').map((column) => name(column.name))
  const where = `${name(table.database)}.${name(table.name)}`
  const timeCodec = columns.find(({ kind }) => kind === 'time')?.codec ?? 'DEFAULT'
  return [
    `create table if not exists ${where} (${[...fields, `tags (${tags.join(', ')})`].join(', ')});`,
    ...(timeCodec === 'DEFAULT' ? [] : [`alter table ${where} alter "time" set codec(${timeCodec});`]),
  ]
}

const foreignColumns = (columns: readonly ForeignColumn[]) =>
  columns.map((column) => `${name(column.name)} ${column.type}`).join(', ')

function externalTableLine(table: ExternalTable): string {
  const columns =
    table.fileType === 'PARQUET' || table.columns.length === 0 ? '' : ` (${foreignColumns(table.columns)})`
  const options = [
    ` stored as ${table.fileType}`,
    table.hasHeader ? ' with header row' : '',
    table.delimiter === undefined ? '' : ` delimiter ${string(table.delimiter)}`,
    table.compression === undefined ? '' : ` compression type ${table.compression}`,
    ` location ${string(table.location)}`,
  ]
  return `create external table if not exists ${name(table.database)}.${name(table.name)}${columns}${options.join('')};`
}

function streamTableLine(table: StreamTable): string {
  const columns = table.columns.length === 0 ? '' : ` (${foreignColumns(table.columns)})`
  const options = Object.entries(table.options).map(([key, value]) => `${key}=${string(value)}`)
  return `create stream table if not exists ${name(table.database)}.${name(table.name)}${columns} with (${options.join(', ')}) engine = tskv;`
}
