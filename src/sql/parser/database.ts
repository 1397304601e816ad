import type { DatabaseOptionName, DatabaseOptions, Statement } from '../ast.ts'
import { syntaxError } from '../syntax-error.ts'
import {
  type Cursor,
  expected,
  expectOneOf,
  expectString,
  expectWords,
  listOf,
  take,
  takeIfExists,
  takeIfNotExists,
  takeSymbol,
  takeWords,
  wordOf,
} from './cursor.ts'
import { parseIdentifier, parseNewName } from './name.ts'
import { parseLiteral } from './option-list.ts'

/** How the value of each option is written. WAL_SYNC and STRICT_WRITE take `'true'`, in quotes, as in CnosDB. */
const OPTION_TYPES: Readonly<Record<DatabaseOptionName, 'string' | 'integer'>> = {
  ttl: 'string',
  shard: 'integer',
  vnode_duration: 'string',
  replica: 'integer',
  precision: 'string',
  max_memcache_size: 'string',
  memcache_partitions: 'integer',
  wal_max_file_size: 'string',
  wal_sync: 'string',
  strict_write: 'string',
  max_cache_readers: 'integer',
}
const OPTION_NAMES = Object.keys(OPTION_TYPES) as DatabaseOptionName[]
const ALTERABLE = ['ttl', 'shard', 'vnode_duration', 'replica'] as const satisfies readonly DatabaseOptionName[]

function parseOptionValue(cursor: Cursor, name: DatabaseOptionName): string | bigint {
  takeSymbol(cursor, '=')
  if (OPTION_TYPES[name] === 'string') return expectString(cursor, `a string for ${name.toUpperCase()}`)
  const { start } = cursor.token
  const value = parseLiteral(cursor)
  if (typeof value === 'bigint') return value
  throw syntaxError(cursor.sql, start, `Expected an integer for ${name.toUpperCase()}`)
}

/** `WITH option value option value …`: parted by blanks; a later repeat of an option wins. */
function parseCreateOptions(cursor: Cursor): DatabaseOptions {
  const options = new Map<DatabaseOptionName, string | bigint>()
  if (!takeWords(cursor, 'with')) return options
  do {
    const name = expectOneOf(cursor, OPTION_NAMES, { hint: 'options are parted by blanks, without commas' })
    options.delete(name)
    options.set(name, parseOptionValue(cursor, name))
  } while (cursor.token.kind === 'word')
  return options
}

/** `CREATE DATABASE [IF NOT EXISTS] d [WITH …]`; the cursor is behind DATABASE. */
export function parseCreateDatabase(cursor: Cursor): Statement {
  const ifNotExists = takeIfNotExists(cursor)
  const name = parseNewName(cursor, 'a database name')
  return { kind: 'create-database', name, ifNotExists, options: parseCreateOptions(cursor) }
}

/** `ALTER DATABASE d SET option value`: one option, one of those that can change. */
export function parseAlterDatabase(cursor: Cursor): Statement {
  const name = parseIdentifier(cursor, 'a database name')
  expectWords(cursor, 'set')
  const option = ALTERABLE.find((word) => word === wordOf(cursor, cursor.token))
  if (option === undefined) {
    const isKnown = OPTION_NAMES.some((word) => word === wordOf(cursor, cursor.token))
    return expected(cursor, listOf(ALTERABLE), {
      hint: isKnown ? 'this option is fixed by CREATE DATABASE' : undefined,
    })
  }
  take(cursor)
  const options: DatabaseOptions = new Map([[option, parseOptionValue(cursor, option)]])
  return { kind: 'alter-database', name, options }
}

/** `[AFTER 'duration']` of a DROP that can be recovered. */
export function parseAfter(cursor: Cursor): string | undefined {
  return takeWords(cursor, 'after') ? expectString(cursor, 'a duration in single quotes') : undefined
}

/** `DROP DATABASE [IF EXISTS] d [AFTER 'duration']`. */
export function parseDropDatabase(cursor: Cursor): Statement {
  const ifExists = takeIfExists(cursor)
  const name = parseIdentifier(cursor, 'a database name')
  return { kind: 'drop-database', name, ifExists, after: parseAfter(cursor) }
}

/** `RECOVER DATABASE|TENANT [IF EXISTS] name`. */
export function parseRecover(cursor: Cursor): Statement {
  take(cursor)
  const subject = expectOneOf(cursor, ['database', 'tenant'])
  const ifExists = takeIfExists(cursor)
  const name = parseIdentifier(cursor, `a ${subject} name`)
  return { kind: subject === 'database' ? 'recover-database' : 'recover-tenant', name, ifExists }
}
