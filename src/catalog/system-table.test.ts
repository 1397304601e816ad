import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startCatalog } from '../../test/catalog/catalog-fixture.ts'
import { openEngine } from '../engine/duckdb.ts'
import type { Engine } from '../engine/engine.ts'
import { systemTable } from './information-schema.ts'
import { resolvePrincipal } from './privileges.ts'
import { describeDatabase, describeTable, showDatabases, showQueries, showTables } from './show.ts'
import { requireDatabase, requireTable } from './state.ts'
import { type SystemTable, systemTableRelation, systemTableSelect } from './system-table.ts'
import { createTable } from './tables.ts'

let folder: string
let engine: Engine

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'system-table-'))
  engine = await openEngine({
    path: join(folder, 'x.duckdb'),
    memoryBytes: 512 * 1024 ** 2,
    tempDirectory: join(folder, 'tmp'),
    tempBytes: 1024 ** 3,
    maxQueries: 4,
  })
})
afterAll(async () => {
  await engine.close()
  await rm(folder, { recursive: true })
})

const TYPES: SystemTable['columns'] = [
  { name: 't', type: 'VARCHAR' },
  { name: 'u "quoted"', type: 'UBIGINT' },
  { name: 'b', type: 'BOOLEAN' },
  { name: 'd', type: 'DOUBLE' },
]

describe('a system table in the engine', () => {
  it('has exact types, also without rows', async () => {
    for (const rows of [[], [['x', 1n, true, 1.5]], [[null, null, null, null]]]) {
      const table: SystemTable = { columns: TYPES, rows }
      expect(await engine.describe(systemTableSelect(table))).toEqual(TYPES)
      expect(await engine.all(systemTableSelect(table))).toHaveLength(rows.length)
      expect(systemTableRelation(table).columns).toEqual(TYPES)
    }
  })

  it('keeps every value', async () => {
    const texts = ["it's", '"', '', 'a\0b', '\0', 'é漢\n', "'; DROP TABLE x; --", '\\']
    const rows = texts.map((text) => [text, 18446744073709551615n, false, 1e-7])
    const read = await engine.all(
      `SELECT t, "u ""quoted""" AS u, d FROM (${systemTableSelect({ columns: TYPES, rows })})`,
    )
    expect(read).toEqual(texts.map((t) => ({ t, u: 18446744073709551615n, d: 1e-7 })))
  })

  it('of every kind can be selected from', async () => {
    const catalog = startCatalog()
    const air = { tenant: 'cnosdb', database: 'public', name: "a'ir" }
    const fields = [{ name: 'p', type: 'GEOMETRY(POINT, 0)' }]
    catalog.run((state, context) => createTable(state, air, { ifNotExists: false, fields, tags: ['s'] }, context))
    const { state } = catalog
    const principal = resolvePrincipal(state, 'root', 'cnosdb')
    const query = {
      queryId: 7n,
      queryType: 'batch',
      queryText: "SELECT 'x\0'",
      user: 'root',
      tenant: 'cnosdb',
      database: 'public',
      state: 'RUNNING',
      durationSeconds: 0.25,
      processedCount: 3n,
      errorCount: 0n,
      percent: -1,
    } as const
    const view = { state, principal, queries: [query] }
    const names = [
      'databases',
      'tables',
      'columns',
      'roles',
      'members',
      'database_privileges',
      'enabled_roles',
      'queries',
      'resource_status',
    ]
    const tables = [
      ...names.map((name) => systemTable('information_schema', name, view)),
      ...['tenants', 'users'].map((name) => systemTable('cluster_schema', name, view)),
      showDatabases(state, principal),
      showTables(state, 'cnosdb', 'public'),
      showQueries(principal, [query]),
      describeDatabase(requireDatabase(state, 'cnosdb', 'public')),
      describeTable(requireTable(state, 'cnosdb', 'public', "a'ir")),
    ]
    for (const table of tables) {
      if (!table) throw new Error('a system table is missing')
      expect(await engine.describe(systemTableSelect(table))).toEqual(table.columns)
      expect(await engine.all(systemTableSelect(table))).toHaveLength(table.rows.length)
    }
  })
})
