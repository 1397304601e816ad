import { printDatabaseSettings } from './database-settings.ts'
import { type ListedQuery, readableDatabases, visibleQueries } from './information-schema.ts'
import type { Principal } from './privileges.ts'
import { type CatalogState, type DatabaseEntry, findDatabase, type TableEntry, tablesOf } from './state.ts'
import type { SystemTable } from './system-table.ts'

const text = (...names: string[]): SystemTable['columns'] => names.map((name) => ({ name, type: 'VARCHAR' }))

/** SHOW DATABASES: sorted, without information_schema. */
export function showDatabases(state: CatalogState, principal: Principal): SystemTable {
  return { columns: text('database_name'), rows: readableDatabases({ state, principal }).map(({ name }) => [name]) }
}

/** SHOW TABLES: sorted; an unknown database gives no rows, as CnosDB does. */
export function showTables(state: CatalogState, tenant: string, database: string): SystemTable {
  const names = findDatabase(state, tenant, database) ? tablesOf(state, tenant, database).map(({ name }) => name) : []
  return { columns: text('table_name'), rows: names.sort().map((name) => [name]) }
}

/** DESCRIBE DATABASE. */
export function describeDatabase({ settings }: DatabaseEntry): SystemTable {
  const printed = printDatabaseSettings(settings)
  return {
    columns: text(
      'ttl',
      'shard',
      'vnode_duration',
      'replica',
      'precision',
      'max_memcache_size',
      'memcache_partitions',
      'wal_max_file_size',
      'wal_sync',
      'strict_write',
      'max_cache_readers',
    ),
    rows: [Object.values(printed).map(String)],
  }
}

/** DESCRIBE TABLE. */
export function describeTable(table: TableEntry): SystemTable {
  const columns = text('column_name', 'data_type', 'column_type', 'compression_codec')
  if (table.engine === 'TSKV') {
    return {
      columns,
      rows: table.schema.columns.map(({ name, type, kind, codec }) => [name, type, kind.toUpperCase(), codec]),
    }
  }
  return { columns, rows: table.columns.map(({ name, type }) => [name, type, 'FIELD', null]) }
}

/** SHOW QUERIES; `processed_count` and `progress` (percent, null while unknown) are ours. */
export function showQueries(principal: Principal, queries: readonly ListedQuery[]): SystemTable {
  return {
    columns: [
      ...text('query_id', 'query_type', 'query_text', 'user_name', 'tenant_name', 'database_name', 'state'),
      { name: 'duration', type: 'DOUBLE' },
      { name: 'processed_count', type: 'UBIGINT' },
      { name: 'progress', type: 'DOUBLE' },
    ],
    rows: visibleQueries({ principal, queries }).map((query) => [
      String(query.queryId),
      query.queryType,
      query.queryText,
      query.user,
      query.tenant,
      query.database,
      query.state,
      query.durationSeconds,
      query.processedCount,
      query.percent < 0 ? null : query.percent,
    ]),
  }
}
