import { booleanOption, type OptionLiteral, parseOptions, stringOption } from '../../options/option-spec.ts'
import type { DatabasePrivilege, Statement, UserOptions } from '../ast.ts'
import {
  type Cursor,
  expectOneOf,
  expectWords,
  peek,
  take,
  takeIfExists,
  takeIfNotExists,
  takeSymbol,
  takeWords,
} from './cursor.ts'
import { parseIdentifier, parseNewName } from './name.ts'
import { parseOption } from './option-list.ts'

/** The options of CREATE USER and ALTER USER. */
const USER_OPTIONS = {
  password: stringOption({ summary: 'The password, in plain text; stored as a bcrypt hash.', secret: true }),
  hash_password: stringOption({
    summary: 'A bcrypt hash, stored as given; this is how a dump restores passwords.',
    secret: true,
  }),
  must_change_password: booleanOption({ summary: 'Whether the user must set a new password before anything else.' }),
  rsa_public_key: stringOption({ summary: 'A public key in PEM; replaces the password at sign-in.', secret: true }),
  comment: stringOption({ summary: 'Free text.' }),
  granted_admin: booleanOption({ summary: 'Whether the user may do everything in every tenant.' }),
}

function userOptionsOf(literals: ReadonlyMap<string, OptionLiteral>): UserOptions {
  const written = parseOptions(USER_OPTIONS, literals, { clause: 'WITH' })
  return {
    ...(written.password !== undefined && { password: written.password }),
    ...(written.hash_password !== undefined && { hashPassword: written.hash_password }),
    ...(written.must_change_password !== undefined && { mustChangePassword: written.must_change_password }),
    ...(written.rsa_public_key !== undefined && { rsaPublicKey: written.rsa_public_key }),
    ...(written.comment !== undefined && { comment: written.comment }),
    ...(written.granted_admin !== undefined && { grantedAdmin: written.granted_admin }),
  }
}

/** `CREATE USER [IF NOT EXISTS] u [WITH option, …]`; the cursor is behind USER. */
export function parseCreateUser(cursor: Cursor): Statement {
  const ifNotExists = takeIfNotExists(cursor)
  const name = parseNewName(cursor, 'a user name')
  const literals = new Map<string, OptionLiteral>()
  if (takeWords(cursor, 'with')) {
    do literals.set(...parseOption(cursor))
    while (takeSymbol(cursor, ','))
  }
  return { kind: 'create-user', name, ifNotExists, options: userOptionsOf(literals) }
}

/** `ALTER USER u SET option` (one) or `RENAME TO v`; the cursor is behind USER. */
export function parseAlterUser(cursor: Cursor): Statement {
  const name = parseIdentifier(cursor, 'a user name')
  if (expectOneOf(cursor, ['set', 'rename']) === 'rename') {
    expectWords(cursor, 'to')
    return { kind: 'alter-user', name, action: { kind: 'rename', to: parseNewName(cursor, 'a user name') } }
  }
  const options = userOptionsOf(new Map([parseOption(cursor)]))
  return { kind: 'alter-user', name, action: { kind: 'set', options } }
}

/** `DROP USER|ROLE [IF EXISTS] name`; the cursor is behind the keyword. */
export function parseDropUserOrRole(cursor: Cursor, subject: 'user' | 'role'): Statement {
  const ifExists = takeIfExists(cursor)
  return { kind: `drop-${subject}`, name: parseIdentifier(cursor, `a ${subject} name`), ifExists }
}

/** `CREATE ROLE [IF NOT EXISTS] r [INHERIT role]`; the cursor is behind ROLE. */
export function parseCreateRole(cursor: Cursor): Statement {
  const ifNotExists = takeIfNotExists(cursor)
  const name = parseNewName(cursor, 'a role name')
  const inherit = takeWords(cursor, 'inherit') ? parseIdentifier(cursor, 'a role name') : undefined
  return { kind: 'create-role', name, ifNotExists, inherit }
}

const PRIVILEGES: Readonly<Record<'read' | 'write' | 'all', DatabasePrivilege>> = {
  read: 'Read',
  write: 'Write',
  all: 'All',
}

function parsePrivilege(cursor: Cursor): { readonly privilege: DatabasePrivilege; readonly database: string } {
  const privilege = PRIVILEGES[expectOneOf(cursor, ['read', 'write', 'all'])]
  expectWords(cursor, 'on', 'database')
  return { privilege, database: parseIdentifier(cursor, 'a database name') }
}

/** `GRANT READ ON DATABASE d, … TO [ROLE] r` and `REVOKE … FROM [ROLE] r`. */
export function parseGrant(cursor: Cursor, kind: 'grant' | 'revoke'): Statement {
  take(cursor)
  const privileges = [parsePrivilege(cursor)]
  while (takeSymbol(cursor, ',')) privileges.push(parsePrivilege(cursor))
  expectWords(cursor, kind === 'grant' ? 'to' : 'from')
  const isName = (kind: string) => kind === 'word' || kind === 'quoted' || kind === 'string'
  if (isName(peek(cursor, 1).kind)) takeWords(cursor, 'role')
  return { kind, privileges, role: parseIdentifier(cursor, 'a role name') }
}
