import type { ObjectName } from '../ast.ts'
import { syntaxError } from '../syntax-error.ts'
import { foldIdentifier, type Token, tokenText } from '../tokenizer.ts'
import { type Cursor, expected, take, takeSymbol } from './cursor.ts'

const BACKTICK_HINT = 'CnosDB quotes names with double quotes: "name"'

const isIdentifier = ({ kind }: Token) => kind === 'word' || kind === 'quoted' || kind === 'string'

/** One identifier: bare (folded), "…" or '…' (both kept). */
export function parseIdentifier(cursor: Cursor, what = 'identifier'): string {
  const { token, sql } = cursor
  if (!isIdentifier(token)) {
    return expected(cursor, what, { hint: sql.startsWith('`', token.start) ? BACKTICK_HINT : undefined })
  }
  const text = tokenText(sql, take(cursor))
  return token.kind === 'word' ? foldIdentifier(text) : text
}

/** `t`, `db.t` or `tenant.db.t`. How many parts are allowed is the planner's to say. */
export function parseObjectName(cursor: Cursor, what = 'identifier'): ObjectName {
  const parts = [parseIdentifier(cursor, what)]
  while (takeSymbol(cursor, '.')) parts.push(parseIdentifier(cursor, what))
  return { parts }
}

function checkNewName(cursor: Cursor, token: Token, name: string): void {
  if (name.includes('/')) {
    throw syntaxError(cursor.sql, token.start, `not supported keyword contains '/': ${name}`, {
      hint: 'choose a name without a slash',
    })
  }
  if (name.trim() === '') {
    throw syntaxError(cursor.sql, token.start, 'Name cannot be empty or contain only spaces')
  }
}

/** The name of something to be created: not blank, and without a slash, as CnosDB demands. */
export function parseNewName(cursor: Cursor, what = 'identifier'): string {
  const { token } = cursor
  const name = parseIdentifier(cursor, what)
  checkNewName(cursor, token, name)
  return name
}

/** The qualified name of a table to be created. */
export function parseNewObjectName(cursor: Cursor, what = 'identifier'): ObjectName {
  const { token } = cursor
  const name = parseObjectName(cursor, what)
  checkNewName(cursor, token, name.parts.at(-1) ?? '')
  return name
}
