import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseLiteralRows } from './values-literal.ts'

const cellsOf = (text: string) =>
  parseLiteralRows(text)?.map((row) => row.cells.map((cell) => ('text' in cell ? cell.text : null)))

describe('parseLiteralRows', () => {
  it('reads every kind of literal', () => {
    expect(
      cellsOf("VALUES ('it''s', -1.50, +2, 18446744073709551615, TRUE, false, NULL, TIMESTAMP '2024-01-01')"),
    ).toEqual([["it's", '-1.50', '2', '18446744073709551615', 'true', 'false', null, '2024-01-01']])
  })

  it('reads several rows and comments', () => {
    expect(cellsOf('values (1), -- one\n (2) /* two */ , (1e300)')).toEqual([['1'], ['2'], ['1e300']])
  })

  it.each([
    'SELECT 1',
    'VALUES (now())',
    'VALUES (1 + 1)',
    'VALUES (1) LIMIT 1',
    'VALUES ("a")',
    'VALUES ()',
    'VALUES (1),',
    'VALUES (- -1)',
  ])('leaves %j to the engine', (text) => {
    expect(parseLiteralRows(text)).toBeUndefined()
  })

  it('gives every string back', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1 }), (texts) => {
        const sql = `VALUES (${texts.map((text) => `'${text.replaceAll("'", "''")}'`).join(', ')})`
        expect(cellsOf(sql)).toEqual([texts])
      }),
    )
  })
})
