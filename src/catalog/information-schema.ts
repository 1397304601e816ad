import { printDatabaseSettings } from './database-settings.ts'
import { isOwner, mayUseDatabase, type Principal } from './privileges.ts'
import {
  type CatalogState,
  type DatabaseEntry,
  keyOf,
  SYSTEM_TENANT,
  type TableEntry,
  type Tenant,
  type User,
} from './state.ts'
import type { SystemTable } from './system-table.ts'

/** A running statement, as `information_schema.queries` and SHOW QUERIES list it. */
export interface ListedQuery {
  readonly queryId: bigint
  readonly queryType: 'batch' | 'stream'
  readonly queryText: string
  readonly user: string
  readonly tenant: string
  readonly database: string
  readonly state: string
  readonly durationSeconds: number
  readonly processedCount: bigint
  readonly errorCount: bigint
  /** 0…100; -1 while unknown. */
  readonly percent: number
}

interface View {
  readonly state: CatalogState
  readonly principal: Principal
  readonly queries: readonly ListedQuery[]
}

type Columns = SystemTable['columns']
interface SystemTableSpec {
  readonly columns: Columns
  rows(view: View): SystemTable['rows']
}

const text = (...names: string[]): Columns => names.map((name) => ({ name, type: 'VARCHAR' }))
const u64 = (name: string) => ({ name, type: 'UBIGINT' }) as const
const bool = (name: string) => ({ name, type: 'BOOLEAN' }) as const

const byName = <T extends { readonly name: string }>(items: Iterable<T>) =>
  [...items].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))

/** Databases of the principal's tenant that it can read and that are not being dropped, by name. */
export function readableDatabases({ state, principal }: Pick<View, 'state' | 'principal'>): DatabaseEntry[] {
  return byName(
    [...state.databases.values()].filter(
      (database) =>
        database.tenant === principal.tenant &&
        database.dropAtNs === undefined &&
        mayUseDatabase(principal, database.name, 'Read'),
    ),
  )
}

function readableTables(view: View): TableEntry[] {
  return readableDatabases(view).flatMap((database) =>
    byName(
      [...view.state.tables.values()].filter(
        (table) => table.tenant === database.tenant && table.database === database.name,
      ),
    ),
  )
}

const ARROW_TYPES: ReadonlyMap<string, string> = new Map([
  ['TINYINT', 'Int8'],
  ['TINYINT UNSIGNED', 'UInt8'],
  ['SMALLINT', 'Int16'],
  ['SMALLINT UNSIGNED', 'UInt16'],
  ['INT', 'Int32'],
  ['INTEGER', 'Int32'],
  ['INT UNSIGNED', 'UInt32'],
  ['INTEGER UNSIGNED', 'UInt32'],
  ['BIGINT', 'Int64'],
  ['BIGINT UNSIGNED', 'UInt64'],
  ['FLOAT', 'Float32'],
  ['REAL', 'Float32'],
  ['DOUBLE', 'Float64'],
  ['BOOLEAN', 'Boolean'],
  ['DATE', 'Date32'],
  ['TIMESTAMP', 'Timestamp(Nanosecond, None)'],
])

/** Arrow's name of the type of a column of an external or stream table. */
function arrowTypeOf(type: string): string {
  const [, digits, scale] = /^DECIMAL\((\d+), ?(\d+)\)$/.exec(type) ?? []
  return digits === undefined ? (ARROW_TYPES.get(type) ?? 'Utf8') : `Decimal128(${digits}, ${scale})`
}

function columnRows(table: TableEntry): SystemTable['rows'] {
  const where = [table.tenant, table.database, table.name] as const
  if (table.engine === 'TSKV') {
    return table.schema.columns.map((column, i) => [
      ...where,
      column.name,
      column.kind.toUpperCase(),
      i,
      'NULL',
      column.kind !== 'time',
      column.type,
      column.codec,
    ])
  }
  const byDefault = table.engine === 'STREAM' ? 'UNKNOWN' : 'NULL'
  return table.columns.map((column, i) => [
    ...where,
    column.name,
    'FIELD',
    i,
    byDefault,
    true,
    arrowTypeOf(column.type),
    null,
  ])
}

const DATABASES: SystemTableSpec = {
  columns: [
    ...text('tenant_name', 'database_name', 'ttl'),
    u64('shard'),
    ...text('vnode_duration'),
    u64('replica'),
    ...text('precision', 'max_memcache_size'),
    u64('memcache_partitions'),
    ...text('wal_max_file_size'),
    bool('wal_sync'),
    bool('strict_write'),
    u64('max_cache_readers'),
  ],
  rows: (view) =>
    readableDatabases(view).map((database) => [
      database.tenant,
      database.name,
      ...Object.values(printDatabaseSettings(database.settings)),
    ]),
}

const INFORMATION_SCHEMA: Readonly<Record<string, SystemTableSpec>> = {
  databases: DATABASES,
  tables: {
    columns: text('table_tenant', 'table_database', 'table_name', 'table_type', 'table_engine', 'table_options'),
    rows: (view) =>
      readableTables(view).map((table) => [table.tenant, table.database, table.name, 'TABLE', table.engine, 'TODO']),
  },
  columns: {
    columns: [
      ...text('tenant_name', 'database_name', 'table_name', 'column_name', 'column_type'),
      u64('ordinal_position'),
      ...text('column_default'),
      bool('is_nullable'),
      ...text('data_type', 'compression_codec'),
    ],
    rows: (view) => readableTables(view).flatMap(columnRows),
  },
  roles: {
    columns: text('role_name', 'role_type', 'inherit_role'),
    rows: ({ state, principal }) =>
      isOwner(principal)
        ? [
            ['owner', 'system', null],
            ['member', 'system', null],
            ...rolesOf(state, principal.tenant).map((role) => [role.name, 'custom', role.inherit ?? 'NULL']),
          ]
        : [],
  },
  members: {
    columns: text('user_name', 'role_name'),
    rows: ({ state, principal }) =>
      [...state.members.values()]
        .filter((member) => member.tenant === principal.tenant)
        .sort((a, b) => (a.user < b.user ? -1 : 1))
        .map((member) => [member.user, member.role]),
  },
  database_privileges: {
    columns: text('tenant_name', 'database_name', 'privilege_type', 'role_name'),
    rows: ({ state, principal }) =>
      rolesOf(state, principal.tenant)
        .filter((role) => isOwner(principal) || role.name === principal.role)
        .flatMap((role) =>
          Object.entries(role.grants)
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([database, privilege]) => [principal.tenant, database, privilege, role.name]),
        ),
  },
  enabled_roles: {
    columns: text('role_name'),
    rows: ({ principal }) => (principal.role === undefined ? [] : [[principal.role]]),
  },
  queries: {
    columns: [
      ...text(
        'query_id',
        'query_type',
        'query_text',
        'user_id',
        'user_name',
        'tenant_id',
        'tenant_name',
        'database_name',
        'state',
      ),
      { name: 'duration', type: 'DOUBLE' },
      u64('processed_count'),
      u64('error_count'),
    ],
    rows: (view) =>
      visibleQueries(view).map((query) => [
        String(query.queryId),
        query.queryType,
        query.queryText,
        view.state.users.get(keyOf(query.user))?.id ?? '',
        query.user,
        view.state.tenants.get(keyOf(query.tenant))?.id ?? '',
        query.tenant,
        query.database,
        query.state,
        query.durationSeconds,
        query.processedCount,
        query.errorCount,
      ]),
  },
  resource_status: { columns: text('time', 'name', 'action', 'try_count', 'status', 'comment'), rows: pendingDrops },
}

function rolesOf(state: CatalogState, tenant: string) {
  return byName([...state.roles.values()].filter((role) => role.tenant === tenant))
}

/** The last moment a Date can hold. */
const LATEST_MS = 8_640_000_000_000_000n

function pendingDrops({ state, principal }: View): SystemTable['rows'] {
  if (!isOwner(principal)) return []
  const row = (dropAtNs: string | undefined, name: string, action: string) => {
    if (dropAtNs === undefined) return []
    const ms = BigInt(dropAtNs) / 1_000_000n
    return [[new Date(Number(ms > LATEST_MS ? LATEST_MS : ms)).toISOString(), name, action, '0', 'Schedule', '']]
  }
  const databases = byName(state.databases.values()).filter(({ tenant }) => tenant === principal.tenant)
  const tenants = principal.isAdmin ? byName(state.tenants.values()) : []
  return [
    ...tenants.flatMap((tenant) => row(tenant.dropAtNs, tenant.name, 'DropTenant')),
    ...databases.flatMap((database) => row(database.dropAtNs, `${database.tenant}.${database.name}`, 'DropDatabase')),
  ]
}

/** Administrators see every tenant's statements, owners their tenant's, others their own. */
export function visibleQueries({ principal, queries }: Pick<View, 'principal' | 'queries'>): readonly ListedQuery[] {
  return queries.filter(
    (query) =>
      principal.isAdmin || (query.tenant === principal.tenant && (isOwner(principal) || query.user === principal.user)),
  )
}

const CLUSTER_SCHEMA: Readonly<Record<string, SystemTableSpec>> = {
  tenants: {
    columns: text('tenant_name', 'tenant_options'),
    rows: ({ state, principal }) =>
      principal.isAdmin ? byName(state.tenants.values()).map((tenant) => [tenant.name, tenantOptionsJson(tenant)]) : [],
  },
  users: {
    columns: [...text('user_name'), bool('is_admin'), ...text('user_options')],
    rows: ({ state, principal }) =>
      principal.isAdmin
        ? byName(state.users.values()).map((user) => [user.name, user.grantedAdmin === true, userOptionsJson(user)])
        : [],
  },
}

const NS_PER_SECOND = 1_000_000_000n

function tenantOptionsJson(tenant: Tenant): string {
  const isInf = tenant.dropAfterNs === 'INF'
  const dropAfter = tenant.dropAfterNs === undefined || isInf ? 0n : BigInt(tenant.dropAfterNs)
  return JSON.stringify({
    comment: tenant.comment ?? null,
    limiter_config: tenant.limiter ?? null,
    drop_after:
      tenant.dropAfterNs === undefined
        ? null
        : {
            duration: { secs: Number(dropAfter / NS_PER_SECOND), nanos: Number(dropAfter % NS_PER_SECOND) },
            is_inf: isInf,
          },
    tenant_is_hidden: tenant.dropAtNs !== undefined,
  })
}

/** Never shows a hash, also not whether there is one. */
function userOptionsJson(user: User): string {
  return JSON.stringify({
    hash_password: '*****',
    must_change_password: user.mustChangePassword,
    rsa_public_key: user.rsaPublicKey,
    comment: user.comment,
    granted_admin: user.grantedAdmin,
  })
}

/**
 * `information_schema.*` of every tenant and `cluster_schema.tenants|users` of tenant cnosdb, as this principal sees
 * them; names in any case. Undefined for another name.
 */
export function systemTable(database: string, table: string, view: View): SystemTable | undefined {
  const schema = database.toLowerCase()
  const specs =
    schema === 'information_schema'
      ? INFORMATION_SCHEMA
      : schema === 'cluster_schema' && view.principal.tenant === SYSTEM_TENANT
        ? CLUSTER_SCHEMA
        : {}
  const spec = Object.hasOwn(specs, table.toLowerCase()) ? specs[table.toLowerCase()] : undefined
  return spec && { columns: spec.columns, rows: spec.rows(view) }
}
