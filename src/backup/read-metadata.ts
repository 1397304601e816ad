import type { Abortable } from '../async/abort.ts'
import type { ClusterClient, Row } from '../client/cluster-client.ts'
import { isCnosError } from '../errors/cnos-error.ts'
import type { DatabaseOptionName, DatabasePrivilege, Statement, TenantOptions, UserOptions } from '../sql/ast.ts'
import {
  type ClusterMetadata,
  type MetadataStatement,
  SYSTEM_DATABASES,
  SYSTEM_TENANT,
  type TableInfo,
} from './cluster-metadata.ts'
import { type DumpedObjects, readDump } from './read-dump.ts'
import type { Selection } from './selection.ts'

interface TenantMetadata {
  readonly meta: readonly MetadataStatement[]
  readonly tables: readonly TableInfo[]
  readonly streamJobs: readonly string[]
}

/**
 * Reads the metadata of a whole cluster: catalogs by SQL, and from the DDL dump what SQL hides (password hashes) or
 * shows only in part (external and stream tables). What this user or server does not give is listed in `notCarried`.
 */
export async function readMetadata(
  client: ClusterClient,
  selection: Selection,
  { signal }: Abortable,
): Promise<ClusterMetadata> {
  const notCarried: string[] = []
  const dump = await readDump(client, { signal })
  notCarried.push(...dump.notCarried)
  const global = await readGlobalObjects(client, dump, notCarried, { signal })
  const tenants = global.tenants.filter((tenant) => selection.includesTenant(tenant))
  const meta: MetadataStatement[] = global.statements.filter(
    ({ statement }) => statement.kind !== 'create-tenant' || selection.includesTenant(statement.name),
  )
  const schema: MetadataStatement[] = []
  const tables: TableInfo[] = []
  for (const tenant of tenants) {
    const found = await readTenant(client, tenant, selection, { signal })
    meta.push(...found.meta)
    tables.push(...found.tables)
    notCarried.push(...found.streamJobs.map((job) => `running stream job in tenant ${tenant}: ${job}`))
    schema.push(...found.tables.map((table) => ({ tenant, statement: createTableStatement(table) })))
  }
  schema.push(...laterTables(dump, tenants, selection))
  return { meta, schema, tables, notCarried }
}

/** External tables, then stream tables: a stream table needs its source, which may live in any database. */
function laterTables(dump: DumpedObjects, tenants: readonly string[], selection: Selection): MetadataStatement[] {
  const isWanted = ({ tenant, statement }: MetadataStatement) =>
    tenant !== undefined &&
    tenants.includes(tenant) &&
    'table' in statement &&
    statement.table.parts.length === 2 &&
    selection.includesTable(tenant, statement.table.parts[0] as string, statement.table.parts[1] as string)
  return [...dump.externalTables.filter(isWanted), ...dump.streamTables.filter(isWanted)]
}

async function readGlobalObjects(
  client: ClusterClient,
  dump: DumpedObjects,
  notCarried: string[],
  { signal }: Abortable,
) {
  const scope = { tenant: SYSTEM_TENANT, signal }
  const users = await client
    .query('SELECT user_name, user_options FROM cluster_schema.users ORDER BY user_name', scope)
    .catch((error: unknown): Row[] => {
      if (isCnosError(error) && error.errorName !== 'CLUSTER_UNREACHABLE') return []
      throw error
    })
  if (users.length === 0) {
    notCarried.push(`tenants, users and passwords: user '${client.user}' is not an administrator of ${client.label}`)
    const mine = await client.query('SELECT DISTINCT tenant_name FROM information_schema.databases', { signal })
    return { tenants: mine.map((row) => row.tenant_name ?? ''), statements: [] as MetadataStatement[] }
  }
  const tenantRows = await client.query(
    'SELECT tenant_name, tenant_options FROM cluster_schema.tenants ORDER BY tenant_name',
    scope,
  )
  const visible = tenantRows.filter((row) => !/"tenant_is_hidden"\s*:\s*true/.test(row.tenant_options ?? ''))
  const statements: MetadataStatement[] = []
  for (const row of visible) {
    if (row.tenant_name !== SYSTEM_TENANT) statements.push({ tenant: undefined, statement: createTenantStatement(row) })
  }
  for (const row of users) {
    if (row.user_name === 'root') continue
    const hashPassword = dump.passwordHashes.get(row.user_name ?? '')
    if (!hashPassword)
      notCarried.push(`the password of user ${row.user_name}: the dump of ${client.label} does not show it`)
    statements.push({ tenant: undefined, statement: createUserStatement(row, hashPassword) })
  }
  return { tenants: visible.map((row) => row.tenant_name ?? ''), statements }
}

function createTenantStatement(row: Row): Statement {
  const stored = JSON.parse(row.tenant_options ?? '{}') as {
    comment?: string | null
    drop_after?: { duration?: { secs: number; nanos: number }; is_inf?: boolean } | null
    limiter_config?: unknown
  }
  const options: TenantOptions = {
    ...(stored.comment ? { comment: stored.comment } : {}),
    ...(stored.drop_after
      ? { dropAfter: stored.drop_after.is_inf ? 'INF' : `${stored.drop_after.duration?.secs ?? 0}s` }
      : {}),
    ...(stored.limiter_config ? { limiterJson: JSON.stringify(stored.limiter_config) } : {}),
  }
  return { kind: 'create-tenant', name: row.tenant_name ?? '', ifNotExists: true, options }
}

function createUserStatement(row: Row, hashPassword: string | undefined): Statement {
  const stored = JSON.parse(row.user_options || '{}') as {
    must_change_password?: boolean
    rsa_public_key?: string
    comment?: string
    granted_admin?: boolean
  }
  const options: UserOptions = {
    ...(hashPassword ? { hashPassword } : {}),
    ...(stored.must_change_password === undefined ? {} : { mustChangePassword: stored.must_change_password }),
    ...(stored.rsa_public_key ? { rsaPublicKey: stored.rsa_public_key } : {}),
    ...(stored.comment ? { comment: stored.comment } : {}),
    ...(stored.granted_admin === undefined ? {} : { grantedAdmin: stored.granted_admin }),
  }
  return { kind: 'create-user', name: row.user_name ?? '', ifNotExists: true, options }
}

async function readTenant(
  client: ClusterClient,
  tenant: string,
  selection: Selection,
  { signal }: Abortable,
): Promise<TenantMetadata> {
  const scope = { tenant, signal }
  const ask = (sql: string) => client.query(sql, scope)
  const databases = (await ask('SELECT * FROM information_schema.databases ORDER BY database_name')).filter(
    (row) =>
      !SYSTEM_DATABASES.has(row.database_name ?? '') && selection.includesDatabase(tenant, row.database_name ?? ''),
  )
  const names = new Set(databases.map((row) => row.database_name))
  const roles = await ask(
    "SELECT role_name, inherit_role FROM information_schema.roles WHERE role_type = 'custom' ORDER BY role_name",
  )
  const grants = await ask(
    'SELECT role_name, database_name, privilege_type FROM information_schema.database_privileges ORDER BY role_name, database_name',
  )
  const members = await ask('SELECT user_name, role_name FROM information_schema.members ORDER BY user_name')
  const custom = new Set(roles.map((row) => row.role_name))
  const statements: Statement[] = [
    ...databases.map((row) => createDatabaseStatement(row)),
    ...roles.map((row) => createRoleStatement(row)),
    ...grants
      .filter((row) => custom.has(row.role_name) && names.has(row.database_name))
      .map((row) => grantStatement(row)),
    ...members
      .filter((row) => !(tenant === SYSTEM_TENANT && row.user_name === 'root'))
      .map((row): Statement => {
        const action = { kind: 'add-user', user: row.user_name ?? '', role: row.role_name ?? '' } as const
        return { kind: 'alter-tenant', name: tenant, action }
      }),
  ]
  return {
    meta: statements.map((statement) => ({ tenant, statement })),
    tables: (await readTables(client, tenant, { signal })).filter(
      (table) => names.has(table.database) && selection.includesTable(tenant, table.database, table.table),
    ),
    streamJobs: (await ask("SELECT query_text FROM information_schema.queries WHERE query_type = 'stream'")).map(
      (row) => row.query_text ?? '',
    ),
  }
}

const STRING_OPTIONS = [
  'ttl',
  'vnode_duration',
  'precision',
  'max_memcache_size',
  'wal_max_file_size',
  'wal_sync',
  'strict_write',
] as const
const INTEGER_OPTIONS = ['shard', 'replica', 'memcache_partitions', 'max_cache_readers'] as const

/** Options an older server does not show are left to the target's defaults. */
function createDatabaseStatement(row: Row): Statement {
  const options = new Map<DatabaseOptionName, string | bigint>()
  for (const name of STRING_OPTIONS) if (row[name]) options.set(name, modernDuration(row[name]))
  for (const name of INTEGER_OPTIONS) if (row[name]) options.set(name, BigInt(row[name]))
  return { kind: 'create-database', name: row.database_name ?? '', ifNotExists: true, options }
}

/** 2.3 prints `365 Days`; 2.4 reads lower-case units only. */
function modernDuration(text: string): string {
  const match = /^(\d+) (Days|Hours|Minutes)$/.exec(text)
  return match ? `${match[1]}${(match[2] as string)[0]?.toLowerCase()}` : text
}

function createRoleStatement(row: Row): Statement {
  const inherit = row.inherit_role
  return {
    kind: 'create-role',
    name: row.role_name ?? '',
    ifNotExists: true,
    inherit: inherit === '' || inherit === 'NULL' ? undefined : inherit,
  }
}

function grantStatement(row: Row): Statement {
  const privilege = (row.privilege_type ?? 'Read') as DatabasePrivilege
  return { kind: 'grant', privileges: [{ privilege, database: row.database_name ?? '' }], role: row.role_name ?? '' }
}

/** The time-series tables of a tenant, in the order of their names. */
export async function readTables(client: ClusterClient, tenant: string, { signal }: Abortable): Promise<TableInfo[]> {
  const engines = await client.query('SELECT table_database, table_name, table_engine FROM information_schema.tables', {
    tenant,
    signal,
  })
  const isStored = new Set(
    engines
      .filter((row) => row.table_engine === 'TSKV')
      .map((row) => JSON.stringify([row.table_database, row.table_name])),
  )
  const columns = await client.query(
    'SELECT database_name, table_name, column_name, column_type, data_type, compression_codec FROM information_schema.columns ' +
      'ORDER BY database_name, table_name, ordinal_position',
    { tenant, signal },
  )
  const tables = new Map<string, TableInfo & { columns: TableInfo['columns'][number][] }>()
  for (const row of columns) {
    const key = JSON.stringify([row.database_name, row.table_name])
    if (!isStored.has(key)) continue
    const table = tables.get(key) ?? {
      tenant,
      database: row.database_name ?? '',
      table: row.table_name ?? '',
      columns: [],
    }
    tables.set(key, table)
    table.columns.push({
      name: row.column_name ?? '',
      kind: (row.column_type ?? 'FIELD').toLowerCase() as 'time' | 'tag' | 'field',
      type: row.data_type ?? '',
      codec: row.compression_codec || 'DEFAULT',
    })
  }
  return [...tables.values()]
}

/** The CREATE TABLE that makes `table` again. */
function createTableStatement(table: TableInfo): Statement {
  return {
    kind: 'create-table',
    table: { parts: [table.database, table.table] },
    ifNotExists: true,
    fields: table.columns
      .filter((column) => column.kind === 'field')
      .map(({ name, type, codec }) => ({ name, type: type.toUpperCase(), ...(codec === 'DEFAULT' ? {} : { codec }) })),
    tags: table.columns.filter((column) => column.kind === 'tag').map((column) => column.name),
  }
}
