import { CnosError } from '../errors/cnos-error.ts'
import { type CatalogChange, type ChangeContext, NO_CHANGE, put, remove } from './catalog.ts'
import { checkObjectName } from './names.ts'
import { checkHash } from './passwords.ts'
import { type CatalogState, keyOf, ROOT, requireUser, type User } from './state.ts'

/** Options as written; a plain password has been hashed by the caller. */
export interface WrittenUserOptions {
  readonly hashPassword?: string | undefined
  readonly mustChangePassword?: boolean | undefined
  readonly rsaPublicKey?: string | undefined
  readonly comment?: string | undefined
  readonly grantedAdmin?: boolean | undefined
}

function withOptions(user: User, written: WrittenUserOptions): User {
  if (written.hashPassword !== undefined) checkHash(written.hashPassword)
  const given = Object.fromEntries(Object.entries(written).filter(([, value]) => value !== undefined))
  return { ...user, ...given }
}

export function createUser(
  state: CatalogState,
  name: string,
  options: { readonly ifNotExists: boolean; readonly written: WrittenUserOptions },
  context: ChangeContext,
): CatalogChange {
  checkObjectName(name)
  if (state.users.has(keyOf(name))) {
    if (options.ifNotExists) return NO_CHANGE
    throw new CnosError('USER_EXISTS', `The user ${name} already exists`)
  }
  const fresh: User = { name, id: context.newId(), mustChangePassword: false, grantedAdmin: false }
  return { objects: [put('users', keyOf(name), withOptions(fresh, options.written))] }
}

/** A new password clears must_change_password, unless the statement sets it. */
export function alterUser(state: CatalogState, name: string, written: WrittenUserOptions): CatalogChange {
  const user = requireUser(state, name)
  if (name === ROOT && written.grantedAdmin !== undefined) {
    throw new CnosError(
      'INSUFFICIENT_PRIVILEGES',
      'Insufficient privileges, expected [granted_admin of root cannot change]',
    )
  }
  const isNewPassword = written.hashPassword !== undefined && written.mustChangePassword === undefined
  const change = isNewPassword ? { ...written, mustChangePassword: false } : written
  return { objects: [put('users', keyOf(name), withOptions(user, change))] }
}

/** The user and all memberships. */
export function dropUser(
  state: CatalogState,
  name: string,
  { ifExists }: { readonly ifExists: boolean },
): CatalogChange {
  if (name === ROOT) throw new CnosError('DROP_SYSTEM_USER', "Can't drop system user root")
  if (!state.users.has(keyOf(name))) {
    if (ifExists) return NO_CHANGE
    throw new CnosError('USER_NOT_FOUND', `The user ${name} not found`)
  }
  const memberships = [...state.members.values()].filter((member) => member.user === name)
  return {
    objects: [...memberships.map(({ tenant }) => remove('members', keyOf(tenant, name))), remove('users', keyOf(name))],
  }
}
