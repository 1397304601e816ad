import { CnosError } from '../errors/cnos-error.ts'
import { type Duration, parseDuration } from '../model/duration.ts'
import { type CatalogChange, type ChangeContext, NO_CHANGE, put, remove } from './catalog.ts'
import { durationOf } from './database-settings.ts'
import { dropTime, removeTenant } from './databases.ts'
import { type LimiterStatement, mergeLimits, type WrittenLimits } from './limiter.ts'
import { checkObjectName } from './names.ts'
import { checkMemberLimit } from './object-limits.ts'
import {
  type CatalogState,
  keyOf,
  type Member,
  requireTenant,
  requireUser,
  SYSTEM_TENANT,
  type Tenant,
} from './state.ts'

export interface WrittenTenantOptions extends WrittenLimits {
  readonly comment?: string | undefined
  readonly dropAfter?: string | undefined
}

function withOptions(tenant: Tenant, written: WrittenTenantOptions, statement: LimiterStatement): Tenant {
  const dropAfter = written.dropAfter === undefined ? undefined : parseDuration(written.dropAfter, 'drop_after')
  const limiter = mergeLimits(tenant.limiter, written, statement)
  if (tenant.name === SYSTEM_TENANT && limiter) {
    throw new CnosError('SYSTEM_TENANT_LIMITER', `Can't set limiter of system tenant ${SYSTEM_TENANT}`)
  }
  return {
    ...tenant,
    ...(written.comment === undefined ? {} : { comment: written.comment }),
    ...(dropAfter === undefined ? {} : { dropAfterNs: String(dropAfter) }),
    ...(limiter ? { limiter } : {}),
  }
}

/**
 * Throws TENANT_EXISTS, with `ifNotExists` as well when the name belongs to a tenant that is being dropped: it could not
 * be used.
 */
export function createTenant(
  state: CatalogState,
  name: string,
  options: { readonly ifNotExists: boolean; readonly written: WrittenTenantOptions },
  context: ChangeContext,
): CatalogChange {
  checkObjectName(name)
  const existing = state.tenants.get(keyOf(name))
  if (existing) {
    const isHidden = existing.dropAtNs !== undefined
    if (options.ifNotExists && !isHidden) return NO_CHANGE
    const hint = { hint: `it is being dropped: RECOVER TENANT ${name}, or wait` }
    throw new CnosError('TENANT_EXISTS', `The tenant ${name} already exists`, isHidden ? hint : {})
  }
  const tenant = withOptions({ name, id: context.newId() }, options.written, 'CREATE TENANT')
  return { objects: [put('tenants', keyOf(name), tenant)] }
}

export function alterTenant(state: CatalogState, name: string, written: WrittenTenantOptions): CatalogChange {
  return { objects: [put('tenants', keyOf(name), withOptions(requireTenant(state, name), written, 'ALTER TENANT'))] }
}

export function unsetTenantOption(
  state: CatalogState,
  name: string,
  option: 'comment' | 'drop_after' | '_limiter',
): CatalogChange {
  const property = { comment: 'comment', drop_after: 'dropAfterNs', _limiter: 'limiter' }[option]
  const kept = Object.fromEntries(Object.entries(requireTenant(state, name)).filter(([key]) => key !== property))
  return { objects: [put('tenants', keyOf(name), kept)] }
}

/** At once, or, with `after` or the tenant's own drop_after, hidden now and gone then. */
export function dropTenant(
  state: CatalogState,
  name: string,
  options: { readonly ifExists: boolean; readonly after: Duration | undefined },
  { nowNs }: ChangeContext,
): CatalogChange {
  if (name === SYSTEM_TENANT) throw new CnosError('DROP_SYSTEM_TENANT', `Can't drop system tenant ${name}`)
  const tenant = state.tenants.get(keyOf(name))
  if (!tenant) {
    if (options.ifExists) return NO_CHANGE
    throw new CnosError('TENANT_NOT_FOUND', `The tenant ${name} not found`)
  }
  const after = options.after ?? (tenant.dropAfterNs === undefined ? undefined : durationOf(tenant.dropAfterNs))
  if (after === undefined) return removeTenant(state, name)
  if (after === 'INF') {
    throw new CnosError('BAD_OPTION', 'Semantic error: AFTER needs a finite duration', {
      hint: `write DROP TENANT ${name} AFTER '7d', or AFTER '0s' to drop it soon`,
    })
  }
  const dropAtNs = dropTime(tenant.dropAtNs, nowNs + after)
  if (dropAtNs !== undefined) return { objects: [put('tenants', keyOf(name), { ...tenant, dropAtNs })] }
  if (options.ifExists) return NO_CHANGE
  throw new CnosError('TENANT_NOT_FOUND', `The tenant ${name} not found`, {
    hint: `it is being dropped already, and sooner: RECOVER TENANT ${name} first, or AFTER '0s' to drop it now`,
  })
}

export function recoverTenant(
  state: CatalogState,
  name: string,
  { ifExists }: { readonly ifExists: boolean },
): CatalogChange {
  const tenant = state.tenants.get(keyOf(name))
  if (!tenant) {
    if (ifExists) return NO_CHANGE
    throw new CnosError('TENANT_NOT_FOUND', `The tenant ${name} not found`)
  }
  const { dropAtNs: _, ...recovered } = tenant
  return { objects: [put('tenants', keyOf(name), recovered)] }
}

function checkRole(state: CatalogState, tenant: string, role: string): void {
  if (role === 'owner' || role === 'member' || state.roles.has(keyOf(tenant, role))) return
  throw new CnosError('ROLE_NOT_FOUND', `The role ${role} not found`)
}

/** CnosDB answers 030007 for a user who is a member already. */
export function addMember(state: CatalogState, member: Member): CatalogChange {
  requireTenant(state, member.tenant)
  requireUser(state, member.user)
  checkRole(state, member.tenant, member.role)
  if (state.members.has(keyOf(member.tenant, member.user))) {
    throw new CnosError('USER_EXISTS', `The member ${member.user} of tenant ${member.tenant} already exists`, {
      hint: `change the role with ALTER TENANT ${member.tenant} SET USER ${member.user} AS …`,
    })
  }
  checkMemberLimit(state, member.tenant)
  return { objects: [put('members', keyOf(member.tenant, member.user), member)] }
}

export function setMember(state: CatalogState, member: Member): CatalogChange {
  requireMember(state, member.tenant, member.user)
  checkRole(state, member.tenant, member.role)
  return { objects: [put('members', keyOf(member.tenant, member.user), member)] }
}

export function removeMember(state: CatalogState, tenant: string, user: string): CatalogChange {
  requireMember(state, tenant, user)
  return { objects: [remove('members', keyOf(tenant, user))] }
}

function requireMember(state: CatalogState, tenant: string, user: string): void {
  requireTenant(state, tenant)
  if (state.members.has(keyOf(tenant, user))) return
  throw new CnosError('MEMBER_NOT_FOUND', `The member ${user} of tenant ${tenant} not found`)
}
