import { describe, expect, it } from 'vitest'
import { type Build, NOW_NS, startCatalog } from '../../test/catalog/catalog-fixture.ts'
import {
  alterDatabase,
  createDatabase,
  dropDatabase,
  isSystemDatabase,
  recoverDatabase,
  sweepDueDrops,
} from './databases.ts'
import { createRole, grantPrivileges } from './roles.ts'
import { findDatabase, keyOf } from './state.ts'
import { createTable } from './tables.ts'
import { addMember, alterTenant, createTenant, dropTenant } from './tenants.ts'
import { createUser } from './users.ts'

const DAY = 86_400n * 10n ** 9n
const tenant = 'acme'
const createAcme: Build = (state, context) => createTenant(state, tenant, { ifNotExists: false, written: {} }, context)
const create =
  (name: string, { ifNotExists = false, options = {} } = {}): Build =>
  (state) =>
    createDatabase(state, { tenant, name }, { ifNotExists, written: new Map(Object.entries(options)) })
const drop =
  (name: string, after?: bigint): Build =>
  (state, context) =>
    dropDatabase(state, { tenant, name }, { ifExists: false, after }, context)
const createT =
  (database: string, name: string): Build =>
  (state, context) =>
    createTable(
      state,
      { tenant, database, name },
      { ifNotExists: false, fields: [{ name: 'v', type: 'DOUBLE' }], tags: [] },
      context,
    )
const grantBoth: Build = (state) =>
  grantPrivileges(state, { tenant, name: 'r' }, [
    { database: 'a', privilege: 'All' },
    { database: 'b', privilege: 'Read' },
  ])
const grantsOf = (catalog: ReturnType<typeof startCatalog>) => catalog.state.roles.get(keyOf(tenant, 'r'))?.grants

function acme() {
  const catalog = startCatalog()
  catalog.run(createAcme, create('a'), create('b'), createT('a', 't'), createT('b', 't'))
  catalog.run(
    (state) => createRole(state, { tenant, name: 'r' }, { ifNotExists: false, inherit: undefined }),
    grantBoth,
  )
  return catalog
}

describe('a database', () => {
  it('is made once', () => {
    const catalog = acme()
    expect(catalog.refusal(create('a'))).toBe('DATABASE_EXISTS')
    const before = catalog.state
    expect(catalog.run(create('a', { ifNotExists: true, options: { ttl: '1d' } })).databases).toEqual(before.databases)
  })

  it.each(['information_schema', 'INFORMATION_SCHEMA', 'usage_schema'])('may not be called %s', (name) => {
    const catalog = acme()
    expect(catalog.refusal(create(name))).toBe('DATABASE_EXISTS')
    expect(catalog.run(create(name, { ifNotExists: true })).databases.has(keyOf(tenant, name))).toBe(false)
    expect(catalog.refusal(drop(name))).toBe('DROP_SYSTEM_DATABASE')
  })

  it('may be called public outside of cnosdb', () => {
    expect(isSystemDatabase({ tenant, name: 'public' })).toBe(false)
    expect(isSystemDatabase({ tenant: 'cnosdb', name: 'public' })).toBe(true)
    acme().run(create('public'), drop('public'))
  })

  it('takes its tables and the privileges on it along, and no others', () => {
    const catalog = acme()
    catalog.run(drop('a'))
    expect([...catalog.state.tables.keys()]).toEqual([keyOf(tenant, 'b', 't')])
    expect(grantsOf(catalog)).toEqual({ b: 'Read' })
    expect(catalog.refusal(drop('a'))).toBe('DATABASE_NOT_FOUND')
  })

  it('drops the physical tables in the same change', () => {
    const catalog = acme()
    const [first] = catalog.state.tables.values()
    const change = dropDatabase(
      catalog.state,
      { tenant, name: 'a' },
      { ifExists: false, after: undefined },
      {
        newId: () => '0',
        nowNs: NOW_NS,
      },
    )
    expect(change.ddl).toEqual([`DROP TABLE data."${first?.engine === 'TSKV' && first.stored}"`])
  })
})

describe('a delayed drop', () => {
  it('hides at once, keeps the name, and can be undone', () => {
    const catalog = acme()
    catalog.run(drop('a', DAY))
    expect(findDatabase(catalog.state, tenant, 'a')).toBeUndefined()
    for (const refused of [create('a'), create('a', { ifNotExists: true })])
      expect(catalog.refusal(refused)).toBe('DATABASE_EXISTS')
    expect(catalog.refusal((state) => alterDatabase(state, { tenant, name: 'a' }, new Map([['ttl', '1d']])))).toBe(
      'DATABASE_NOT_FOUND',
    )
    catalog.run((state) => recoverDatabase(state, { tenant, name: 'a' }, { ifExists: false }))
    expect(findDatabase(catalog.state, tenant, 'a')).toBeDefined()
    expect(grantsOf(catalog)).toEqual({ a: 'All', b: 'Read' })
  })

  it('is carried out when it is due, and not before', () => {
    const catalog = acme()
    catalog.run(drop('a', DAY), drop('b', 2n * DAY))
    expect(catalog.runAt(NOW_NS + DAY - 1n, sweepDueDrops).databases.has(keyOf(tenant, 'a'))).toBe(true)
    catalog.runAt(NOW_NS + DAY, sweepDueDrops)
    expect(catalog.state.databases.has(keyOf(tenant, 'a'))).toBe(false)
    expect(catalog.state.databases.has(keyOf(tenant, 'b'))).toBe(true)
    expect(grantsOf(catalog)).toEqual({ b: 'Read' })
    catalog.runAt(NOW_NS + 2n * DAY, sweepDueDrops)
    expect(grantsOf(catalog)).toEqual({})
    expect([...catalog.state.tables.values()]).toEqual([])
  })

  it('leaves nothing of two databases that are due together', () => {
    const catalog = acme()
    catalog.run(drop('a', DAY), drop('b', DAY))
    catalog.runAt(NOW_NS + DAY, sweepDueDrops)
    expect(grantsOf(catalog)).toEqual({})
  })

  it('of a tenant takes everything in it along', () => {
    const catalog = acme()
    catalog.run(
      (state, context) => createUser(state, 'u', { ifNotExists: false, written: {} }, context),
      (state) => addMember(state, { tenant, user: 'u', role: 'r' }),
      (state) => alterTenant(state, tenant, { dropAfter: '1d' }),
      (state, context) => dropTenant(state, tenant, { ifExists: false, after: undefined }, context),
    )
    catalog.runAt(NOW_NS + DAY, sweepDueDrops)
    expect(JSON.stringify([...catalog.state.tenants, ...catalog.state.roles, ...catalog.state.members])).not.toContain(
      'acme',
    )
    expect([...catalog.state.tables.values()]).toEqual([])
    expect(catalog.state.users.has(keyOf('u'))).toBe(true)
    catalog.run(createAcme)
  })
})
