import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Database } from '../../src/database.ts'
import { printIdentifier, printString } from '../../src/sql/printer.ts'
import { splitScript } from '../../src/sql/script.ts'
import { openTestDatabase } from './open-test-database.ts'

async function replay(database: Database, script: string): Promise<void> {
  let session = await database.authenticate({ user: 'root', password: 'root' })
  for (const item of splitScript(script)) {
    if (item.kind === 'change-tenant') {
      session = await database.authenticate({ user: 'root', password: 'root', tenant: item.name })
    } else if (item.kind === 'statement') {
      await database.execute(session, item.text)
    }
  }
}

async function dump(database: Database): Promise<string> {
  return database.dumpDdl(await database.authenticate({ user: 'root', password: 'root' }))
}

async function dumpAfterReplay(script: string): Promise<string> {
  await using test = await openTestDatabase()
  await replay(test.database, script)
  return dump(test.database)
}

const name = fc
  .string({
    unit: fc.constantFrom('a', 'B', '"', "'", ' ', ';', '-', '\\', 'é', '漢', '.', '%', '0'),
    minLength: 1,
    maxLength: 8,
  })
  .filter((text) => text.trim() !== '' && !['owner', 'member', 'time'].includes(text))
const text = fc.string({ unit: fc.constantFrom('a', "'", '"', ';', '\n', '-', 'é'), maxLength: 10 })
const uniqueNames = (max: number) => fc.uniqueArray(name, { maxLength: max, selector: (value) => value.toLowerCase() })

const TYPES = [
  'DOUBLE CODEC(GORILLA)',
  'BIGINT',
  'BIGINT UNSIGNED CODEC(DELTA)',
  'STRING CODEC(ZSTD)',
  'BOOLEAN',
  'GEOMETRY(POINT, 0)',
] as const

const table = fc.record({
  name,
  columns: fc.uniqueArray(name, { minLength: 1, maxLength: 5, selector: (value) => value.toLowerCase() }),
  types: fc.array(fc.constantFrom(...TYPES), { minLength: 5, maxLength: 5 }),
  tags: fc.nat(2),
})
const database = fc.record({
  name,
  ttl: fc.constantFrom('INF', '30d', '1d 12h', '365d'),
  precision: fc.constantFrom('ns', 'us', 'ms'),
  tables: fc.uniqueArray(table, { maxLength: 3, selector: (value) => value.name }),
})
const tenant = fc.record({
  name: name.filter((value) => value !== 'cnosdb'),
  comment: text,
  databases: fc.uniqueArray(database, { maxLength: 2, selector: (value) => value.name }),
  roles: uniqueNames(2),
})
const cluster = fc.record({
  tenants: fc.uniqueArray(tenant, { maxLength: 2, selector: (value) => value.name }),
  users: fc.uniqueArray(name, { maxLength: 2 }),
})

function scriptOf({ tenants, users }: typeof cluster extends fc.Arbitrary<infer T> ? T : never): string {
  const lines: string[] = []
  for (const user of users.filter((value) => value !== 'root'))
    lines.push(`CREATE USER ${printIdentifier(user)} WITH comment = 'x', hash_password = '$2b$12$x'`)
  for (const { name: tenantName, comment, databases, roles } of tenants) {
    lines.push(
      `CREATE TENANT ${printIdentifier(tenantName)} WITH comment = ${printString(comment)}, drop_after = '7d', object_config max_databases = 9`,
    )
    lines.push(`\\change_tenant "${tenantName.replaceAll('"', '""')}"\n`)
    for (const { name: databaseName, ttl, precision, tables } of databases) {
      lines.push(`CREATE DATABASE ${printIdentifier(databaseName)} WITH TTL '${ttl}' PRECISION '${precision}'`)
      for (const { name: tableName, columns, types, tags } of tables) {
        const tagNames = columns.slice(1, 1 + tags)
        const fields = columns
          .filter((column) => !tagNames.includes(column))
          .map((column, i) => `${printIdentifier(column)} ${types[i]}`)
        lines.push(
          `CREATE TABLE ${printIdentifier(databaseName)}.${printIdentifier(tableName)} (${fields.join(', ')}, TAGS(${tagNames.map(printIdentifier).join(', ')}))`,
        )
      }
    }
    for (const role of roles) {
      lines.push(`CREATE ROLE ${printIdentifier(role)} INHERIT member`)
      for (const { name: databaseName } of databases)
        lines.push(`GRANT WRITE ON DATABASE ${printIdentifier(databaseName)} TO ${printIdentifier(role)}`)
    }
    for (const user of users.filter((value) => value !== 'root')) {
      lines.push(
        `ALTER TENANT ${printIdentifier(tenantName)} ADD USER ${printIdentifier(user)} AS ${printIdentifier(roles[0] ?? 'owner')}`,
      )
    }
  }
  return lines.map((line) => (line.startsWith('\\') ? line : `${line};\n`)).join('')
}

describe('the DDL dump', () => {
  it('of any cluster, replayed into an empty server, gives the same dump', async () => {
    await fc.assert(
      fc.asyncProperty(cluster, async (generated) => {
        const first = await dumpAfterReplay(scriptOf(generated))
        expect(await dumpAfterReplay(first)).toBe(first)
      }),
      { numRuns: 5 },
    )
  })

  it('replays limits that were set after what they limit, and changes of the first objects', async () => {
    const first = await dumpAfterReplay(`create tenant "acme";
\\change_tenant acme
create database "a";
create database "b";
create table "a"."t" ("v" BIGINT, tags ());
alter table "a"."t" alter "time" set codec(DELTATS);
alter tenant "acme" set object_config max_databases = 1 max_retention_time = 30, http_queries remote_initial = 1 remote_refill = 2 remote_interval = 3 local_initial = 4;
\\change_tenant cnosdb
alter database "public" set ttl '30d';
alter database "usage_schema" set shard 2;
alter tenant "cnosdb" set comment='ours';
alter user "root" set comment='the boss';
`)
    for (const line of [
      'alter tenant "acme" set object_config max_databases = 1 max_retention_time = 30;',
      `alter database "public" set ttl '30days';`,
      `alter user "root" set comment='the boss';`,
    ]) {
      expect(first.split('\n')).toContain(line)
    }
    expect(await dumpAfterReplay(first)).toBe(first)
  })

  it('replays a dump as CnosDB 2.4 writes it', async () => {
    const dumped = await dumpAfterReplay(`-- Dump Global Object
create tenant if not exists "acme" with comment='it''s a test', drop_after='7days';
create user "anna" with hash_password='$2b$12$................................', must_change_password=false, granted_admin=false;
create user "bob" with comment='ops', must_change_password=true, granted_admin=true;
-- Dump Tenant acme Object
\\change_tenant acme
create database if not exists "plant" with precision 'MS' max_memcache_size '128 MiB' memcache_partitions 8 wal_max_file_size '128 MiB' wal_sync 'false' strict_write 'false' max_cache_readers 32 ttl '11months 30days 3h 50m 24s' shard 2 replica 1 vnode_duration '1year';
create role "lead" inherit member;
grant All on database "plant" to "lead";
create role "reader";
grant Read on database "plant" to "reader";
alter tenant "acme" add user "anna" as "reader";
alter tenant "acme" add user "bob" as "owner";
create table "plant"."air" ("temp" DOUBLE CODEC(GORILLA), "n" BIGINT UNSIGNED, tags ("station"));
create external table "plant"."ref" ("k" BIGINT, "v" STRING) stored as CSV with header row delimiter ',' location '/data/ref.csv';
create stream table "plant"."air_s" ("time" TIMESTAMP, "station" STRING, "temp" DOUBLE) with (db='plant', table='air', event_time_column='time') engine = tskv;
-- Dump Tenant cnosdb Object
\\change_tenant cnosdb
`)
    for (const line of [
      `create tenant if not exists "acme" with comment='it''s a test', drop_after='7days';`,
      `ttl '11months 30days 3h 50m 24s' shard 2 replica 1 vnode_duration '1year';`,
      `create table if not exists "plant"."air" ("temp" DOUBLE CODEC(GORILLA), "n" BIGINT UNSIGNED, tags ("station"));`,
      `create external table if not exists "plant"."ref" ("k" BIGINT, "v" STRING) stored as CSV with header row delimiter ',' location '/data/ref.csv';`,
      `create stream table if not exists "plant"."air_s" ("time" TIMESTAMP, "station" STRING, "temp" DOUBLE) with (db='plant', table='air', event_time_column='time') engine = tskv;`,
    ]) {
      expect(dumped).toContain(line)
    }
  })
})
