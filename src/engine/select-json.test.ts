import fc from 'fast-check'
import { expect, it } from 'vitest'
import { isObject, type Json, NO_LOCATION, parseTree, printTree } from './select-json.ts'

it('keeps integers of 64 and 128 bits exact', () => {
  const text = '{"value":{"upper":6692605942,"lower":14083847773837265618},"a":-9223372036854775808,"b":1.5e300}'
  const tree = parseTree(text)
  expect(tree).toEqual({
    value: { upper: 6692605942, lower: 14083847773837265618n },
    a: -9223372036854775808n,
    b: 1.5e300,
  })
  expect(printTree(tree)).toBe(text.replace('1.5e300', '1.5e+300'))
})

it('reads infinities, which are no JSON, but not inside strings', () => {
  expect(parseTree('[Infinity,-Infinity,NaN,"Infinity 12345678901234567890"]')).toEqual([
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    null,
    'Infinity 12345678901234567890',
  ])
})

it('leaves the digits of a fraction alone', () => {
  expect(parseTree('[0.9605362058310085,1.2345678901234568e-300,-0.1234567890123456,12345678901234567]')).toEqual([
    0.9605362058310085,
    1.2345678901234568e-300,
    -0.1234567890123456,
    12345678901234567n,
  ])
})

it('marks unknown positions', () => {
  const text = '{"query_location":18446744073709551615}'
  expect(parseTree(text)).toEqual({ query_location: NO_LOCATION })
  expect(printTree(parseTree(text))).toBe(text)
})

it('prints what it has read', () => {
  const { tree } = fc.letrec<{ tree: Json }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      fc.string(),
      fc.boolean(),
      fc.constant(null),
      fc.bigInt({ min: 10n ** 15n, max: 2n ** 64n - 1n }),
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.array(tie('tree')),
      fc.dictionary(
        fc.stringMatching(/^[a-z]{1,8}$/).filter((key) => key !== 'constructor'),
        tie('tree'),
      ),
    ),
  }))
  fc.assert(
    fc.property(tree, (value) => {
      const again = parseTree(printTree(value))
      expect(printTree(again)).toBe(printTree(value))
      if (isObject(value)) expect(Object.keys(again as object)).toEqual(Object.keys(value))
    }),
  )
})
