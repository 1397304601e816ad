import { CnosError } from '../errors/cnos-error.ts'
import { type CatalogChange, NO_CHANGE, put, remove } from './catalog.ts'
import { checkObjectName } from './names.ts'
import { type CatalogState, keyOf, type Privilege, type Role, requireDatabase, type SystemRole } from './state.ts'

const isSystemRole = (name: string): name is SystemRole => name === 'owner' || name === 'member'

export interface RoleName {
  readonly tenant: string
  readonly name: string
}

export interface Grant {
  readonly database: string
  readonly privilege: Privilege
}

export function createRole(
  state: CatalogState,
  { tenant, name }: RoleName,
  options: { readonly ifNotExists: boolean; readonly inherit: string | undefined },
): CatalogChange {
  checkObjectName(name)
  if (isSystemRole(name)) throw new CnosError('CREATE_SYSTEM_ROLE', `Can't create system role ${name}`)
  if (state.roles.has(keyOf(tenant, name))) {
    if (options.ifNotExists) return NO_CHANGE
    throw new CnosError('ROLE_EXISTS', `The role ${name} already exists`)
  }
  const { inherit } = options
  if (inherit !== undefined && !isSystemRole(inherit)) {
    throw new CnosError('ROLE_NOT_FOUND', `The role ${inherit} not found`, { hint: 'a role inherits owner or member' })
  }
  const role: Role = { tenant, name, ...(inherit === undefined ? {} : { inherit }), grants: {} }
  return { objects: [put('roles', keyOf(tenant, name), role)] }
}

/** Members who have the role lose their membership, as nothing would be left of it. */
export function dropRole(
  state: CatalogState,
  { tenant, name }: RoleName,
  { ifExists }: { readonly ifExists: boolean },
): CatalogChange {
  if (isSystemRole(name)) throw new CnosError('DROP_SYSTEM_ROLE', `Can't drop system role ${name}`)
  if (!state.roles.has(keyOf(tenant, name))) {
    if (ifExists) return NO_CHANGE
    throw new CnosError('ROLE_NOT_FOUND', `The role ${name} not found`)
  }
  const members = [...state.members.values()].filter((member) => member.tenant === tenant && member.role === name)
  return {
    objects: [
      ...members.map(({ user }) => remove('members', keyOf(tenant, user))),
      remove('roles', keyOf(tenant, name)),
    ],
  }
}

function requireCustomRole(state: CatalogState, { tenant, name }: RoleName): Role {
  if (isSystemRole(name)) throw new CnosError('SYSTEM_ROLE_GRANT', `Can't grant to or revoke from system role ${name}`)
  const role = state.roles.get(keyOf(tenant, name))
  if (role) return role
  throw new CnosError('ROLE_NOT_FOUND', `The role ${name} not found`)
}

/** A second grant on the same database replaces the first. */
export function grantPrivileges(state: CatalogState, name: RoleName, grants: readonly Grant[]): CatalogChange {
  const role = requireCustomRole(state, name)
  for (const { database } of grants) requireDatabase(state, name.tenant, database)
  const added = Object.fromEntries(grants.map(({ database, privilege }) => [database, privilege]))
  return { objects: [put('roles', keyOf(name.tenant, name.name), { ...role, grants: { ...role.grants, ...added } })] }
}

/** Each must be exactly the privilege that was granted. */
export function revokePrivileges(state: CatalogState, name: RoleName, grants: readonly Grant[]): CatalogChange {
  const role = requireCustomRole(state, name)
  const left = { ...role.grants }
  for (const { database, privilege } of grants) {
    const granted = Object.hasOwn(left, database) ? left[database] : undefined
    if (granted !== privilege) {
      throw new CnosError(
        'PRIVILEGE_NOT_GRANTED',
        `The role ${name.name} has no ${privilege} on database ${database}`,
        {
          hint: granted ? `it has ${granted}` : 'it has no privilege there',
        },
      )
    }
    delete left[database]
  }
  return { objects: [put('roles', keyOf(name.tenant, name.name), { ...role, grants: left })] }
}
