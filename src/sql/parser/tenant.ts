import { LIMITER_GROUPS, type LimiterGroup, type Statement, type TenantOptions } from '../ast.ts'
import { syntaxError } from '../syntax-error.ts'
import {
  type Cursor,
  expected,
  expectOneOf,
  expectString,
  expectWords,
  take,
  takeIfExists,
  takeIfNotExists,
  takeSymbol,
  takeWords,
  wordOf,
} from './cursor.ts'
import { parseAfter } from './database.ts'
import { parseIdentifier, parseNewName } from './name.ts'
import { parseLiteral } from './option-list.ts'

const OBJECT_NUMBERS = [
  'max_users_number',
  'max_databases',
  'max_shard_number',
  'max_replicate_number',
  'max_retention_time',
]
const BUCKET_NUMBERS = [
  'remote_max',
  'remote_initial',
  'remote_refill',
  'remote_interval',
  'local_max',
  'local_initial',
]
const UNSETTABLE = ['comment', 'drop_after', '_limiter'] as const

interface OptionsBeingParsed {
  comment?: string
  dropAfter?: string
  objectConfig?: ReadonlyMap<string, bigint>
  requestConfig?: ReadonlyMap<LimiterGroup, ReadonlyMap<string, bigint>>
  limiterJson?: string
}

/** `name [=] integer`, parted by blanks, as long as a known name follows. */
function parseNumbers(cursor: Cursor, names: readonly string[]): ReadonlyMap<string, bigint> {
  const numbers = new Map<string, bigint>()
  while (cursor.token.kind === 'word') {
    const name = expectOneOf(cursor, names, { hint: 'numbers of a group are parted by blanks, groups by commas' })
    takeSymbol(cursor, '=')
    const { start } = cursor.token
    const value = parseLiteral(cursor)
    if (typeof value !== 'bigint') throw syntaxError(cursor.sql, start, `Expected an integer for ${name}`)
    numbers.delete(name)
    numbers.set(name, value)
  }
  return numbers
}

function parseTenantString(cursor: Cursor): string {
  takeSymbol(cursor, '=')
  return expectString(cursor)
}

function parseTenantOption(cursor: Cursor, options: OptionsBeingParsed): void {
  const { token } = cursor
  const word = wordOf(cursor, token)
  const group = LIMITER_GROUPS.find((name) => name === word)
  if (!group && !['comment', 'drop_after', '_limiter', 'object_config'].includes(word)) {
    if (token.kind !== 'word') expected(cursor, 'a tenant option')
    throw syntaxError(cursor.sql, token.start, `Unknown tenant option: ${word}`, {
      hint: `known are comment, drop_after, _limiter, object_config, ${LIMITER_GROUPS.join(', ')}`,
    })
  }
  take(cursor)
  if (word === 'comment') options.comment = parseTenantString(cursor)
  else if (word === 'drop_after') options.dropAfter = parseTenantString(cursor)
  else if (word === '_limiter') options.limiterJson = parseTenantString(cursor)
  else if (group) {
    const numbers = parseNumbers(cursor, BUCKET_NUMBERS)
    options.requestConfig = new Map([...(options.requestConfig ?? []), [group, numbers]])
  } else options.objectConfig = parseNumbers(cursor, OBJECT_NUMBERS)
}

/** Options and limiter groups, parted by commas. */
function parseTenantOptions(cursor: Cursor): TenantOptions {
  const options: OptionsBeingParsed = {}
  do parseTenantOption(cursor, options)
  while (takeSymbol(cursor, ','))
  return options
}

/** `CREATE TENANT [IF NOT EXISTS] t [WITH …]`; the cursor is behind TENANT. */
export function parseCreateTenant(cursor: Cursor): Statement {
  const ifNotExists = takeIfNotExists(cursor)
  const name = parseNewName(cursor, 'a tenant name')
  const options = takeWords(cursor, 'with') ? parseTenantOptions(cursor) : {}
  return { kind: 'create-tenant', name, ifNotExists, options }
}

function parseMember(cursor: Cursor): { readonly user: string; readonly role: string } {
  expectWords(cursor, 'user')
  const user = parseIdentifier(cursor, 'a user name')
  expectWords(cursor, 'as')
  return { user, role: parseIdentifier(cursor, 'a role name') }
}

type AlterAction = Extract<Statement, { readonly kind: 'alter-tenant' }>['action']

function parseAlterAction(cursor: Cursor): AlterAction {
  const verb = expectOneOf(cursor, ['set', 'unset', 'add', 'remove'])
  if (verb === 'unset') return { kind: 'unset', option: expectOneOf(cursor, UNSETTABLE) }
  if (verb === 'add') return { kind: 'add-user', ...parseMember(cursor) }
  if (verb === 'remove') {
    expectWords(cursor, 'user')
    return { kind: 'remove-user', user: parseIdentifier(cursor, 'a user name') }
  }
  if (wordOf(cursor, cursor.token) === 'user') return { kind: 'set-user', ...parseMember(cursor) }
  return { kind: 'set', options: parseTenantOptions(cursor) }
}

/** `ALTER TENANT t SET|UNSET|ADD USER|SET USER|REMOVE USER …`; the cursor is behind TENANT. */
export function parseAlterTenant(cursor: Cursor): Statement {
  const name = parseIdentifier(cursor, 'a tenant name')
  return { kind: 'alter-tenant', name, action: parseAlterAction(cursor) }
}

/** `DROP TENANT [IF EXISTS] t [AFTER 'duration']`; the cursor is behind TENANT. */
export function parseDropTenant(cursor: Cursor): Statement {
  const ifExists = takeIfExists(cursor)
  const name = parseIdentifier(cursor, 'a tenant name')
  return { kind: 'drop-tenant', name, ifExists, after: parseAfter(cursor) }
}
