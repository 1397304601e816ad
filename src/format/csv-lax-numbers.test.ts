import { describe, expect, it } from 'vitest'
import { LaxNumbers } from './csv-lax-numbers.ts'

const found = (pieces: readonly string[], delimiter = ',') => {
  const numbers = new LaxNumbers(delimiter, 'LF')
  for (const piece of pieces) numbers.look(Buffer.from(piece))
  return numbers.found
}

describe('numbers that only DuckDB takes', () => {
  it.each(['1_000', '1_', ' 1', '1 ', '\t1', '1\v', '\f', '+-1', '" 1"', '1e5 ', '-1_0.5e+1_0', '1\r'])(
    'are found in %j wherever the file is cut',
    (field) => {
      const text = `a_b,${field},c d\n`
      for (let at = 0; at <= text.length; at += 1) expect(found([text.slice(0, at), text.slice(at)])).toBe(true)
    },
  )

  it.each(['1e+5', '-1', 'a_1', '1_a', '1 2 3 go', 'at 5 ', '00:00 +-1', '1__x', '漢 1', '+1,-1'])(
    'are not found in %j',
    (field) => {
      expect(found([`x,${field},2\n${field}\n`])).toBe(false)
    },
  )

  it.each(['_', ' ', '\t', '+'])('are never ruled out when %j stands between fields', (delimiter) => {
    expect(found([`a${delimiter}1\n`], delimiter)).toBe(true)
  })

  it.each(['nan', '-NaN', 'inf', '"+Infinity"'])('are supposed where %j is seen', (field) => {
    expect(found([`a,${field},1\n`])).toBe(true)
  })

  it.each(['info', 'x_inf', 'nan_1', 'Nancy', 'inf.5'])('are not supposed where %j is seen', (field) => {
    expect(found([`a,${field},1\n`])).toBe(false)
  })

  it('are looked for in long runs of blanks and underscores, each byte once', () => {
    expect(found([`x${' '.repeat(2 ** 21)}${'_ '.repeat(2 ** 20)},1\n`])).toBe(false)
  })
})
