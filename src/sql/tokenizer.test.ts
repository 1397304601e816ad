import { describe, expect, it } from 'vitest'
import { nextToken, type TokenKind, tokenText } from './tokenizer.ts'

function tokensOf(sql: string): readonly (readonly [TokenKind, string])[] {
  const tokens: [TokenKind, string][] = []
  for (let token = nextToken(sql, 0); token.kind !== 'end'; token = nextToken(sql, token.end)) {
    tokens.push([token.kind, tokenText(sql, token)])
  }
  return tokens
}

describe('nextToken', () => {
  it('reads identifiers as CnosDB does', () => {
    expect(tokensOf('Öl #a @b _c a$1 日本 a-b')).toEqual([
      ['word', 'Öl'],
      ['word', '#a'],
      ['word', '@b'],
      ['word', '_c'],
      ['word', 'a$1'],
      ['word', '日本'],
      ['word', 'a'],
      ['symbol', '-'],
      ['word', 'b'],
    ])
  })

  it('takes quotes off and halves doubled ones', () => {
    expect(tokensOf(`'it''s' "a""b" '' "" '''' E'a\\'b' $$x'$$ $t$ $$ $t$`)).toEqual([
      ['string', "it's"],
      ['quoted', 'a"b'],
      ['string', ''],
      ['quoted', ''],
      ['string', "'"],
      ['escaped', "E'a\\'b'"],
      ['dollar', "$$x'$$"],
      ['dollar', '$t$ $$ $t$'],
    ])
  })

  it('leaves a backslash alone', () => {
    expect(tokensOf("'\\' 'b'")).toEqual([
      ['string', '\\'],
      ['string', 'b'],
    ])
  })

  it('steps over comments, nested ones too', () => {
    expect(tokensOf('a -- b\n/* c /* d */ e */f')).toEqual([
      ['word', 'a'],
      ['word', 'f'],
    ])
  })

  it('reads numbers', () => {
    expect(tokensOf('1 1.5 .5 1e9 2E-3 18446744073709551615 1a').map(([kind]) => kind)).toEqual([
      'number',
      'number',
      'number',
      'number',
      'number',
      'number',
      'number',
      'word',
    ])
  })

  it.each(["'a", '"a', "E'a\\'", '$$a', '/* a /* */', "'a''"])('says that %s never ends', (sql) => {
    expect(nextToken(sql, 0)).toEqual({ kind: 'unterminated', start: 0, end: sql.length })
  })

  it('goes on behind any character', () => {
    expect(tokensOf('\0`\ud800😀\\').map(([kind]) => kind)).toEqual(['symbol', 'symbol', 'symbol', 'symbol', 'symbol'])
  })
})
