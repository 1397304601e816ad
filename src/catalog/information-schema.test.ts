import { describe, expect, it } from 'vitest'
import { type Build, startCatalog } from '../../test/catalog/catalog-fixture.ts'
import { createDatabase, dropDatabase } from './databases.ts'
import { type ListedQuery, systemTable, visibleQueries } from './information-schema.ts'
import { resolvePrincipal } from './privileges.ts'
import { createRole, grantPrivileges } from './roles.ts'
import { showDatabases, showTables } from './show.ts'
import { createExternalTable, createStreamTable, createTable } from './tables.ts'
import { addMember, alterTenant, createTenant, dropTenant } from './tenants.ts'
import { createUser } from './users.ts'

const tenant = 'acme'
const user = (name: string, role: string): readonly Build[] => [
  (state, context) => createUser(state, name, { ifNotExists: false, written: {} }, context),
  (state) => addMember(state, { tenant, user: name, role }),
]
const database =
  (name: string): Build =>
  (state) =>
    createDatabase(state, { tenant, name }, { ifNotExists: false, written: new Map() })
const table =
  (where: string, name: string): Build =>
  (state, context) =>
    createTable(
      state,
      { tenant, database: where, name },
      { ifNotExists: false, fields: [{ name: 'p', type: 'GEOMETRY(POINT, 0)', codec: 'ZSTD' }], tags: ['s'] },
      context,
    )

function start() {
  const catalog = startCatalog()
  catalog.run((state, context) => createTenant(state, tenant, { ifNotExists: false, written: {} }, context))
  catalog.run(database('plant'), database('office'), table('plant', 'air'), table('office', 'desk'))
  catalog.run(
    (state) => createRole(state, { tenant, name: 'reader' }, { ifNotExists: false, inherit: undefined }),
    (state) => createRole(state, { tenant, name: 'guest' }, { ifNotExists: false, inherit: 'member' }),
    (state) => grantPrivileges(state, { tenant, name: 'reader' }, [{ database: 'plant', privilege: 'Read' }]),
    (state) => grantPrivileges(state, { tenant, name: 'guest' }, [{ database: 'office', privilege: 'Write' }]),
    ...user('olga', 'owner'),
    ...user('max', 'member'),
    ...user('rita', 'reader'),
    ...user('gus', 'guest'),
  )
  return catalog
}

const catalog = start()
const see = (name: string, schema: string, what: string, { state } = catalog, queries: readonly ListedQuery[] = []) => {
  const where = schema === 'cluster_schema' ? 'cnosdb' : tenant
  return systemTable(schema, what, { state, principal: resolvePrincipal(state, name, where), queries })
}
const rows = (name: string, what: string, from = catalog) => see(name, 'information_schema', what, from)?.rows

describe('columns, in CnosDB’s order', () => {
  it.each([
    [
      'databases',
      'tenant_name,database_name,ttl,shard:u,vnode_duration,replica:u,precision,max_memcache_size,memcache_partitions:u,wal_max_file_size,wal_sync:b,strict_write:b,max_cache_readers:u',
    ],
    ['tables', 'table_tenant,table_database,table_name,table_type,table_engine,table_options'],
    [
      'columns',
      'tenant_name,database_name,table_name,column_name,column_type,ordinal_position:u,column_default,is_nullable:b,data_type,compression_codec',
    ],
    ['roles', 'role_name,role_type,inherit_role'],
    ['members', 'user_name,role_name'],
    ['database_privileges', 'tenant_name,database_name,privilege_type,role_name'],
    ['enabled_roles', 'role_name'],
    [
      'queries',
      'query_id,query_type,query_text,user_id,user_name,tenant_id,tenant_name,database_name,state,duration:d,processed_count:u,error_count:u',
    ],
    ['resource_status', 'time,name,action,try_count,status,comment'],
  ])('%s', (name, expected) => {
    const mark = { VARCHAR: '', UBIGINT: ':u', BOOLEAN: ':b', DOUBLE: ':d' }
    const columns = see('root', 'information_schema', name)?.columns
    expect(columns?.map((column) => column.name + mark[column.type]).join(',')).toBe(expected)
  })

  it('of cluster_schema, which tenant cnosdb has', () => {
    const names = (what: string) =>
      see('root', 'cluster_schema', what)?.columns.map(({ name, type }) => `${name} ${type}`)
    expect(names('tenants')).toEqual(['tenant_name VARCHAR', 'tenant_options VARCHAR'])
    expect(names('Users')).toEqual(['user_name VARCHAR', 'is_admin BOOLEAN', 'user_options VARCHAR'])
    const principal = resolvePrincipal(catalog.state, 'root', tenant)
    expect(systemTable('cluster_schema', 'users', { state: catalog.state, principal, queries: [] })).toBeUndefined()
  })

  it.each(['constructor', '__proto__', 'nope', ''])('there is no table %j', (name) => {
    expect(see('root', 'information_schema', name)).toBeUndefined()
  })
})

describe('rows', () => {
  it('show columns with types that CREATE TABLE reads', () => {
    expect(rows('rita', 'columns')).toEqual([
      [tenant, 'plant', 'air', 'time', 'TIME', 0, 'NULL', false, 'TIMESTAMP(NANOSECOND)', 'DEFAULT'],
      [tenant, 'plant', 'air', 's', 'TAG', 1, 'NULL', true, 'STRING', 'DEFAULT'],
      [tenant, 'plant', 'air', 'p', 'FIELD', 2, 'NULL', true, 'Geometry(POINT, 0)', 'ZSTD'],
    ])
  })

  it.each([
    ['root', ['office', 'plant']],
    ['olga', ['office', 'plant']],
    ['max', ['office', 'plant']],
    ['gus', ['office', 'plant']],
    ['rita', ['plant']],
  ])('show %s the databases and tables of %j', (name, expected) => {
    expect(rows(name, 'databases')?.map((row) => row[1])).toEqual(expected)
    expect(rows(name, 'tables')?.map((row) => row[1])).toEqual(expected)
    const principal = resolvePrincipal(catalog.state, name, tenant)
    expect(showDatabases(catalog.state, principal).rows.flat()).toEqual(expected)
  })

  it('show a database with its options', () => {
    expect(rows('rita', 'databases')).toEqual([
      [tenant, 'plant', 'INF', 1, '1year', 1, 'NS', '128 MiB', 2, '128 MiB', false, false, 32],
    ])
  })

  it('tell roles to owners only; a custom role without inheritance says NULL in letters', () => {
    expect(rows('olga', 'roles')).toEqual([
      ['owner', 'system', null],
      ['member', 'system', null],
      ['guest', 'custom', 'member'],
      ['reader', 'custom', 'NULL'],
    ])
    expect(rows('max', 'roles')).toEqual([])
  })

  it('tell privileges to owners, and to others those of their own role', () => {
    const guest = [tenant, 'office', 'Write', 'guest']
    expect(rows('olga', 'database_privileges')).toEqual([guest, [tenant, 'plant', 'Read', 'reader']])
    expect(rows('gus', 'database_privileges')).toEqual([guest])
    expect(rows('max', 'database_privileges')).toEqual([])
  })

  it('tell members to everyone, and everyone their role', () => {
    expect(rows('max', 'members')).toEqual([
      ['gus', 'guest'],
      ['max', 'member'],
      ['olga', 'owner'],
      ['rita', 'reader'],
    ])
    expect(rows('gus', 'enabled_roles')).toEqual([['guest']])
    expect(rows('root', 'enabled_roles')).toEqual([])
  })

  it('hide what is being dropped, but for its drop', () => {
    const hiding = start()
    hiding.run((state, context) =>
      dropDatabase(state, { tenant, name: 'plant' }, { ifExists: false, after: 10n ** 30n }, context),
    )
    expect(rows('olga', 'tables', hiding)?.map((row) => row[1])).toEqual(['office'])
    expect(showTables(hiding.state, tenant, 'plant').rows).toEqual([])
    expect(rows('olga', 'resource_status', hiding)).toMatchObject([
      [expect.any(String), 'acme.plant', 'DropDatabase', '0', 'Schedule', ''],
    ])
    expect(rows('max', 'resource_status', hiding)).toEqual([])
  })

  it('show external and stream tables with Arrow’s types', () => {
    const others = start()
    const columns = [
      { name: 'a', type: 'BIGINT UNSIGNED' },
      { name: 'b', type: 'DECIMAL(10,6)' },
      { name: 'c', type: 'STRING' },
    ]
    const name = { tenant, database: 'plant', name: 'x_ref' }
    const files = { columns, fileType: 'CSV', hasHeader: true, location: '/data/' }
    const options = { db: 'plant', table: 'air', event_time_column: 'time' }
    others.run(
      (state) => createExternalTable(state, { ...name, ...files }, false),
      (state) =>
        createStreamTable(
          state,
          { ...name, name: 'y', columns: [{ name: 'time', type: 'TIMESTAMP' }], options },
          false,
        ),
    )
    expect(rows('rita', 'tables', others)?.map((row) => row[4])).toEqual(['TSKV', 'EXTERNAL', 'STREAM'])
    expect(rows('rita', 'columns', others)?.slice(3)).toEqual([
      [tenant, 'plant', 'x_ref', 'a', 'FIELD', 0, 'NULL', true, 'UInt64', null],
      [tenant, 'plant', 'x_ref', 'b', 'FIELD', 1, 'NULL', true, 'Decimal128(10, 6)', null],
      [tenant, 'plant', 'x_ref', 'c', 'FIELD', 2, 'NULL', true, 'Utf8', null],
      [tenant, 'plant', 'y', 'time', 'FIELD', 0, 'UNKNOWN', true, 'Timestamp(Nanosecond, None)', null],
    ])
  })
})

describe('cluster_schema', () => {
  it('shows options as CnosDB’s JSON, and never a hash', () => {
    const cluster = start()
    cluster.run(
      (state) => alterTenant(state, tenant, { comment: "it's", dropAfter: '7d' }),
      (state, context) => dropTenant(state, tenant, { ifExists: false, after: 5n }, context),
    )
    expect(see('root', 'cluster_schema', 'tenants', cluster)?.rows).toEqual([
      [
        'acme',
        '{"comment":"it\'s","limiter_config":null,"drop_after":{"duration":{"secs":604800,"nanos":0},"is_inf":false},"tenant_is_hidden":true}',
      ],
      ['cnosdb', '{"comment":"system tenant","limiter_config":null,"drop_after":null,"tenant_is_hidden":false}'],
    ])
    expect(see('root', 'cluster_schema', 'users')?.rows.at(-1)).toEqual([
      'root',
      true,
      '{"hash_password":"*****","must_change_password":false,"comment":"system admin","granted_admin":true}',
    ])
    expect(JSON.stringify(see('root', 'cluster_schema', 'users')?.rows)).not.toContain('$2b')
  })

  it('has no rows for others', () => {
    const others = start()
    others.run((state) => addMember(state, { tenant: 'cnosdb', user: 'olga', role: 'owner' }))
    for (const what of ['tenants', 'users']) expect(see('olga', 'cluster_schema', what, others)?.rows).toEqual([])
  })
})

it('queries are seen by their user, owners of their tenant, and administrators', () => {
  const query = (name: string, where: string): ListedQuery => ({
    queryId: 1n,
    queryType: 'batch',
    queryText: 'SELECT 1',
    user: name,
    tenant: where,
    database: 'plant',
    state: 'RUNNING',
    durationSeconds: 1,
    processedCount: 0n,
    errorCount: 0n,
    percent: -1,
  })
  const queries = [query('rita', tenant), query('max', tenant), query('root', 'cnosdb')]
  const seen = (name: string) =>
    visibleQueries({ principal: resolvePrincipal(catalog.state, name, tenant), queries }).map(({ user: by }) => by)
  expect(seen('root')).toEqual(['rita', 'max', 'root'])
  expect(seen('olga')).toEqual(['rita', 'max'])
  expect(seen('rita')).toEqual(['rita'])
  expect(seen('gus')).toEqual([])
  const [first] = see('olga', 'information_schema', 'queries', catalog, queries)?.rows ?? []
  expect(first?.slice(0, 5)).toEqual(['1', 'batch', 'SELECT 1', catalog.state.users.get('["rita"]')?.id, 'rita'])
})
