import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Build, startCatalog } from '../../test/catalog/catalog-fixture.ts'
import { parseStatement } from '../sql/parser.ts'
import { splitScript } from '../sql/script.ts'
import { alterDatabase, createDatabase, dropDatabase } from './databases.ts'
import { dumpDdl } from './dump.ts'
import { createRole, grantPrivileges } from './roles.ts'
import type { CatalogState } from './state.ts'
import { alterTable, createExternalTable, createStreamTable, createTable } from './tables.ts'
import { addMember, alterTenant, createTenant, dropTenant, unsetTenantOption } from './tenants.ts'
import { alterUser, createUser } from './users.ts'

const acme = 'acme'
const database =
  (tenant: string, name: string, options: Readonly<Record<string, string | bigint>> = {}): Build =>
  (state) =>
    createDatabase(state, { tenant, name }, { ifNotExists: false, written: new Map(Object.entries(options)) })
const user =
  (name: string, written = {}): Build =>
  (state, context) =>
    createUser(state, name, { ifNotExists: false, written }, context)
const tenant =
  (name: string, written = {}): Build =>
  (state, context) =>
    createTenant(state, name, { ifNotExists: false, written }, context)
const air = { tenant: acme, database: 'plant', name: 'air' }

const SMALL_CLUSTER: readonly Build[] = [
  tenant(acme, { comment: "it's a test", dropAfter: '7d' }),
  user('bob', { comment: 'ops', mustChangePassword: true, grantedAdmin: true }),
  user('anna', { hashPassword: '$2b$12$................................' }),
  database(acme, 'plant', { precision: 'ms', memcache_partitions: 8n, ttl: '365 Days', shard: 2n }),
  (state) => createRole(state, { tenant: acme, name: 'reader' }, { ifNotExists: false, inherit: undefined }),
  (state) => createRole(state, { tenant: acme, name: 'lead' }, { ifNotExists: false, inherit: 'member' }),
  (state) => grantPrivileges(state, { tenant: acme, name: 'lead' }, [{ database: 'plant', privilege: 'All' }]),
  (state) => grantPrivileges(state, { tenant: acme, name: 'reader' }, [{ database: 'plant', privilege: 'Read' }]),
  (state) => addMember(state, { tenant: acme, user: 'bob', role: 'owner' }),
  (state) => addMember(state, { tenant: acme, user: 'anna', role: 'reader' }),
  (state, context) =>
    createTable(
      state,
      air,
      {
        ifNotExists: false,
        fields: [
          { name: 'temp', type: 'DOUBLE', codec: 'GORILLA' },
          { name: 'n', type: 'BIGINT UNSIGNED' },
        ],
        tags: ['station'],
      },
      context,
    ),
  (state) =>
    createStreamTable(
      state,
      {
        ...air,
        name: 'a_stream',
        columns: [
          { name: 'time', type: 'TIMESTAMP' },
          { name: 'temp', type: 'DOUBLE' },
        ],
        options: { watermark_delay: '5000ms', db: 'plant', table: 'air', event_time_column: 'time' },
      },
      false,
    ),
  (state) =>
    createExternalTable(
      state,
      {
        ...air,
        name: 'ref',
        columns: [
          { name: 'k', type: 'BIGINT' },
          { name: 'v', type: 'STRING' },
        ],
        fileType: 'CSV',
        hasHeader: true,
        delimiter: ',',
        compression: 'GZIP',
        location: "/data/it's.csv",
      },
      false,
    ),
]

const FIRST_DATABASE = (name: string) =>
  `create database if not exists "${name}" with precision 'NS' max_memcache_size '128 MiB' memcache_partitions 2 wal_max_file_size '128 MiB' wal_sync 'false' strict_write 'false' max_cache_readers 32 ttl 'INF' shard 1 replica 1 vnode_duration '1year';`

const SYSTEM_TENANT_DUMP = `-- Dump Tenant cnosdb Object
\\change_tenant cnosdb
${FIRST_DATABASE('cluster_schema')}
${FIRST_DATABASE('usage_schema')}
`

function dumpOf(...builds: readonly Build[]): string {
  return dumpDdl(startCatalog().run(...builds))
}

/** Every line but comments and meta-commands is a statement our parser reads. */
function statementsOf(dump: string): number {
  const statements = [...splitScript(dump)].flatMap((item) => (item.kind === 'statement' ? [item.text] : []))
  for (const text of statements) parseStatement(text)
  return statements.length
}

describe('the dump', () => {
  it('of a fresh server', () => {
    expect(dumpOf()).toBe(`-- Dump Global Object\n${SYSTEM_TENANT_DUMP}`)
  })

  it('of a small cluster', () => {
    expect(dumpOf(...SMALL_CLUSTER)).toBe(`-- Dump Global Object
create tenant if not exists "acme" with comment='it''s a test', drop_after='7days';
create user if not exists "anna" with hash_password='$2b$12$................................', must_change_password=false, granted_admin=false;
create user if not exists "bob" with comment='ops', must_change_password=true, granted_admin=true;
-- Dump Tenant acme Object
\\change_tenant acme
create database if not exists "plant" with precision 'MS' max_memcache_size '128 MiB' memcache_partitions 8 wal_max_file_size '128 MiB' wal_sync 'false' strict_write 'false' max_cache_readers 32 ttl '11months 30days 3h 50m 24s' shard 2 replica 1 vnode_duration '1year';
create role if not exists "lead" inherit member;
grant All on database "plant" to "lead";
create role if not exists "reader";
grant Read on database "plant" to "reader";
alter tenant "acme" add user "anna" as "reader";
alter tenant "acme" add user "bob" as "owner";
create table if not exists "plant"."air" ("temp" DOUBLE CODEC(GORILLA), "n" BIGINT UNSIGNED, tags ("station"));
create external table if not exists "plant"."ref" ("k" BIGINT, "v" STRING) stored as CSV with header row delimiter ',' compression type GZIP location '/data/it''s.csv';
create stream table if not exists "plant"."a_stream" ("time" TIMESTAMP, "temp" DOUBLE) with (db='plant', table='air', event_time_column='time', watermark_delay='5000ms') engine = tskv;
${SYSTEM_TENANT_DUMP}`)
  })

  it('of one tenant has its members and nobody else', () => {
    const state = startCatalog().run(...SMALL_CLUSTER, user('zoe'), tenant('other'), database('other', 'd'))
    const dump = dumpDdl(state, { tenant: acme })
    expect(dump).toBe(dumpOf(...SMALL_CLUSTER).replace(SYSTEM_TENANT_DUMP, ''))
    expect(dumpDdl(state, { tenant: 'nowhere' })).toBe('-- Dump Global Object\n')
  })

  it('sets limits when all that they limit is there', () => {
    const dump = dumpOf(...SMALL_CLUSTER, (state) =>
      alterTenant(state, acme, {
        objectConfig: new Map([
          ['max_databases', 1n],
          ['max_retention_time', 30n],
        ]),
        requestConfig: new Map([
          [
            'http_queries',
            new Map([
              ['remote_initial', 1n],
              ['remote_refill', 2n],
              ['remote_interval', 3n],
              ['local_initial', 4n],
            ]),
          ],
        ]),
      }),
    )
    expect(dump).toContain(`engine = tskv;
alter tenant "acme" set object_config max_databases = 1 max_retention_time = 30;
alter tenant "acme" set http_queries remote_initial = 1 remote_refill = 2 remote_interval = 3 local_initial = 4;
-- Dump Tenant cnosdb Object
`)
    statementsOf(dump)
  })

  it('says what was changed in the objects every server is born with, but not how root signs in', () => {
    const dump = dumpOf(
      (state) => alterDatabase(state, { tenant: 'cnosdb', name: 'public' }, new Map([['ttl', '30d']])),
      (state) => alterDatabase(state, { tenant: 'cnosdb', name: 'public' }, new Map([['shard', 3n]])),
      (state) => alterDatabase(state, { tenant: 'cnosdb', name: 'usage_schema' }, new Map([['vnode_duration', '1d']])),
      (state) => unsetTenantOption(state, 'cnosdb', 'comment'),
      (state) => alterTenant(state, 'cnosdb', { dropAfter: 'INF' }),
      (state) => alterUser(state, 'root', { hashPassword: '$2b$12$secret', comment: "it's", rsaPublicKey: 'secret' }),
    )
    expect(dump).toBe(`-- Dump Global Object
alter user "root" set comment='it''s';
-- Dump Tenant cnosdb Object
\\change_tenant cnosdb
alter tenant "cnosdb" unset comment;
alter tenant "cnosdb" set drop_after='INF';
${FIRST_DATABASE('cluster_schema')}
alter database "public" set ttl '30days';
alter database "public" set shard 3;
${FIRST_DATABASE('usage_schema')}
alter database "usage_schema" set vnode_duration '1day';
`)
    expect(statementsOf(dump)).toBe(8)
  })

  it('leaves out what is being dropped, and the privileges on it', () => {
    const dump = dumpOf(
      ...SMALL_CLUSTER,
      tenant('gone'),
      (state, context) => dropTenant(state, 'gone', { ifExists: false, after: 9n }, context),
      (state, context) => dropDatabase(state, { tenant: acme, name: 'plant' }, { ifExists: false, after: 9n }, context),
    )
    expect(dump).not.toContain('gone')
    expect(dump).not.toContain('plant')
    expect(dump).toContain('create role if not exists "lead" inherit member;')
  })

  it('spells geometries with their sub-type, and codecs of time as ALTER TABLE', () => {
    const shape = { ...air, name: 'shape' }
    const dump = dumpOf(
      ...SMALL_CLUSTER,
      (state, context) =>
        createTable(
          state,
          shape,
          { ifNotExists: false, fields: [{ name: 'p', type: 'GEOMETRY(POINT, 0)', codec: 'ZSTD' }], tags: [] },
          context,
        ),
      (state) => alterTable(state, shape, { kind: 'set-codec', name: 'time', codec: 'DELTATS' }),
    )
    expect(dump).toContain(`create table if not exists "plant"."shape" ("p" GEOMETRY(POINT, 0) CODEC(ZSTD), tags ());
alter table "plant"."shape" alter "time" set codec(DELTATS);
`)
    statementsOf(dump)
  })

  it('quotes a tenant that \\change_tenant would take for another', () => {
    for (const [name, line] of [
      ['a b', '\\change_tenant a b'],
      ['a"b', '\\change_tenant a"b'],
      ['"a"', '\\change_tenant """a"""'],
      [' a', '\\change_tenant " a"'],
    ] as const) {
      const dump = dumpOf(tenant(name))
      expect(dump.split('\n')).toContain(line)
      expect([...splitScript(dump)]).toContainEqual(expect.objectContaining({ kind: 'change-tenant', name }))
    }
  })
})

const shuffled = (state: CatalogState): fc.Arbitrary<CatalogState> =>
  fc
    .tuple(
      ...Object.entries(state).map(([kind, objects]: [string, ReadonlyMap<string, unknown>]) =>
        fc
          .shuffledSubarray([...objects], { minLength: objects.size })
          .map((entries) => [kind, new Map(entries)] as const),
      ),
    )
    .map((kinds) => Object.fromEntries(kinds) as unknown as CatalogState)

it('does not depend on the order in which objects were made', () => {
  const state = startCatalog().run(...SMALL_CLUSTER, tenant('b'), database('b', 'd'), database(acme, 'aa'))
  const expected = dumpDdl(state)
  fc.assert(
    fc.property(shuffled(state), (other) => {
      expect(dumpDdl(other)).toBe(expected)
    }),
  )
})

const name = fc
  .string({
    unit: fc.constantFrom('a', 'B', '"', "'", ' ', ';', '-', '\\', 'é', '漢', '.', '%', '(', '0'),
    maxLength: 8,
  })
  .filter((text) => text.trim() !== '')

it('holds one statement a line, whatever the names', () => {
  fc.assert(
    fc.property(name, name, name, name, (one, two, three, four) => {
      fc.pre(one !== 'cnosdb' && two !== 'root' && !['owner', 'member'].includes(three))
      const dump = dumpOf(
        tenant(one, { comment: four }),
        user(two, { hashPassword: four }),
        database(one, three),
        (state) => createRole(state, { tenant: one, name: three }, { ifNotExists: false, inherit: undefined }),
        (state) => grantPrivileges(state, { tenant: one, name: three }, [{ database: three, privilege: 'Write' }]),
        (state) => addMember(state, { tenant: one, user: two, role: three }),
        (state, context) =>
          createTable(
            state,
            { tenant: one, database: three, name: four },
            { ifNotExists: false, fields: [{ name: one, type: 'DOUBLE' }], tags: [`${one}${two}`] },
            context,
          ),
      )
      expect(statementsOf(dump)).toBe(9)
      expect(dump.split('\n')).toHaveLength(9 + 5 + 1)
    }),
  )
})
