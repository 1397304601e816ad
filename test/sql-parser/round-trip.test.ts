import fc from 'fast-check'
import { expect, it } from 'vitest'
import { parseStatement } from '../../src/sql/parser.ts'
import { printStatement } from '../../src/sql/printer.ts'
import { splitScript } from '../../src/sql/script.ts'
import { arbitraryStatement } from './arbitrary-statement.ts'
import { withoutOffsets } from './without-offsets.ts'

it('every statement printed and parsed is the same statement', () => {
  fc.assert(
    fc.property(arbitraryStatement, (statement) => {
      const printed = printStatement(statement)
      expect(withoutOffsets(parseStatement(printed))).toEqual(statement)
    }),
    { numRuns: 5_000 },
  )
})

it('every script of printed statements splits into them', () => {
  fc.assert(
    fc.property(fc.array(arbitraryStatement, { maxLength: 5 }), (statements) => {
      const printed = statements.map(printStatement)
      const script = `-- a; 'dump\n${printed.map((sql) => `${sql};\n`).join('/* ; */')}`
      const split = [...splitScript(script)].map((item) => item.kind === 'statement' && item.text)
      expect(split).toEqual(printed)
    }),
    { numRuns: 500 },
  )
})
