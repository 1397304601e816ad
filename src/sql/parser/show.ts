import type { Expression, ShowSubject, Statement } from '../ast.ts'
import {
  type Cursor,
  expected,
  expectOneOf,
  expectWords,
  parseList,
  take,
  takeSymbol,
  takeWords,
  wordOf,
} from './cursor.ts'
import { parseIdentifier, parseObjectName } from './name.ts'
import { parseUnsupported, UNSUPPORTED_OBJECTS } from './unsupported.ts'
import { takeVerbatim } from './verbatim.ts'

const SUBJECTS = ['databases', 'tables', 'queries', 'streams', 'replicas'] as const satisfies readonly ShowSubject[]
const TAIL_WORDS = ['where', 'order', 'limit', 'offset']

const parseOn = (cursor: Cursor) => (takeWords(cursor, 'on') ? parseIdentifier(cursor, 'a database name') : undefined)

/** WHERE, ORDER BY, LIMIT, OFFSET as they stand; empty when there are none. */
function parseTail(cursor: Cursor): Expression {
  const atTail = TAIL_WORDS.includes(wordOf(cursor, cursor.token))
  return atTail ? takeVerbatim(cursor, 'an expression') : { text: '', offset: cursor.token.start }
}

function parseShowSeries(cursor: Cursor): Statement {
  const database = parseOn(cursor)
  expectWords(cursor, 'from')
  const table = parseObjectName(cursor, 'a table name')
  return { kind: 'show-series', table, database, tail: parseTail(cursor) }
}

type TagValues = Extract<Statement, { readonly kind: 'show-tag-values' }>

function parseKeyCondition(cursor: Cursor): TagValues['key'] {
  const parseKey = () => parseIdentifier(cursor, 'a tag name')
  if (takeSymbol(cursor, '=')) return { operator: '=', keys: [parseKey()] }
  if (takeSymbol(cursor, '!=') || takeSymbol(cursor, '<>')) return { operator: '!=', keys: [parseKey()] }
  if (takeWords(cursor, 'in')) return { operator: 'IN', keys: parseList(cursor, parseKey) }
  if (takeWords(cursor, 'not', 'in')) return { operator: 'NOT IN', keys: parseList(cursor, parseKey) }
  return expected(cursor, '=, !=, IN or NOT IN')
}

function parseShowTagValues(cursor: Cursor): Statement {
  expectWords(cursor, 'values')
  const database = parseOn(cursor)
  expectWords(cursor, 'from')
  const table = parseObjectName(cursor, 'a table name')
  expectWords(cursor, 'with', 'key')
  const key = parseKeyCondition(cursor)
  return { kind: 'show-tag-values', table, database, key, tail: parseTail(cursor) }
}

/** `SHOW …`. */
export function parseShow(cursor: Cursor): Statement {
  take(cursor)
  const word = wordOf(cursor, cursor.token)
  if (UNSUPPORTED_OBJECTS.show.includes(word)) return parseUnsupported(cursor, `SHOW ${word.toUpperCase()}`)
  const subject = expectOneOf(cursor, [...SUBJECTS, 'series', 'tag'])
  if (subject === 'series') return parseShowSeries(cursor)
  if (subject === 'tag') return parseShowTagValues(cursor)
  return { kind: 'show', subject, database: subject === 'tables' ? parseOn(cursor) : undefined }
}

/** `DESCRIBE DATABASE d`, `DESC TABLE t`. */
export function parseDescribe(cursor: Cursor): Statement {
  take(cursor)
  if (expectOneOf(cursor, ['database', 'table']) === 'table') {
    return { kind: 'describe-table', table: parseObjectName(cursor, 'a table name') }
  }
  return { kind: 'describe-database', name: parseIdentifier(cursor, 'a database name') }
}
