import fc from 'fast-check'
import { expect, it } from 'vitest'
import { isCnosError } from '../../src/errors/cnos-error.ts'
import { parseStatement } from '../../src/sql/parser.ts'
import { printStatement } from '../../src/sql/printer.ts'
import { redactStatement } from '../../src/sql/redact.ts'
import { splitScript } from '../../src/sql/script.ts'
import { ALL_STATEMENTS } from './statements.ts'
import { withoutOffsets } from './without-offsets.ts'

const PIECES = [
  "'",
  '"',
  ';',
  '(',
  ')',
  ',',
  '.',
  '=',
  '--',
  '/*',
  '*/',
  '$$',
  '\\',
  '`',
  '\n',
  ' ',
  '\0',
  '\ud800',
  '\u2011',
  '😀',
  '-1',
  '1e9',
  '99999999999999999999999',
  ' FROM ',
  ' WHERE ',
  ' TAGS (',
  ' CONNECTION = (',
  "E'",
  ' NULL ',
  ' codec(x) ',
]

/** Cuts, doubles, replaces or inserts a piece of a statement. */
const mutation = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  length: fc.nat({ max: 12 }),
  piece: fc.oneof(fc.constantFrom(...PIECES), fc.constantFrom(...ALL_STATEMENTS)),
  how: fc.constantFrom('insert', 'cut', 'replace', 'truncate'),
})

const mutated = fc
  .tuple(fc.constantFrom(...ALL_STATEMENTS), fc.array(mutation, { minLength: 1, maxLength: 4 }))
  .map(([sql, mutations]) =>
    mutations.reduce((text, { at, length, piece, how }) => {
      const from = Math.floor(at * text.length)
      if (how === 'truncate') return text.slice(0, from)
      const to = how === 'insert' ? from : from + length
      return text.slice(0, from) + (how === 'cut' ? '' : piece) + text.slice(to)
    }, sql),
  )

const SEED = 20_240_403

it('20 000 mutated statements parse and print, or are refused with an error of ours, each within a second', () => {
  let slowest = 0
  let parsed = 0
  const check = (sql: string) => {
    const start = performance.now()
    try {
      const statement = parseStatement(sql)
      parsed += 1
      expect(withoutOffsets(parseStatement(printStatement(statement)))).toEqual(withoutOffsets(statement))
    } catch (error) {
      if (!isCnosError(error, 'SQL_SYNTAX', 'MULTI_STATEMENT', 'BAD_OPTION')) throw error
      expect(error.message.length).toBeLessThan(1_500)
    }
    slowest = Math.max(slowest, performance.now() - start)
  }
  fc.assert(fc.property(mutated, check), { numRuns: 20_000, seed: SEED })
  expect(slowest).toBeLessThan(1_000)
  expect(parsed).toBeGreaterThan(1_000)
}, 120_000)

it('mutated scripts split or are refused, and redact without a crash', () => {
  const check = (sql: string) => {
    expect(typeof redactStatement(sql)).toBe('string')
    try {
      for (const item of splitScript(sql)) expect(item.line).toBeGreaterThan(0)
    } catch (error) {
      if (!isCnosError(error, 'SQL_SYNTAX')) throw error
    }
  }
  fc.assert(fc.property(mutated, check), { numRuns: 5_000, seed: SEED })
}, 60_000)
