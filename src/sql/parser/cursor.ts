import { describeFound, syntaxError } from '../syntax-error.ts'
import { foldIdentifier, nextToken, type Token, tokenText } from '../tokenizer.ts'
import { suggestWord } from './suggest-word.ts'

/** Where a parser is in its statement. Tokens are made one at a time. */
export interface Cursor {
  readonly sql: string
  /** The next token, not yet taken. */
  token: Token
  /** The end of the token taken last. */
  taken: number
}

/** Parentheses deeper than this are refused, so that no later step can run out of stack. */
export const MAX_NESTING = 500

export function openCursor(sql: string): Cursor {
  const cursor: Cursor = { sql, token: { kind: 'end', start: 0, end: 0 }, taken: 0 }
  cursor.token = readToken(cursor, 0)
  return cursor
}

function readToken(cursor: Cursor, offset: number): Token {
  const token = nextToken(cursor.sql, offset)
  if (token.kind !== 'unterminated') return token
  const raw = cursor.sql.slice(token.start, token.start + 2)
  const open = raw.startsWith('"') ? '"' : "'"
  const text = raw === '/*' ? 'Unterminated multi-line comment' : 'Unterminated string literal'
  const close = raw === '/*' ? '*/' : raw.startsWith('$') ? 'the same $tag$' : open
  throw syntaxError(cursor.sql, token.start, raw.startsWith('"') ? 'Unterminated quoted identifier' : text, {
    hint: `it starts here; close it with ${close}`,
  })
}

/** Takes the next token. */
export function take(cursor: Cursor): Token {
  const { token } = cursor
  cursor.taken = token.end
  cursor.token = readToken(cursor, token.end)
  return token
}

/** The token `count` places behind the next one. */
export function peek(cursor: Cursor, count: number): Token {
  let { token } = cursor
  for (let step = 0; step < count; step += 1) token = readToken(cursor, token.end)
  return token
}

/** The keyword a token is, folded to lower case; empty when it is none. */
export function wordOf(cursor: Cursor, token: Token): string {
  return token.kind === 'word' ? foldIdentifier(cursor.sql.slice(token.start, token.end)) : ''
}

/** Whether the next tokens are these keywords (lower case). */
export function atWords(cursor: Cursor, ...words: readonly string[]): boolean {
  return words.every((word, index) => wordOf(cursor, peek(cursor, index)) === word)
}

export function atSymbol(cursor: Cursor, symbol: string, token: Token = cursor.token): boolean {
  return token.kind === 'symbol' && cursor.sql.slice(token.start, token.end) === symbol
}

/** Takes these keywords when they are next. */
export function takeWords(cursor: Cursor, ...words: readonly string[]): boolean {
  if (!atWords(cursor, ...words)) return false
  for (const _ of words) take(cursor)
  return true
}

export function takeSymbol(cursor: Cursor, symbol: string): boolean {
  if (!atSymbol(cursor, symbol)) return false
  take(cursor)
  return true
}

export interface ExpectedOptions {
  readonly hint?: string | undefined
  /** The token at fault, when it is not the next one. */
  readonly token?: Token
}

/** Throws `Expected X, found: Y` at the next token. */
export function expected(cursor: Cursor, what: string, { hint, token = cursor.token }: ExpectedOptions = {}): never {
  const found = describeFound(cursor.sql, token.start, token.end)
  throw syntaxError(cursor.sql, token.start, `Expected ${what}, found: ${found}`, { hint })
}

export function expectWords(cursor: Cursor, ...words: readonly string[]): void {
  for (const word of words) if (!takeWords(cursor, word)) expected(cursor, word.toUpperCase())
}

export function expectSymbol(cursor: Cursor, symbol: string, options: ExpectedOptions = {}): void {
  if (!takeSymbol(cursor, symbol)) expected(cursor, symbol, options)
}

/** Takes one of these keywords (lower case) and answers it. */
export function expectOneOf<const W extends string>(
  cursor: Cursor,
  words: readonly W[],
  { hint }: ExpectedOptions = {},
): W {
  const written = wordOf(cursor, cursor.token)
  const found = words.find((word) => word === written)
  if (found === undefined) return expected(cursor, listOf(words), { hint: suggestWord(written, words) ?? hint })
  take(cursor)
  return found
}

/** `A, B or C`, in upper case. */
export function listOf(words: readonly string[]): string {
  const shown = words.map((word) => word.toUpperCase())
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} or ${shown.at(-1)}`
}

/** `( item, item, … )` with at least one item; the next token is the opening parenthesis. */
export function parseList<T>(cursor: Cursor, parseItem: () => T): T[] {
  expectSymbol(cursor, '(')
  const items = [parseItem()]
  while (takeSymbol(cursor, ',')) items.push(parseItem())
  if (!takeSymbol(cursor, ')')) expected(cursor, ', or )')
  return items
}

/** Text of a string token; only '…' is one. */
export function expectString(cursor: Cursor, what = 'a string in single quotes'): string {
  if (cursor.token.kind !== 'string') {
    return expected(cursor, what, {
      hint: cursor.token.kind === 'quoted' ? 'double quotes are for names; write text in single quotes' : undefined,
    })
  }
  return tokenText(cursor.sql, take(cursor))
}

/** `IF NOT EXISTS`, when it is there. */
export const takeIfNotExists = (cursor: Cursor): boolean => takeWords(cursor, 'if', 'not', 'exists')

/** `IF EXISTS`, when it is there. */
export const takeIfExists = (cursor: Cursor): boolean => takeWords(cursor, 'if', 'exists')
