import { CnosError } from '../errors/cnos-error.ts'
import { type CatalogState, keyOf, type Privilege, requireTenant, requireUser, type SystemRole } from './state.ts'

/** What a user may do in one tenant, resolved once per statement. */
export interface Principal {
  readonly user: string
  readonly tenant: string
  readonly tenantId: string
  /** root, or granted_admin. */
  readonly isAdmin: boolean
  readonly mustChangePassword: boolean
  /** The role in the tenant; absent for an administrator who is not a member. */
  readonly role: string | undefined
  readonly systemRole: SystemRole | undefined
  readonly grants: Readonly<Record<string, Privilege>>
}

/** Throws ACCESS_DENIED with CnosDB's texts when user, tenant or membership is missing. */
export function resolvePrincipal(state: CatalogState, user: string, tenant: string): Principal {
  const found = state.users.get(keyOf(user))
  if (!found) throw new CnosError('ACCESS_DENIED', `Auth error: The user ${user} not found`)
  const isAdmin = found.grantedAdmin === true
  const inTenant = state.tenants.get(keyOf(tenant))
  if (!inTenant || inTenant.dropAtNs !== undefined) {
    throw new CnosError('ACCESS_DENIED', `Auth error: The tenant ${tenant} not found`)
  }
  const member = state.members.get(keyOf(tenant, user))
  if (!member && !isAdmin)
    throw new CnosError('ACCESS_DENIED', `Auth error: The member ${user} of tenant ${tenant} not found`)
  const custom = member && state.roles.get(keyOf(tenant, member.role))
  const isSystem = member?.role === 'owner' || member?.role === 'member'
  return {
    user,
    tenant,
    tenantId: inTenant.id,
    isAdmin,
    mustChangePassword: found.mustChangePassword === true,
    role: member?.role,
    systemRole: isSystem ? (member.role as SystemRole) : custom?.inherit,
    grants: custom?.grants ?? {},
  }
}

const STRENGTH: Readonly<Record<Privilege, number>> = { Read: 1, Write: 2, All: 3 }

/** Whether the principal holds `privilege` on a database: Write includes Read, All includes both. */
export function mayUseDatabase(principal: Principal, database: string, privilege: Privilege): boolean {
  if (principal.isAdmin || principal.systemRole === 'owner') return true
  if (principal.systemRole === 'member' && privilege === 'Read') return true
  const granted = Object.hasOwn(principal.grants, database) ? principal.grants[database] : undefined
  return granted !== undefined && STRENGTH[granted] >= STRENGTH[privilege]
}

/** An owner of the tenant, or an administrator. */
export function isOwner(principal: Principal): boolean {
  return principal.isAdmin || principal.systemRole === 'owner'
}

function insufficient(expected: string, hint?: string): CnosError {
  return new CnosError(
    'INSUFFICIENT_PRIVILEGES',
    `Insufficient privileges, expected [${expected}]`,
    hint ? { hint } : {},
  )
}

export function requireDatabasePrivilege(principal: Principal, database: string, privilege: Privilege): void {
  if (mayUseDatabase(principal, database, privilege)) return
  const expected = `${privilege} on database ${database} of tenant ${principal.tenantId}`
  if (database === 'information_schema') {
    throw insufficient(expected, 'only owners, members and roles that inherit one of them read it')
  }
  throw insufficient(
    expected,
    `an owner of the tenant can GRANT ${privilege.toUpperCase()} ON DATABASE ${database} TO a role of user ${principal.user}`,
  )
}

/** Reading lists of databases and queries. */
export function requireReadAll(principal: Principal): void {
  if (isOwner(principal) || principal.systemRole === 'member') return
  throw insufficient(`Read on all databases of tenant ${principal.tenantId}`)
}

/** CREATE DATABASE. */
export function requireCreateDatabase(principal: Principal): void {
  if (!isOwner(principal)) throw insufficient(`Write on all databases of tenant ${principal.tenantId}`)
}

export function requireRoleMaintainer(principal: Principal): void {
  if (!isOwner(principal)) throw insufficient(`maintainer for all roles of tenant ${principal.tenantId}`)
}

export function requireMemberMaintainer(principal: Principal, tenantId: string): void {
  if (!isOwner(principal)) throw insufficient(`maintainer for all members of tenant ${tenantId}`)
}

export function requireTenantMaintainer(principal: Principal, tenantId: string): void {
  if (!isOwner(principal)) throw insufficient(`maintainer for tenant ${tenantId}`)
}

/** Tenants, limiters, the dump. */
export function requireAdmin(principal: Principal): void {
  if (!principal.isAdmin) throw insufficient('maintainer for system')
}

export function requireUserMaintainer(principal: Principal): void {
  if (!principal.isAdmin) throw insufficient('maintainer for all users')
}

/** While a first password waits to be changed, nothing else is allowed. */
export function requireChangedPassword(principal: Principal): void {
  if (!principal.mustChangePassword) return
  throw insufficient('change password', `ALTER USER ${principal.user} SET password = '…'`)
}

/** A principal of `tenant` for statements that name another tenant than the session's. */
export function principalIn(state: CatalogState, principal: Principal, tenant: string): Principal {
  requireTenant(state, tenant)
  requireUser(state, principal.user)
  return tenant === principal.tenant ? principal : resolvePrincipal(state, principal.user, tenant)
}
