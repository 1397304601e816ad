import { expect, it } from 'vitest'
import { isCnosError } from '../errors/cnos-error.ts'
import { checkColumnName, checkObjectName } from './names.ts'

const isRefused = (check: () => void): boolean => {
  try {
    check()
    return false
  } catch (error) {
    return isCnosError(error, 'SQL_SYNTAX')
  }
}

it.each(['a', 'A b', '"quoted"', "it's", 'é漢', ';--', '\\c x', '.'])('an object may be called %j', (name) => {
  checkObjectName(name)
})

it.each(['', ' ', 'a/b', 'a\nb', 'a\rb', 'a\0b', 'a\tb', '\u0085'])('no object may be called %j', (name) => {
  expect(isRefused(() => checkObjectName(name))).toBe(true)
})

it.each(['', 'a\0'])('no column may be called %j', (name) => {
  expect(isRefused(() => checkColumnName(name))).toBe(true)
})

it('a column may have a line break or a slash in its name', () => {
  checkColumnName('a\n/b')
})
