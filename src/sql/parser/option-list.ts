import type { OptionLiteral } from '../../options/option-spec.ts'
import type { Options } from '../ast.ts'
import { describeFound, syntaxError } from '../syntax-error.ts'
import { foldIdentifier, type Token, tokenText } from '../tokenizer.ts'
import { type Cursor, expected, expectSymbol, take, takeSymbol, wordOf } from './cursor.ts'

const INTEGER = /^\d{1,20}$/
const WORD_LITERALS: ReadonlyMap<string, OptionLiteral> = new Map<string, OptionLiteral>([
  ['true', true],
  ['false', false],
  ['null', null],
])

function refuseValue(cursor: Cursor): never {
  const { sql, token } = cursor
  const found = describeFound(sql, token.start, token.end)
  const hint = "write text in single quotes: '…'"
  if (token.kind === 'quoted') {
    throw syntaxError(sql, token.start, `expected string value, but found : ${found}`, { hint })
  }
  if (token.kind === 'number') {
    throw syntaxError(sql, token.start, `expected integer value, but found : ${found}`)
  }
  return expected(cursor, token.kind === 'word' ? 'a concrete value' : 'a value', { hint })
}

/** `'text'`, `true`, `false`, `NULL` or an unsigned integer of at most 20 digits. */
export function parseLiteral(cursor: Cursor): OptionLiteral {
  const { sql, token } = cursor
  if (token.kind === 'string') return tokenText(sql, take(cursor))
  const text = sql.slice(token.start, token.end)
  if (token.kind === 'number' && INTEGER.test(text)) {
    take(cursor)
    return BigInt(text)
  }
  const literal = WORD_LITERALS.get(wordOf(cursor, token))
  if (literal === undefined) return refuseValue(cursor)
  take(cursor)
  return literal
}

const isKey = ({ kind }: Token) => kind === 'word' || kind === 'quoted' || kind === 'string'

/** A key of an option list: any word (folded), or quoted (kept as it is). */
function parseKey(cursor: Cursor): string {
  const { token } = cursor
  if (!isKey(token)) return expected(cursor, 'identifier')
  const text = tokenText(cursor.sql, take(cursor))
  return token.kind === 'word' ? foldIdentifier(text) : text
}

/** `key [=] value`. */
export function parseOption(cursor: Cursor): readonly [key: string, value: OptionLiteral] {
  const key = parseKey(cursor)
  takeSymbol(cursor, '=')
  return [key, parseLiteral(cursor)]
}

/** `(key = value, …)`: not empty; `=` and commas may be left out; of a repeated key the last counts. */
export function parseOptionList(cursor: Cursor): Options {
  const options = new Map<string, OptionLiteral>()
  expectSymbol(cursor, '(')
  let hasMore = true
  while (hasMore) {
    const [key, value] = parseOption(cursor)
    options.delete(key)
    options.set(key, value)
    hasMore = takeSymbol(cursor, ',') || isKey(cursor.token)
  }
  if (!takeSymbol(cursor, ')')) expected(cursor, ', or )')
  return options
}
