import fc from 'fast-check'
import { expect, it } from 'vitest'
import { findBasedNumber, findBitString, foldIdentifiers } from './select-fold.ts'

it.each([
  ['SELECT Temp FROM Air', 'select temp from air'],
  [`SELECT 'It''S', "Temp" AS T`, `select 'It''S', "Temp" as t`],
  [`SELECT E'A\\'B', Temp`, `select e'A\\'B', temp`],
  [`SELECT NAME'A\\' , B`, `select name'A\\' , b`],
  ['SELECT $$A B$$, $Tag$C $$ D$Tag$, X$1$Y', 'select $$A B$$, $Tag$C $$ D$Tag$, x$1$y'],
  ['SELECT A -- Keep This\n, B', 'select a -- Keep This\n, b'],
  ['SELECT A /* Keep /* This */ Too */ , B', 'select a /* Keep /* This */ Too */ , b'],
  [`SELECT 'Open`, `select 'Open`],
  ['SELECT "Open', 'select "Open'],
  ['CAST(A AS BIGINT UNSIGNED)', 'cast(a as ubigint        )'],
  ['CAST(A AS INT\n UNSIGNED)', 'cast(a as uinteger     )'],
  ['SELECT ÄÖ İ', 'select ÄÖ İ'],
])('%s', (text, folded) => {
  expect(foldIdentifiers(text)).toBe(folded)
})

it.each([
  [`SELECT X'41'`, 7],
  [`SELECT a, b'01'`, 10],
  [`SELECT 'X''41', "X'41'", ax'41'`, -1],
  [`SELECT E'x\\'', -- X'41'\n x'1'`, 25],
  [`/* b'1' */ SELECT $$x'1'$$`, -1],
])('finds the bit string in %s', (text, at) => {
  expect(findBitString(text)).toBe(at)
})

it.each([
  ['SELECT 0x1F', 7],
  ['SELECT 1, -0B1', 11],
  [`SELECT '0x1', "0x1", a0x1, 10x1, 1.0x1 -- 0x1`, -1],
  ['SELECT 0 x1, 0.5, 0e1', -1],
])('finds the number of another base in %s', (text, at) => {
  expect(findBasedNumber(text)).toBe(at)
})

it('keeps every character in its place', () => {
  const piece = fc.constantFrom(
    "'",
    '"',
    '$$',
    '$a$',
    '--',
    '\n',
    '/*',
    '*/',
    'E',
    'Aa',
    '\\',
    ' ',
    'é',
    '😀',
    'BIGINT  UNSIGNED',
  )
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const text = pieces.join('')
      const folded = foldIdentifiers(text)
      expect(folded.length).toBe(text.length)
      expect(folded.toLowerCase().replaceAll('ubigint         ', 'bigint  unsigned')).toBe(text.toLowerCase())
    }),
  )
})
