import { describe, expect, it } from 'vitest'
import { type Build, startCatalog } from '../../test/catalog/catalog-fixture.ts'
import { isCnosError } from '../errors/cnos-error.ts'
import { createDatabase } from './databases.ts'
import {
  mayUseDatabase,
  type Principal,
  principalIn,
  requireAdmin,
  requireChangedPassword,
  requireCreateDatabase,
  requireDatabasePrivilege,
  requireMemberMaintainer,
  requireReadAll,
  requireRoleMaintainer,
  requireTenantMaintainer,
  requireUserMaintainer,
  resolvePrincipal,
} from './privileges.ts'
import { createRole, grantPrivileges } from './roles.ts'
import { addMember, createTenant, dropTenant } from './tenants.ts'
import { createUser } from './users.ts'

const tenant = 'acme'
const user =
  (name: string, written = {}): Build =>
  (state, context) =>
    createUser(state, name, { ifNotExists: false, written }, context)
const role =
  (name: string, inherit?: string): Build =>
  (state) =>
    createRole(state, { tenant, name }, { ifNotExists: false, inherit })

/** Users named after what they are; `granter` inherits member and may write to `plant`. */
function start() {
  const catalog = startCatalog()
  catalog.run((state, context) => createTenant(state, tenant, { ifNotExists: false, written: {} }, context))
  for (const name of ['plant', 'office'])
    catalog.run((state) => createDatabase(state, { tenant, name }, { ifNotExists: false, written: new Map() }))
  catalog.run(
    role('reader'),
    role('writer'),
    role('keeper'),
    role('granter', 'member'),
    role('boss', 'owner'),
    role('none'),
  )
  for (const [name, privilege] of [
    ['reader', 'Read'],
    ['writer', 'Write'],
    ['keeper', 'All'],
    ['granter', 'Write'],
  ] as const)
    catalog.run((state) => grantPrivileges(state, { tenant, name }, [{ database: 'plant', privilege }]))
  for (const name of ['owner', 'member', 'reader', 'writer', 'keeper', 'granter', 'boss', 'none'])
    catalog.run(user(name), (state) => addMember(state, { tenant, user: name, role: name }))
  catalog.run(user('admin', { grantedAdmin: true }), user('stranger'))
  return catalog
}

const { state } = start()
const as = (name: string) => resolvePrincipal(state, name, tenant)
const PEOPLE = ['root', 'admin', 'owner', 'boss', 'member', 'granter', 'reader', 'writer', 'keeper', 'none']
const whoMay = (check: (principal: Principal) => void): string[] =>
  PEOPLE.filter((name) => {
    try {
      check(as(name))
      return true
    } catch (error) {
      if (isCnosError(error, 'INSUFFICIENT_PRIVILEGES')) return false
      throw error
    }
  })
const ADMINS = ['root', 'admin']
const OWNERS = [...ADMINS, 'owner', 'boss']

describe('who may do what', () => {
  it.each([
    ['plant', 'Read', [...OWNERS, 'member', 'granter', 'reader', 'writer', 'keeper']],
    ['plant', 'Write', [...OWNERS, 'granter', 'writer', 'keeper']],
    ['plant', 'All', [...OWNERS, 'keeper']],
    ['office', 'Read', [...OWNERS, 'member', 'granter']],
    ['office', 'Write', OWNERS],
    ['office', 'All', OWNERS],
    ['information_schema', 'Read', [...OWNERS, 'member', 'granter']],
    ['constructor', 'Read', [...OWNERS, 'member', 'granter']],
  ] as const)('on %s: %s', (database, privilege, expected) => {
    expect(whoMay((principal) => requireDatabasePrivilege(principal, database, privilege))).toEqual(expected)
    expect(PEOPLE.filter((name) => mayUseDatabase(as(name), database, privilege))).toEqual(expected)
  })

  it.each([
    ['read the lists of databases and queries', requireReadAll, [...OWNERS, 'member', 'granter']],
    ['make databases', requireCreateDatabase, OWNERS],
    ['keep roles', requireRoleMaintainer, OWNERS],
    ['keep members', (principal: Principal) => requireMemberMaintainer(principal, '9'), OWNERS],
    ['keep the tenant', (principal: Principal) => requireTenantMaintainer(principal, '9'), OWNERS],
    ['keep tenants and limits', requireAdmin, ADMINS],
    ['keep users', requireUserMaintainer, ADMINS],
  ])('%s', (_, check, expected) => {
    expect(whoMay(check)).toEqual(expected)
  })
})

describe('a refusal', () => {
  const message = (work: () => void): string => {
    try {
      work()
    } catch (error) {
      if (isCnosError(error)) return error.message
    }
    return 'accepted'
  }

  it.each([
    ['Read on database office of tenant 5', () => requireDatabasePrivilege(as('reader'), 'office', 'Read')],
    ['All on database plant of tenant 5', () => requireDatabasePrivilege(as('writer'), 'plant', 'All')],
    ['Read on all databases of tenant 5', () => requireReadAll(as('reader'))],
    ['Write on all databases of tenant 5', () => requireCreateDatabase(as('member'))],
    ['maintainer for system', () => requireAdmin(as('owner'))],
    ['maintainer for all users', () => requireUserMaintainer(as('owner'))],
    ['maintainer for all roles of tenant 5', () => requireRoleMaintainer(as('member'))],
    ['maintainer for all members of tenant 9', () => requireMemberMaintainer(as('member'), '9')],
  ])('names %s, as CnosDB does', (expected, work) => {
    expect(message(work).replace(/tenant \d+/, 'tenant N')).toBe(
      `Insufficient privileges, expected [${expected.replace(/tenant \d+/, 'tenant N')}]`,
    )
  })

  it.each([
    ['nobody', tenant, 'Auth error: The user nobody not found'],
    ['stranger', tenant, 'Auth error: The member stranger of tenant acme not found'],
    ['root', 'nowhere', 'Auth error: The tenant nowhere not found'],
  ])('of %s in %s says what is missing', (name, where, expected) => {
    expect(message(() => resolvePrincipal(state, name, where))).toBe(expected)
  })
})

describe('a principal', () => {
  it('is looked up anew in another tenant', () => {
    expect(principalIn(state, as('owner'), tenant)).toEqual(as('owner'))
    expect(() => principalIn(state, as('owner'), 'cnosdb')).toThrow(/member owner of tenant cnosdb not found/)
    expect(principalIn(state, as('admin'), 'cnosdb')).toMatchObject({ isAdmin: true, role: undefined })
  })

  it('of a tenant that is being dropped does not exist', () => {
    const catalog = start()
    catalog.run((latest, context) => dropTenant(latest, tenant, { ifExists: false, after: 10n }, context))
    expect(() => resolvePrincipal(catalog.state, 'root', tenant)).toThrow(/tenant acme not found/)
  })

  it('whose password must change may do nothing else', () => {
    const catalog = start()
    catalog.run(user('fresh', { mustChangePassword: true, grantedAdmin: true }))
    expect(() => requireChangedPassword(resolvePrincipal(catalog.state, 'fresh', tenant))).toThrow(
      'Insufficient privileges, expected [change password]',
    )
    requireChangedPassword(as('none'))
  })
})
