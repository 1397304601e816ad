import { describe, expect, it } from 'vitest'
import { type Build, startCatalog } from '../../test/catalog/catalog-fixture.ts'
import { createDatabase } from './databases.ts'
import { createRole, dropRole } from './roles.ts'
import { keyOf, requireTenant } from './state.ts'
import {
  addMember,
  alterTenant,
  createTenant,
  dropTenant,
  recoverTenant,
  removeMember,
  setMember,
  unsetTenantOption,
  type WrittenTenantOptions,
} from './tenants.ts'
import { createUser, dropUser } from './users.ts'

const create =
  (name: string, written: WrittenTenantOptions = {}, ifNotExists = false): Build =>
  (state, context) =>
    createTenant(state, name, { ifNotExists, written }, context)
const alter =
  (written: WrittenTenantOptions): Build =>
  (state) =>
    alterTenant(state, 'acme', written)
const user =
  (name: string): Build =>
  (state, context) =>
    createUser(state, name, { ifNotExists: false, written: {} }, context)
const add =
  (name: string, role = 'member'): Build =>
  (state) =>
    addMember(state, { tenant: 'acme', user: name, role })
const database =
  (name: string, options: Readonly<Record<string, string | bigint>> = {}): Build =>
  (state) =>
    createDatabase(state, { tenant: 'acme', name }, { ifNotExists: false, written: new Map(Object.entries(options)) })
const limits = (numbers: Readonly<Record<string, bigint>>): WrittenTenantOptions => ({
  objectConfig: new Map(Object.entries(numbers)),
})

describe('a tenant', () => {
  it('has options that change one by one', () => {
    const catalog = startCatalog()
    catalog.run(create('acme', { comment: 'first', dropAfter: '7d', ...limits({ max_databases: 3n }) }))
    catalog.run(alter({ comment: 'second' }), alter({ dropAfter: 'INF' }), alter(limits({ max_users_number: 2n })))
    expect(requireTenant(catalog.state, 'acme')).toMatchObject({
      comment: 'second',
      dropAfterNs: 'INF',
      limiter: { object_config: { max_databases: 3, max_users_number: 2 } },
    })
    for (const option of ['comment', 'drop_after', '_limiter'] as const)
      catalog.run((state) => unsetTenantOption(state, 'acme', option))
    expect(Object.keys(requireTenant(catalog.state, 'acme')).sort()).toEqual(['id', 'name'])
  })

  it('is made once, has no database, and its id is not given again', () => {
    const catalog = startCatalog()
    catalog.run(create('acme'))
    expect(catalog.refusal(create('acme'))).toBe('TENANT_EXISTS')
    expect(catalog.refusal(create(' '))).toBe('SQL_SYNTAX')
    expect(catalog.run(create('acme', { comment: 'x' }, true)).tenants.get(keyOf('acme'))).not.toHaveProperty('comment')
    const { id } = requireTenant(catalog.state, 'acme')
    catalog.run((state, context) => dropTenant(state, 'acme', { ifExists: false, after: undefined }, context))
    catalog.run(create('acme'))
    expect(requireTenant(catalog.state, 'acme').id).not.toBe(id)
  })

  it('called cnosdb cannot be dropped or limited', () => {
    const catalog = startCatalog()
    expect(
      catalog.refusal((state, context) => dropTenant(state, 'cnosdb', { ifExists: false, after: 1n }, context)),
    ).toBe('DROP_SYSTEM_TENANT')
    expect(catalog.refusal((state) => alterTenant(state, 'cnosdb', limits({ max_databases: 1n })))).toBe(
      'SYSTEM_TENANT_LIMITER',
    )
  })

  it('that is being dropped is not found, keeps its name, and comes back with RECOVER', () => {
    const catalog = startCatalog()
    catalog.run(create('acme'), database('d'))
    catalog.run((state, context) => dropTenant(state, 'acme', { ifExists: false, after: 5n }, context))
    expect(() => requireTenant(catalog.state, 'acme')).toThrow(/not found/)
    expect(catalog.refusal(create('acme', {}, true))).toBe('TENANT_EXISTS')
    expect(catalog.refusal(alter({ comment: 'x' }))).toBe('TENANT_NOT_FOUND')
    catalog.run((state) => recoverTenant(state, 'acme', { ifExists: false }))
    expect(requireTenant(catalog.state, 'acme')).not.toHaveProperty('dropAtNs')
    expect(catalog.state.databases.has(keyOf('acme', 'd'))).toBe(true)
  })

  it('whose drop_after is INF needs AFTER', () => {
    const catalog = startCatalog()
    catalog.run(create('acme', { dropAfter: 'INF' }))
    const drop =
      (after: bigint | undefined): Build =>
      (state, context) =>
        dropTenant(state, 'acme', { ifExists: false, after }, context)
    expect(catalog.refusal(drop(undefined))).toBe('BAD_OPTION')
    catalog.run(drop(0n))
  })
})

describe('a limit', () => {
  it.each([
    [{ max_databases: 1n }, database('first'), 'accepted'],
    [{ max_databases: 0n }, database('first'), 'OBJECT_LIMIT'],
    [{ max_shard_number: 2n }, database('d', { shard: 2n }), 'accepted'],
    [{ max_shard_number: 2n }, database('d', { shard: 3n }), 'OBJECT_LIMIT'],
    [{ max_replicate_number: 1n }, database('d'), 'accepted'],
    [{ max_replicate_number: 0n }, database('d'), 'OBJECT_LIMIT'],
    [{ max_retention_time: 30n }, database('d', { ttl: '30d' }), 'accepted'],
    [{ max_retention_time: 30n }, database('d', { ttl: '31d' }), 'OBJECT_LIMIT'],
    [{ max_retention_time: 30n }, database('d'), 'OBJECT_LIMIT'],
  ] as const)('of %o is held', (numbers, build, expected) => {
    const catalog = startCatalog()
    catalog.run(create('acme', limits(numbers)))
    if (expected === 'accepted') catalog.run(build)
    else expect(catalog.refusal(build)).toBe(expected)
  })

  it('of members is held', () => {
    const catalog = startCatalog()
    catalog.run(create('acme', limits({ max_users_number: 1n })), user('a'), user('b'), add('a'))
    expect(catalog.refusal(add('b'))).toBe('OBJECT_LIMIT')
    catalog.run((state) => removeMember(state, 'acme', 'a'), add('b'))
  })
})

describe('a member', () => {
  const start = () => {
    const catalog = startCatalog()
    catalog.run(create('acme'), user('anna'))
    catalog.run((state) => createRole(state, { tenant: 'acme', name: 'r' }, { ifNotExists: false, inherit: 'member' }))
    return catalog
  }

  it('is a user with a role of the tenant', () => {
    const catalog = start()
    expect(catalog.refusal(add('nobody'))).toBe('USER_NOT_FOUND')
    expect(catalog.refusal(add('anna', 'nothing'))).toBe('ROLE_NOT_FOUND')
    catalog.run(add('anna', 'r'))
    expect(catalog.refusal(add('anna'))).toBe('USER_EXISTS')
    catalog.run((state) => setMember(state, { tenant: 'acme', user: 'anna', role: 'owner' }))
    expect(catalog.state.members.get(keyOf('acme', 'anna'))?.role).toBe('owner')
    catalog.run((state) => removeMember(state, 'acme', 'anna'))
    expect(catalog.refusal((state) => removeMember(state, 'acme', 'anna'))).toBe('MEMBER_NOT_FOUND')
  })

  it('ends with the user and with the role', () => {
    const catalog = start()
    catalog.run(add('anna', 'r'), (state) => dropUser(state, 'anna', { ifExists: false }))
    expect(catalog.state.members.has(keyOf('acme', 'anna'))).toBe(false)
    catalog.run(user('bob'), add('bob', 'r'))
    catalog.run((state) => dropRole(state, { tenant: 'acme', name: 'r' }, { ifExists: false }))
    expect(catalog.state.members.has(keyOf('acme', 'bob'))).toBe(false)
  })
})
