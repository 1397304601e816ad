import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../async/clock.ts'
import { openEngine } from '../engine/duckdb.ts'
import type { Engine } from '../engine/engine.ts'
import { isCnosError } from '../errors/cnos-error.ts'
import type { ErrorName } from '../errors/codes.ts'
import { type Catalog, openCatalog } from './catalog.ts'
import { alterDatabase, createDatabase, dropDatabase, recoverDatabase, sweepDueDrops } from './databases.ts'
import { dumpDdl } from './dump.ts'
import { systemTable } from './information-schema.ts'
import { mayUseDatabase, resolvePrincipal } from './privileges.ts'
import { createRole, grantPrivileges, revokePrivileges } from './roles.ts'
import { findTable, requireTable } from './state.ts'
import { alterTable, createTable, dropTable } from './tables.ts'
import { addMember, createTenant, dropTenant } from './tenants.ts'
import { createUser, dropUser } from './users.ts'

let folder: string
let engine: Engine
let catalog: Catalog

const open = async () => {
  engine = await openEngine({
    path: join(folder, 'x.duckdb'),
    memoryBytes: 512 * 1024 ** 2,
    tempDirectory: join(folder, 'tmp'),
    tempBytes: 1024 ** 3,
    maxQueries: 4,
  })
  catalog = await openCatalog(engine, { clock: systemClock, hashRootPassword: async () => '$2b$hash' })
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'catalog-'))
  await open()
})

afterEach(async () => {
  await engine.close()
  await rm(folder, { recursive: true })
})

const refusedWith = (name: ErrorName) => (error: unknown) => isCnosError(error, name)
const air = { tenant: 'cnosdb', database: 'public', name: 'air' }
const createAir = () =>
  catalog.change((state, context) =>
    createTable(
      state,
      air,
      { ifNotExists: false, fields: [{ name: 'temp', type: 'DOUBLE', codec: 'GORILLA' }], tags: ['station'] },
      context,
    ),
  )

describe('catalog', () => {
  it('starts as every CnosDB does', () => {
    expect([...catalog.state.databases.values()].map(({ name }) => name).sort()).toEqual([
      'cluster_schema',
      'public',
      'usage_schema',
    ])
    expect(resolvePrincipal(catalog.state, 'root', 'cnosdb').isAdmin).toBe(true)
  })

  it('keeps metadata and the physical table together, across reopening', async () => {
    await createAir()
    const before = catalog.state
    await engine.close()
    await open()
    expect(catalog.state).toEqual(before)
    const table = requireTable(catalog.state, 'cnosdb', 'public', 'air')
    expect(table.engine === 'TSKV' && (await engine.describe(`SELECT * FROM data.${table.stored}`))).toEqual([
      { name: 'time', type: 'TIMESTAMP_NS' },
      { name: 'station', type: 'VARCHAR' },
      { name: 'temp', type: 'DOUBLE' },
    ])
  })

  it('never gives a physical name twice, also after reopening', async () => {
    await createAir()
    const first = requireTable(catalog.state, 'cnosdb', 'public', 'air')
    await catalog.change((state) => dropTable(state, air, { ifExists: false }))
    await engine.close()
    await open()
    await createAir()
    expect(requireTable(catalog.state, 'cnosdb', 'public', 'air')).not.toMatchObject({
      stored: (first as { stored: string }).stored,
    })
  })

  it('changes nothing when the engine refuses', async () => {
    const before = catalog.state
    await expect(
      catalog.change(() => ({ objects: [{ kind: 'users', key: '["x"]', value: {} }], ddl: ['CREATE TABLE broken ('] })),
    ).rejects.toThrow()
    expect(catalog.state).toBe(before)
    expect(await engine.all(`SELECT key FROM catalog.objects WHERE key = '["x"]'`)).toEqual([])
  })

  it('applies many changes at once one after the other, each on the state the one before left', async () => {
    const names = Array.from({ length: 20 }, (_, i) => `user ${i}`)
    await Promise.all(
      names.map((name) =>
        catalog.change((state, context) => createUser(state, name, { ifNotExists: false, written: {} }, context)),
      ),
    )
    const ids = [...catalog.state.users.values()].map(({ id }) => id)
    expect(ids).toHaveLength(21)
    expect(new Set(ids).size).toBe(21)
    await engine.close()
    const before = catalog.state
    await open()
    expect(catalog.state).toEqual(before)
  })

  it('keeps thousands of objects of one change, and one row each', async () => {
    const users = Array.from({ length: 1200 }, (_, i) => ({
      kind: 'users' as const,
      key: JSON.stringify([`it's ${i}`]),
      value: { name: `it's ${i}`, id: String(i) },
    }))
    await catalog.change(() => ({ objects: users }))
    await catalog.change(() => ({
      objects: [...users, ...users.slice(0, 600).map((user) => ({ ...user, value: undefined }))],
    }))
    expect(catalog.state.users.size).toBe(601)
    expect(await engine.all(`SELECT count(*) AS n FROM catalog.objects WHERE kind = 'users'`)).toEqual([{ n: 601n }])
    const before = catalog.state
    await engine.close()
    await open()
    expect(catalog.state).toEqual(before)
  })

  it('never changes a state it has handed out', async () => {
    const before = catalog.state
    const text = JSON.stringify(Object.values(before).map((objects: ReadonlyMap<string, unknown>) => [...objects]))
    await createAir()
    await catalog.change((state) => dropTable(state, air, { ifExists: false }))
    expect(JSON.stringify(Object.values(before).map((objects: ReadonlyMap<string, unknown>) => [...objects]))).toBe(
      text,
    )
  })

  it('leaves the queue when aborted before its turn', async () => {
    const stop = new AbortController()
    const first = createAir()
    const second = catalog.change(() => ({ objects: [{ kind: 'users', key: '["x"]', value: {} }] }), {
      signal: stop.signal,
    })
    stop.abort(new Error('no longer wanted'))
    await expect(second).rejects.toThrow('no longer wanted')
    await first
    expect(catalog.state.users.has('["x"]')).toBe(false)
  })

  it('does not let a later database inherit the privileges on a dropped one', async () => {
    const plant = { tenant: 'cnosdb', name: 'plant' }
    const create = () =>
      catalog.change((state) => createDatabase(state, plant, { ifNotExists: false, written: new Map() }))
    await create()
    await catalog.change((state) =>
      createRole(state, { ...plant, name: 'r' }, { ifNotExists: false, inherit: undefined }),
    )
    await catalog.change((state) =>
      grantPrivileges(state, { ...plant, name: 'r' }, [{ database: 'plant', privilege: 'All' }]),
    )
    await catalog.change((state, context) => dropDatabase(state, plant, { ifExists: false, after: 0n }, context))
    await catalog.change(sweepDueDrops)
    await create()
    expect(dumpDdl(catalog.state)).not.toContain('grant')
  })

  it('adds, renames and drops columns', async () => {
    await createAir()
    await catalog.change((state) =>
      alterTable(state, air, { kind: 'add-field', column: { name: 'n', type: 'BIGINT UNSIGNED' } }),
    )
    await catalog.change((state) => alterTable(state, air, { kind: 'add-tag', name: 'city' }))
    await catalog.change((state) => alterTable(state, air, { kind: 'rename-column', from: 'n', to: 'count' }))
    await catalog.change((state) => alterTable(state, air, { kind: 'set-codec', name: 'count', codec: 'DELTA' }))
    await catalog.change((state) => alterTable(state, air, { kind: 'drop-column', name: 'temp' }))
    const table = requireTable(catalog.state, 'cnosdb', 'public', 'air')
    expect(table.engine === 'TSKV' && table.schema.columns.map(({ name, kind, codec }) => [name, kind, codec])).toEqual(
      [
        ['time', 'time', 'DEFAULT'],
        ['station', 'tag', 'DEFAULT'],
        ['count', 'field', 'DELTA'],
        ['city', 'tag', 'DEFAULT'],
      ],
    )
    await expect(
      catalog.change((state) => alterTable(state, air, { kind: 'drop-column', name: 'count' })),
    ).rejects.toSatisfy(refusedWith('UNSUPPORTED'))
  })

  it.each([
    ['DUPLICATE_COLUMN', ['a', 'a'], 'BIGINT', undefined],
    ['UNSUPPORTED', ['a', 'A'], 'BIGINT', undefined],
    ['COLUMN_EXISTS', ['time'], 'BIGINT', undefined],
    ['COLUMN_EXISTS', ['ts'], 'TIMESTAMP', undefined],
    ['DATA_TYPE_NOT_ALLOWED', ['a'], 'INT', undefined],
    ['DATA_TYPE_NOT_ALLOWED', ['a'], 'GEOMETRY', undefined],
    ['CODEC_NOT_ALLOWED', ['a'], 'BIGINT', 'GORILLA'],
  ] as const)('refuses a table with %s', async (name, names, type, codec) => {
    const fields = names.map((field) => ({ name: field, type, codec }))
    await expect(
      catalog.change((state, context) => createTable(state, air, { ifNotExists: false, fields, tags: [] }, context)),
    ).rejects.toSatisfy(refusedWith(name))
    expect(findTable(catalog.state, 'cnosdb', 'public', 'air')).toBeUndefined()
  })

  it('hides a database dropped with a delay, recovers it, and sweeps it when due', async () => {
    const plant = { tenant: 'cnosdb', name: 'plant' }
    await catalog.change((state) =>
      createDatabase(state, plant, { ifNotExists: false, written: new Map([['ttl', '7d']]) }),
    )
    await catalog.change((state, context) =>
      dropDatabase(state, plant, { ifExists: false, after: 10n ** 15n }, context),
    )
    await expect(catalog.change((state) => alterDatabase(state, plant, new Map([['ttl', '1d']])))).rejects.toSatisfy(
      refusedWith('DATABASE_NOT_FOUND'),
    )
    await catalog.change((state) => recoverDatabase(state, plant, { ifExists: false }))
    await catalog.change((state) => alterDatabase(state, plant, new Map([['ttl', '1d']])))
    await catalog.change((state, context) => dropDatabase(state, plant, { ifExists: false, after: 0n }, context))
    await catalog.change((state, context) => sweepDueDrops(state, context))
    expect([...catalog.state.databases.values()].some(({ name }) => name === 'plant')).toBe(false)
  })

  it('grants, replaces and revokes, and forgets users and tenants whole', async () => {
    await catalog.change((state, context) => createTenant(state, 'acme', { ifNotExists: false, written: {} }, context))
    await catalog.change((state, context) => createUser(state, 'anna', { ifNotExists: false, written: {} }, context))
    await catalog.change((state) =>
      createDatabase(state, { tenant: 'acme', name: 'd' }, { ifNotExists: false, written: new Map() }),
    )
    const reader = { tenant: 'acme', name: 'reader' }
    await catalog.change((state) => createRole(state, reader, { ifNotExists: false, inherit: undefined }))
    await catalog.change((state) => addMember(state, { tenant: 'acme', user: 'anna', role: 'reader' }))
    const may = (privilege: 'Read' | 'Write') =>
      mayUseDatabase(resolvePrincipal(catalog.state, 'anna', 'acme'), 'd', privilege)
    expect([may('Read'), may('Write')]).toEqual([false, false])
    await catalog.change((state) => grantPrivileges(state, reader, [{ database: 'd', privilege: 'Write' }]))
    expect([may('Read'), may('Write')]).toEqual([true, true])
    await catalog.change((state) => grantPrivileges(state, reader, [{ database: 'd', privilege: 'Read' }]))
    expect([may('Read'), may('Write')]).toEqual([true, false])
    await expect(
      catalog.change((state) => revokePrivileges(state, reader, [{ database: 'd', privilege: 'Write' }])),
    ).rejects.toSatisfy(refusedWith('PRIVILEGE_NOT_GRANTED'))
    await catalog.change((state) => dropUser(state, 'anna', { ifExists: false }))
    expect(() => resolvePrincipal(catalog.state, 'anna', 'acme')).toThrow(/not found/)
    await catalog.change((state, context) => dropTenant(state, 'acme', { ifExists: false, after: undefined }, context))
    expect(dumpDdl(catalog.state)).not.toContain('acme')
  })

  it('shows tables to those who may read them, and users to administrators without their hashes', async () => {
    await createAir()
    const principal = resolvePrincipal(catalog.state, 'root', 'cnosdb')
    const view = { state: catalog.state, principal, queries: [] }
    expect(systemTable('INFORMATION_SCHEMA', 'Columns', view)?.rows).toEqual([
      ['cnosdb', 'public', 'air', 'time', 'TIME', 0, 'NULL', false, 'TIMESTAMP(NANOSECOND)', 'DEFAULT'],
      ['cnosdb', 'public', 'air', 'station', 'TAG', 1, 'NULL', true, 'STRING', 'DEFAULT'],
      ['cnosdb', 'public', 'air', 'temp', 'FIELD', 2, 'NULL', true, 'DOUBLE', 'GORILLA'],
    ])
    expect(JSON.stringify(systemTable('cluster_schema', 'users', view)?.rows)).not.toContain('$2b$hash')
    expect(systemTable('information_schema', 'constructor', view)).toBeUndefined()
  })
})
