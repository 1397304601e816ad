import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTestDatabase, type TestDatabase } from './open-test-database.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await openTestDatabase()
  await db.run('CREATE TABLE air (temp DOUBLE, TAGS (station))')
  await db.run("INSERT INTO air (time, station, temp) VALUES (1, 's1', 1.5)")
})
afterAll(() => db[Symbol.asyncDispose]())

/** `name` or `name TYPE` of each column, in order; text where no type is told. */
async function headingsOf(sql: string): Promise<string> {
  const session = await db.database.authenticate({ user: 'root', password: 'root' })
  const result = await db.database.execute(session, sql)
  if (result.kind === 'none') return ''
  await result.all()
  return result.columns.map(({ name, type }) => (type === 'VARCHAR' ? name : `${name} ${type}`)).join(', ')
}

describe('columns of', () => {
  it.each([
    [
      'SELECT * FROM information_schema.databases',
      'tenant_name, database_name, ttl, shard UBIGINT, vnode_duration, replica UBIGINT, precision, max_memcache_size, memcache_partitions UBIGINT, wal_max_file_size, wal_sync BOOLEAN, strict_write BOOLEAN, max_cache_readers UBIGINT',
    ],
    [
      'SELECT * FROM information_schema.tables',
      'table_tenant, table_database, table_name, table_type, table_engine, table_options',
    ],
    [
      'SELECT * FROM information_schema.columns',
      'tenant_name, database_name, table_name, column_name, column_type, ordinal_position UBIGINT, column_default, is_nullable BOOLEAN, data_type, compression_codec',
    ],
    ['SELECT * FROM information_schema.roles', 'role_name, role_type, inherit_role'],
    ['SELECT * FROM information_schema.members', 'user_name, role_name'],
    ['SELECT * FROM information_schema.database_privileges', 'tenant_name, database_name, privilege_type, role_name'],
    ['SELECT * FROM information_schema.enabled_roles', 'role_name'],
    [
      'SELECT * FROM information_schema.queries',
      'query_id, query_type, query_text, user_id, user_name, tenant_id, tenant_name, database_name, state, duration DOUBLE, processed_count UBIGINT, error_count UBIGINT',
    ],
    ['SELECT * FROM information_schema.resource_status', 'time, name, action, try_count, status, comment'],
    ['SELECT * FROM cluster_schema.tenants', 'tenant_name, tenant_options'],
    ['SELECT * FROM cluster_schema.users', 'user_name, is_admin BOOLEAN, user_options'],
    ['SHOW DATABASES', 'database_name'],
    ['SHOW TABLES', 'table_name'],
    [
      'DESCRIBE DATABASE public',
      'ttl, shard, vnode_duration, replica, precision, max_memcache_size, memcache_partitions, wal_max_file_size, wal_sync, strict_write, max_cache_readers',
    ],
    ['DESCRIBE TABLE air', 'column_name, data_type, column_type, compression_codec'],
    ['DESC TABLE air', 'column_name, data_type, column_type, compression_codec'],
    ['SHOW SERIES FROM air', 'key'],
    ['SHOW TAG VALUES FROM air WITH KEY = station', 'key, value'],
    // The last two are ours.
    [
      'SHOW QUERIES',
      'query_id, query_type, query_text, user_name, tenant_name, database_name, state, duration DOUBLE, processed_count UBIGINT, progress DOUBLE',
    ],
    ["INSERT INTO air (time, station, temp) VALUES (2, 's', 1)", 'rows UBIGINT'],
    ["UPDATE air SET temp = 2.5 WHERE station = 's'", 'rows UBIGINT'],
    ['DELETE FROM air WHERE time = 2', ''],
  ])('%s', async (sql, expected) => {
    expect(await headingsOf(sql)).toBe(expected)
  })
})
