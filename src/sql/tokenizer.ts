/**
 * `word`: bare identifier or keyword. `quoted`: "…". `string`: '…'. `escaped`: E'…'. `dollar`: $tag$…$tag$.
 * `unterminated`: a quote or comment that never ends; it reaches to the end of the text.
 */
export type TokenKind =
  | 'word'
  | 'quoted'
  | 'string'
  | 'escaped'
  | 'dollar'
  | 'number'
  | 'symbol'
  | 'unterminated'
  | 'end'

/** A piece of SQL: `sql.slice(start, end)`. Made one at a time, so that a statement of 16 MiB costs no list. */
export interface Token {
  readonly kind: TokenKind
  readonly start: number
  readonly end: number
}

export interface Comment {
  readonly start: number
  readonly end: number
  readonly isTerminated: boolean
}

const NEWLINE = 10
const DOUBLE_QUOTE = 34
const DOLLAR = 36
const SINGLE_QUOTE = 39
const ASTERISK = 42
const DASH = 45
const DOT = 46
const SLASH = 47

const SYMBOLS = ['<=>', '->>', '!=', '<>', '<=', '>=', '==', '=>', '||', '::', ':=', '->', '!~']
/** Symbols that no longer one begins with. */
const LONE_SYMBOLS = ',().;*+'
const BLANK = /[\s\u200b]/
const WORD_START = /^[\p{Alphabetic}_#@]$/u
const WORD_PART = /^[\p{Alphabetic}0-9_#@$]$/u
const NUMBER = /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y
const DOLLAR_TAG = /\$(?:[A-Za-z_][A-Za-z0-9_]*)?\$/y

/** CnosDB lets a bare identifier begin with a letter of any script, `_`, `#` or `@`. */
function isWordStart(character: string): boolean {
  return WORD_START.test(character)
}

const isAsciiWordPart = (code: number) =>
  (code >= 97 && code <= 122) || (code >= 48 && code <= 57) || (code >= 64 && code <= 90) || code === 95 || code === 35

const isDigit = (code: number) => code >= 48 && code <= 57

/** The comment that starts at `offset`, or undefined. Block comments nest. */
function commentAt(sql: string, offset: number): Comment | undefined {
  const code = sql.charCodeAt(offset)
  if (code === DASH && sql.charCodeAt(offset + 1) === DASH) {
    const newline = sql.indexOf('\n', offset)
    return { start: offset, end: newline === -1 ? sql.length : newline, isTerminated: true }
  }
  if (code !== SLASH || sql.charCodeAt(offset + 1) !== ASTERISK) return undefined
  let depth = 1
  let at = offset + 2
  for (; at < sql.length && depth > 0; at += 1) {
    if (sql.startsWith('/*', at)) depth += 1
    else if (sql.startsWith('*/', at)) depth -= 1
    else continue
    at += 1
  }
  return { start: offset, end: Math.min(at, sql.length), isTerminated: depth === 0 }
}

/** The first offset from `offset` on that holds neither a blank nor a comment; an unterminated comment is not skipped. */
function skipBlanks(sql: string, offset: number, onComment?: (comment: Comment) => void): number {
  let at = offset
  while (at < sql.length) {
    const code = sql.charCodeAt(at)
    if (code === 32 || code === NEWLINE || ((code < 32 || code > 126) && BLANK.test(sql.charAt(at)))) {
      at += 1
      continue
    }
    if (code !== DASH && code !== SLASH) return at
    const comment = commentAt(sql, at)
    if (comment) onComment?.(comment)
    if (!comment?.isTerminated) return at
    at = comment.end
  }
  return at
}

/** The end of a quoted piece whose quote is doubled inside, or -1. `offset` is behind the opening quote. */
function endOfQuoted(sql: string, offset: number, quote: string): number {
  for (let at = sql.indexOf(quote, offset); at !== -1; at = sql.indexOf(quote, at + 2)) {
    if (sql.charAt(at + 1) !== quote) return at + 1
  }
  return -1
}

function endOfEscaped(sql: string, offset: number): number {
  for (let at = offset; at < sql.length; at += 1) {
    const character = sql.charAt(at)
    if (character === '\\') at += 1
    else if (character === "'") {
      if (sql.charAt(at + 1) !== "'") return at + 1
      at += 1
    }
  }
  return -1
}

function endOfDollarQuoted(sql: string, offset: number): number | undefined {
  DOLLAR_TAG.lastIndex = offset
  const tag = DOLLAR_TAG.exec(sql)?.[0]
  if (tag === undefined) return undefined
  const close = sql.indexOf(tag, offset + tag.length)
  return close === -1 ? -1 : close + tag.length
}

function endOfWord(sql: string, offset: number): number {
  let at = offset
  while (at < sql.length) {
    const code = sql.charCodeAt(at)
    if (isAsciiWordPart(code) || code === DOLLAR) at += 1
    else {
      const character = String.fromCodePoint(sql.codePointAt(at) as number)
      if (code < 128 || !WORD_PART.test(character)) break
      at += character.length
    }
  }
  return at
}

const made = (kind: TokenKind, start: number, end: number, length: number): Token =>
  end === -1 ? { kind: 'unterminated', start, end: length } : { kind, start, end }

function symbolAt(sql: string, start: number): Token {
  if (LONE_SYMBOLS.includes(sql.charAt(start))) return { kind: 'symbol', start, end: start + 1 }
  const symbol = SYMBOLS.find((text) => sql.startsWith(text, start))
  const length = symbol?.length ?? String.fromCodePoint(sql.codePointAt(start) as number).length
  return { kind: 'symbol', start, end: start + length }
}

/** The next token at or behind `offset`. Never throws; at the end of the text its kind is `end`. */
export function nextToken(sql: string, offset: number, onComment?: (comment: Comment) => void): Token {
  const start = skipBlanks(sql, offset, onComment)
  if (start >= sql.length) return { kind: 'end', start: sql.length, end: sql.length }
  const code = sql.charCodeAt(start)
  const next = sql.charCodeAt(start + 1)
  if (code === SINGLE_QUOTE) return made('string', start, endOfQuoted(sql, start + 1, "'"), sql.length)
  if (code === DOUBLE_QUOTE) return made('quoted', start, endOfQuoted(sql, start + 1, '"'), sql.length)
  if ((code === 69 || code === 101) && next === SINGLE_QUOTE) {
    return made('escaped', start, endOfEscaped(sql, start + 2), sql.length)
  }
  if (isDigit(code) || (code === DOT && isDigit(next))) {
    NUMBER.lastIndex = start
    return { kind: 'number', start, end: start + (NUMBER.exec(sql)?.[0].length ?? 1) }
  }
  if (code === DOLLAR) {
    const end = endOfDollarQuoted(sql, start)
    if (end !== undefined) return made('dollar', start, end, sql.length)
  }
  if (isAsciiWordPart(code) || (code >= 128 && isWordStart(String.fromCodePoint(sql.codePointAt(start) as number)))) {
    return { kind: 'word', start, end: endOfWord(sql, start) }
  }
  if (code === SLASH && next === ASTERISK) return { kind: 'unterminated', start, end: sql.length }
  return symbolAt(sql, start)
}

/** What a token says: quotes taken off, doubled quotes halved, an identifier or keyword as written. */
export function tokenText(sql: string, token: Token): string {
  const raw = sql.slice(token.start, token.end)
  if (token.kind === 'string') return raw.slice(1, -1).replaceAll("''", "'")
  if (token.kind === 'quoted') return raw.slice(1, -1).replaceAll('""', '"')
  return raw
}

/** An unquoted identifier as CnosDB folds it: ASCII letters to lower case, others kept. */
export function foldIdentifier(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
}
