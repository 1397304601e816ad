import { expect, it } from 'vitest'
import { type Build, startCatalog } from '../../test/catalog/catalog-fixture.ts'
import { createDatabase } from './databases.ts'
import { createRole, dropRole, type Grant, grantPrivileges, revokePrivileges } from './roles.ts'
import { keyOf } from './state.ts'

const tenant = 'cnosdb'
const create =
  (name: string, inherit?: string, ifNotExists = false): Build =>
  (state) =>
    createRole(state, { tenant, name }, { ifNotExists, inherit })
const grant =
  (name: string, ...grants: readonly Grant[]): Build =>
  (state) =>
    grantPrivileges(state, { tenant, name }, grants)
const revoke =
  (name: string, ...grants: readonly Grant[]): Build =>
  (state) =>
    revokePrivileges(state, { tenant, name }, grants)
const on = (database: string, privilege: Grant['privilege']): Grant => ({ database, privilege })

it('knows the system roles, which nobody makes, drops or grants to', () => {
  const catalog = startCatalog()
  for (const name of ['owner', 'member']) {
    expect(catalog.refusal(create(name, undefined, true))).toBe('CREATE_SYSTEM_ROLE')
    expect(catalog.refusal((state) => dropRole(state, { tenant, name }, { ifExists: true }))).toBe('DROP_SYSTEM_ROLE')
    expect(catalog.refusal(grant(name, on('public', 'Read')))).toBe('SYSTEM_ROLE_GRANT')
    expect(catalog.refusal(revoke(name, on('public', 'Read')))).toBe('SYSTEM_ROLE_GRANT')
  }
})

it('makes a role once, inheriting a system role', () => {
  const catalog = startCatalog()
  catalog.run(create('r', 'member'), create('r', 'owner', true))
  expect(catalog.state.roles.get(keyOf(tenant, 'r'))?.inherit).toBe('member')
  expect(catalog.refusal(create('r'))).toBe('ROLE_EXISTS')
  expect(catalog.refusal(create('other', 'r'))).toBe('ROLE_NOT_FOUND')
})

it('replaces a grant, and revokes exactly what was granted', () => {
  const catalog = startCatalog()
  catalog.run(
    create('r'),
    grant('r', on('public', 'Read'), on('usage_schema', 'Write')),
    grant('r', on('public', 'All')),
  )
  const grants = () => catalog.state.roles.get(keyOf(tenant, 'r'))?.grants
  expect(grants()).toEqual({ public: 'All', usage_schema: 'Write' })
  expect(catalog.refusal(revoke('r', on('public', 'Read')))).toBe('PRIVILEGE_NOT_GRANTED')
  expect(catalog.refusal(revoke('r', on('usage_schema', 'Write'), on('cluster_schema', 'Read')))).toBe(
    'PRIVILEGE_NOT_GRANTED',
  )
  catalog.run(revoke('r', on('usage_schema', 'Write')))
  expect(grants()).toEqual({ public: 'All' })
  expect(catalog.refusal(grant('r', on('nowhere', 'Read')))).toBe('DATABASE_NOT_FOUND')
  expect(catalog.refusal(grant('nobody', on('public', 'Read')))).toBe('ROLE_NOT_FOUND')
})

it.each(['__proto__', 'constructor', '1'])('grants on a database called %s like on any other', (name) => {
  const catalog = startCatalog()
  catalog.run(
    (state) => createDatabase(state, { tenant, name }, { ifNotExists: false, written: new Map() }),
    create('r'),
  )
  expect(catalog.refusal(revoke('r', on(name, 'Read')))).toBe('PRIVILEGE_NOT_GRANTED')
  catalog.run(grant('r', on(name, 'Read')))
  expect(Object.entries(catalog.state.roles.get(keyOf(tenant, 'r'))?.grants ?? {})).toEqual([[name, 'Read']])
  catalog.run(revoke('r', on(name, 'Read')))
  expect(Object.entries(catalog.state.roles.get(keyOf(tenant, 'r'))?.grants ?? {})).toEqual([])
})
