import { CnosError } from '../errors/cnos-error.ts'
import type { Statement } from './ast.ts'
import { parseCopy } from './parser/copy.ts'
import { type Cursor, expected, listOf, openCursor, take, takeSymbol, takeWords, wordOf } from './parser/cursor.ts'
import { parseDelete, parseExplain, parseInsert, parseKill, parseQueryStatement, parseUpdate } from './parser/data.ts'
import { parseAlterDatabase, parseCreateDatabase, parseDropDatabase, parseRecover } from './parser/database.ts'
import { parseCreateExternalTable, parseCreateStreamTable } from './parser/external-table.ts'
import { parseDescribe, parseShow } from './parser/show.ts'
import { suggestWord } from './parser/suggest-word.ts'
import { parseAlterTable, parseCreateTable, parseDropTable } from './parser/table.ts'
import { parseAlterTenant, parseCreateTenant, parseDropTenant } from './parser/tenant.ts'
import {
  parseUnsupported,
  parseUnsupportedStatement,
  UNSUPPORTED_FIRST_WORDS,
  UNSUPPORTED_OBJECTS,
} from './parser/unsupported.ts'
import {
  parseAlterUser,
  parseCreateRole,
  parseCreateUser,
  parseDropUserOrRole,
  parseGrant,
} from './parser/user-role.ts'
import { atQuery } from './parser/verbatim.ts'
import { redactStatement } from './redact.ts'
import { nextToken } from './tokenizer.ts'

type Parse = (cursor: Cursor) => Statement
type ParseTable = ReadonlyMap<string, Parse>

/** `kind TABLE …`, where `kind` is the word that was just taken. */
function tableAfter(parse: Parse, feature?: string): Parse {
  return (cursor) => {
    if (takeWords(cursor, 'table')) return parse(cursor)
    return feature === undefined ? expected(cursor, 'TABLE') : parseUnsupported(cursor, feature)
  }
}

const OBJECT_PARSERS: Readonly<Record<'create' | 'alter' | 'drop', ParseTable>> = {
  create: new Map<string, Parse>([
    ['database', parseCreateDatabase],
    ['table', parseCreateTable],
    ['external', tableAfter(parseCreateExternalTable)],
    ['stream', tableAfter(parseCreateStreamTable, 'CREATE STREAM')],
    ['tenant', parseCreateTenant],
    ['user', parseCreateUser],
    ['role', parseCreateRole],
  ]),
  alter: new Map<string, Parse>([
    ['database', parseAlterDatabase],
    ['table', parseAlterTable],
    ['tenant', parseAlterTenant],
    ['user', parseAlterUser],
  ]),
  drop: new Map<string, Parse>([
    ['database', parseDropDatabase],
    ['table', parseDropTable],
    ['tenant', parseDropTenant],
    ['user', (cursor) => parseDropUserOrRole(cursor, 'user')],
    ['role', (cursor) => parseDropUserOrRole(cursor, 'role')],
  ]),
}

/** CREATE, ALTER and DROP: the second word says of what. */
function parseObjectStatement(verb: 'create' | 'alter' | 'drop'): Parse {
  return (cursor) => {
    take(cursor)
    const word = wordOf(cursor, cursor.token)
    const parse = OBJECT_PARSERS[verb].get(word)
    if (parse) {
      take(cursor)
      return parse(cursor)
    }
    if (UNSUPPORTED_OBJECTS[verb].includes(word)) {
      return parseUnsupported(cursor, `${verb} ${word}`.toUpperCase())
    }
    const objects = [...OBJECT_PARSERS[verb].keys()]
    return expected(cursor, `${listOf(objects)} after ${verb.toUpperCase()}`, { hint: suggestWord(word, objects) })
  }
}

const STATEMENT_PARSERS: ParseTable = new Map<string, Parse>([
  ['insert', parseInsert],
  ['delete', parseDelete],
  ['update', parseUpdate],
  ['copy', parseCopy],
  ['explain', (cursor) => parseExplain(cursor, parseOne)],
  ['create', parseObjectStatement('create')],
  ['alter', parseObjectStatement('alter')],
  ['drop', parseObjectStatement('drop')],
  ['recover', parseRecover],
  ['describe', parseDescribe],
  ['desc', parseDescribe],
  ['grant', (cursor) => parseGrant(cursor, 'grant')],
  ['revoke', (cursor) => parseGrant(cursor, 'revoke')],
  ['show', parseShow],
  ['kill', parseKill],
  ...UNSUPPORTED_FIRST_WORDS.map((word): [string, Parse] => [word, parseUnsupportedStatement]),
])

function parseOne(cursor: Cursor): Statement {
  if (atQuery(cursor)) return parseQueryStatement(cursor)
  const word = wordOf(cursor, cursor.token)
  const parse = STATEMENT_PARSERS.get(word)
  if (parse) return parse(cursor)
  const hint = suggestWord(word, [...STATEMENT_PARSERS.keys(), 'select', 'with', 'values'])
  return expected(cursor, 'an SQL statement', { hint })
}

const SHOWN_SQL = 500

function refuseMore(sql: string, offset: number): never {
  let count = 1
  let isInside = false
  for (let token = nextToken(sql, offset); token.kind !== 'end'; token = nextToken(sql, token.end)) {
    const isSemicolon = token.kind === 'symbol' && sql.charAt(token.start) === ';'
    if (!isSemicolon && !isInside) count += 1
    isInside = !isSemicolon
  }
  const redacted = redactStatement(sql)
  const shown = redacted.length > SHOWN_SQL ? `${redacted.slice(0, SHOWN_SQL)}…` : redacted
  throw new CnosError('MULTI_STATEMENT', `Multi-statement not allow, found num:${count}, sql:${shown}`, {
    context: { position: Buffer.byteLength(sql.slice(0, offset)) },
    hint: 'send one statement at a time; a script goes through the -f option of the shell',
  })
}

/**
 * Parses one statement; a final `;` is fine. Throws SQL_SYNTAX with the byte offset in `context.position`, or
 * MULTI_STATEMENT when more than one statement is there. No message holds a secret.
 */
export function parseStatement(sql: string): Statement {
  const cursor = openCursor(sql)
  while (takeSymbol(cursor, ';'));
  const statement = parseOne(cursor)
  if (cursor.token.kind !== 'end' && !takeSymbol(cursor, ';')) expected(cursor, 'end of statement')
  while (takeSymbol(cursor, ';'));
  if (cursor.token.kind !== 'end') refuseMore(sql, cursor.token.start)
  return statement
}
