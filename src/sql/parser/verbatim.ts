import type { Expression, Query } from '../ast.ts'
import { syntaxError } from '../syntax-error.ts'
import { atSymbol, type Cursor, expected, MAX_NESTING, take, wordOf } from './cursor.ts'

const QUERY_WORDS: ReadonlySet<string> = new Set(['select', 'with', 'values'])

/** Whether a query begins here: SELECT, WITH, VALUES or an opening parenthesis. */
export function atQuery(cursor: Cursor): boolean {
  return QUERY_WORDS.has(wordOf(cursor, cursor.token)) || atSymbol(cursor, '(')
}

export interface VerbatimEnd {
  /** Ends at a comma outside parentheses. */
  readonly comma?: boolean
  /** Ends at a `)` that was not opened inside. */
  readonly parenthesis?: boolean
  /** Ends at one of these keywords outside parentheses. */
  readonly words?: readonly string[]
}

function isEnd(cursor: Cursor, end: VerbatimEnd): boolean {
  if (cursor.token.kind === 'end' || atSymbol(cursor, ';')) return true
  if (end.comma && atSymbol(cursor, ',')) return true
  if (end.parenthesis && atSymbol(cursor, ')')) return true
  return end.words?.includes(wordOf(cursor, cursor.token)) ?? false
}

/** Takes text up to `end`, by tokens: quotes and comments are stepped over, parentheses must balance. */
export function takeVerbatim(cursor: Cursor, what: string, end: VerbatimEnd = {}): Expression {
  const { start } = cursor.token
  if (isEnd(cursor, end)) expected(cursor, what)
  let depth = 0
  let closing = start
  while (depth > 0 || !isEnd(cursor, end)) {
    if (atSymbol(cursor, '(')) depth += 1
    else if (atSymbol(cursor, ')')) depth -= 1
    else if (depth > 0 && (cursor.token.kind === 'end' || atSymbol(cursor, ';'))) expected(cursor, ')')
    if (depth < 0) expected(cursor, 'end of statement')
    if (depth > MAX_NESTING) throw syntaxError(cursor.sql, cursor.token.start, `nested deeper than ${MAX_NESTING}`)
    closing = take(cursor).end
  }
  return { text: cursor.sql.slice(start, closing), offset: start }
}

/** A SELECT, WITH, VALUES or parenthesised query, up to the end of the statement or, in parentheses, to its `)`. */
export function parseQuery(cursor: Cursor, end: VerbatimEnd = {}): Query {
  if (!atQuery(cursor)) expected(cursor, 'SELECT, VALUES, or a subquery in the query body')
  return takeVerbatim(cursor, 'a query', end)
}
