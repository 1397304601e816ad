import { expect, it } from 'vitest'
import { countGroups } from './select-regexp.ts'

it.each([
  ['abc', 0],
  ['(a)(b(c))', 3],
  ['(?:a)(b)', 1],
  ['(?i)a(b)', 1],
  ['(?P<year>\\d+)-(?<month>\\d+)', 2],
  ['\\(a\\)', 0],
  ['[(](a)', 1],
  ['[]()]x', 0],
  ['\\Q(a)\\E(b)', 1],
])('%s has %i groups', (pattern, count) => {
  expect(countGroups(pattern)).toBe(count)
})
