import type { Expression, Statement } from '../ast.ts'
import { syntaxError } from '../syntax-error.ts'
import {
  atSymbol,
  atWords,
  type Cursor,
  expected,
  expectSymbol,
  expectWords,
  parseList,
  peek,
  take,
  takeSymbol,
  takeWords,
  wordOf,
} from './cursor.ts'
import { parseIdentifier, parseObjectName } from './name.ts'
import { parseQuery, takeVerbatim } from './verbatim.ts'

export function parseQueryStatement(cursor: Cursor): Statement {
  return { kind: 'query', query: parseQuery(cursor) }
}

/** Whether the parenthesis that is next holds a query and not a list of columns. */
function atParenthesisedQuery(cursor: Cursor): boolean {
  const inside = peek(cursor, 1)
  return ['select', 'with', 'values'].includes(wordOf(cursor, inside)) || atSymbol(cursor, '(', inside)
}

/** `INSERT [INTO] [TABLE] t [(c, …)] query`. */
export function parseInsert(cursor: Cursor): Statement {
  take(cursor)
  takeWords(cursor, 'into')
  const afterTable = peek(cursor, 1).kind
  const namesTable = afterTable === 'word' || afterTable === 'quoted' || afterTable === 'string'
  if (
    atWords(cursor, 'table') &&
    namesTable &&
    !atWords(cursor, 'table', 'values') &&
    !atWords(cursor, 'table', 'select')
  ) {
    take(cursor)
  }
  const table = parseObjectName(cursor, 'a table name')
  const hasColumns = atSymbol(cursor, '(') && !atParenthesisedQuery(cursor)
  const columns = hasColumns ? parseList(cursor, () => parseIdentifier(cursor)) : undefined
  return { kind: 'insert', table, columns, source: parseQuery(cursor) }
}

function parseWhere(cursor: Cursor): Expression | undefined {
  return takeWords(cursor, 'where') ? takeVerbatim(cursor, 'an expression') : undefined
}

/** `DELETE FROM t [WHERE …]`. */
export function parseDelete(cursor: Cursor): Statement {
  take(cursor)
  expectWords(cursor, 'from')
  const table = parseObjectName(cursor, 'a table name')
  return { kind: 'delete', table, where: parseWhere(cursor) }
}

/** `UPDATE t SET c = expression, … [WHERE …]`. */
export function parseUpdate(cursor: Cursor): Statement {
  take(cursor)
  const table = parseObjectName(cursor, 'a table name')
  expectWords(cursor, 'set')
  const assignments: { column: string; value: Expression }[] = []
  do {
    const column = parseIdentifier(cursor, 'a column name')
    expectSymbol(cursor, '=')
    const value = takeVerbatim(cursor, 'an expression', { comma: true, words: ['where'] })
    assignments.push({ column, value })
  } while (takeSymbol(cursor, ','))
  return { kind: 'update', table, assignments, where: parseWhere(cursor) }
}

/** `EXPLAIN [ANALYZE] [VERBOSE] [FORMAT name] statement`. */
export function parseExplain(cursor: Cursor, parseInner: (cursor: Cursor) => Statement): Statement {
  take(cursor)
  const analyze = takeWords(cursor, 'analyze')
  const verbose = takeWords(cursor, 'verbose')
  const format = takeWords(cursor, 'format') ? parseIdentifier(cursor, 'a format name').toUpperCase() : undefined
  if (atWords(cursor, 'explain')) throw syntaxError(cursor.sql, cursor.token.start, 'Explain must be root of the plan')
  return { kind: 'explain', analyze, verbose, format, statement: parseInner(cursor) }
}

/** `KILL QUERY id`. */
export function parseKill(cursor: Cursor): Statement {
  take(cursor)
  expectWords(cursor, 'query')
  const { token } = cursor
  const text = cursor.sql.slice(token.start, token.end)
  if (token.kind !== 'number' || !/^\d{1,20}$/.test(text)) {
    return expected(cursor, 'a query id', { hint: 'SHOW QUERIES lists the ids' })
  }
  take(cursor)
  return { kind: 'kill-query', queryId: BigInt(text) }
}
