import {
  type Principal,
  principalIn,
  requireAdmin,
  requireCreateDatabase,
  requireDatabasePrivilege,
  requireMemberMaintainer,
  requireRoleMaintainer,
  requireTenantMaintainer,
  requireUserMaintainer,
} from '../catalog/privileges.ts'
import { requireTenant } from '../catalog/state.ts'
import { CnosError } from '../errors/cnos-error.ts'
import type { Statement, TenantOptions, UserOptions } from '../sql/ast.ts'
import type { PlanContext } from './context.ts'
import { tableIdOf } from './names.ts'

/** The statements that change metadata only. */
export type MetadataKind =
  | 'create-database'
  | 'alter-database'
  | 'drop-database'
  | 'recover-database'
  | 'create-table'
  | 'create-external-table'
  | 'create-stream-table'
  | 'alter-table'
  | 'drop-table'
  | 'create-tenant'
  | 'alter-tenant'
  | 'drop-tenant'
  | 'recover-tenant'
  | 'create-user'
  | 'alter-user'
  | 'drop-user'
  | 'create-role'
  | 'drop-role'
  | 'grant'
  | 'revoke'

export type MetadataStatement = Extract<Statement, { readonly kind: MetadataKind }>

type StatementOf<K extends MetadataKind> = Extract<Statement, { readonly kind: K }>
type Check<K extends MetadataKind> = (context: PlanContext, statement: StatementOf<K>) => void

const wholeDatabase = ({ principal }: PlanContext, { name }: { readonly name: string }) =>
  requireDatabasePrivilege(principal, name, 'All')

const tablesDatabase = (context: PlanContext, { table }: { readonly table: { readonly parts: readonly string[] } }) =>
  requireDatabasePrivilege(context.principal, tableIdOf(table.parts, context.session).database, 'All')

const system = ({ principal }: PlanContext) => requireAdmin(principal)
const users = ({ principal }: PlanContext) => requireUserMaintainer(principal)
const roles = ({ principal }: PlanContext) => requireRoleMaintainer(principal)

const CHECKS: { readonly [K in MetadataKind]: Check<K> } = {
  'create-database': ({ principal }) => requireCreateDatabase(principal),
  'alter-database': wholeDatabase,
  'drop-database': wholeDatabase,
  'recover-database': wholeDatabase,
  'create-table': tablesDatabase,
  'create-external-table': tablesDatabase,
  'create-stream-table': tablesDatabase,
  'alter-table': tablesDatabase,
  'drop-table': tablesDatabase,
  'create-tenant': system,
  'alter-tenant': checkAlterTenant,
  'drop-tenant': system,
  'recover-tenant': system,
  'create-user': users,
  'alter-user': checkAlterUser,
  'drop-user': users,
  'create-role': roles,
  'drop-role': roles,
  grant: roles,
  revoke: roles,
}

/** Throws INSUFFICIENT_PRIVILEGES unless the session's user may change what the statement changes. */
export function checkMetadataPrivilege(context: PlanContext, statement: MetadataStatement): void {
  const check = CHECKS[statement.kind] as Check<MetadataKind>
  check(context, statement)
}

const setsLimits = (options: TenantOptions) =>
  options.objectConfig !== undefined || options.requestConfig !== undefined || options.limiterJson !== undefined

function checkAlterTenant(context: PlanContext, { name, action }: StatementOf<'alter-tenant'>): void {
  const { principal, tenantId } = inTenant(context, name)
  if (action.kind === 'set' || action.kind === 'unset') {
    const isLimit = action.kind === 'set' ? setsLimits(action.options) : action.option === '_limiter'
    if (isLimit) requireAdmin(principal)
    else requireTenantMaintainer(principal, tenantId)
  } else {
    requireMemberMaintainer(principal, tenantId)
  }
}

/** The user's rights in another tenant; one who is not a member there has none. */
function inTenant({ catalog, principal }: PlanContext, tenant: string): { principal: Principal; tenantId: string } {
  const { id } = requireTenant(catalog, tenant)
  return { principal: principalIn(catalog, principal, tenant), tenantId: id }
}

const OWN_OPTIONS: ReadonlySet<keyof UserOptions> = new Set(['password', 'hashPassword', 'comment', 'rsaPublicKey'])

/** Users may change what is their own; nobody but root changes root. */
function checkAlterUser({ principal }: PlanContext, { name, action }: StatementOf<'alter-user'>): void {
  if (name === 'root' && principal.user !== 'root') {
    throw new CnosError('INSUFFICIENT_PRIVILEGES', 'Insufficient privileges, expected [root]', {
      hint: 'only root may alter root',
    })
  }
  const isOwn =
    name === principal.user &&
    action.kind === 'set' &&
    (Object.keys(action.options) as (keyof UserOptions)[]).every((option) => OWN_OPTIONS.has(option))
  if (!isOwn) requireUserMaintainer(principal)
}

/** Whether a user whose password waits to be changed does just that. */
export function changesOwnPassword(statement: Statement, user: string): boolean {
  if (statement.kind !== 'alter-user' || statement.name !== user || statement.action.kind !== 'set') return false
  const { password, hashPassword } = statement.action.options
  return password !== undefined || hashPassword !== undefined
}

/** Where the metadata of a statement's table lives. */
export function tableNameOf(
  parts: readonly string[],
  session: PlanContext['session'],
): { readonly tenant: string; readonly database: string; readonly name: string } {
  const { tenant, database, table } = tableIdOf(parts, session)
  return { tenant, database, name: table }
}
