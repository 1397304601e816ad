import { expect, it } from 'vitest'
import { isCnosError } from '../errors/cnos-error.ts'
import { CODECS, GEOMETRY_TYPES } from '../model/schema.ts'
import { checkNames, fieldOf } from './columns.ts'

const nameOf = (work: () => unknown): string => {
  try {
    work()
    return 'accepted'
  } catch (error) {
    if (isCnosError(error)) return error.errorName
    throw error
  }
}

const INTEGER = ['DEFAULT', 'NULL', 'DELTA', 'DELTATS', 'QUANTILE']
const TEXT = ['DEFAULT', 'NULL', 'GZIP', 'BZIP', 'ZSTD', 'SNAPPY', 'ZLIB']

it.each([
  ['BIGINT', INTEGER],
  ['BIGINT UNSIGNED', INTEGER],
  ['DOUBLE', ['DEFAULT', 'NULL', 'GORILLA', 'QUANTILE']],
  ['BOOLEAN', ['DEFAULT', 'NULL', 'BITPACK']],
  ['STRING', TEXT],
  ['GEOMETRY(POINT, 0)', TEXT],
])('%s takes its codecs and no other', (type, allowed) => {
  for (const codec of CODECS) {
    const outcome = nameOf(() => fieldOf({ name: 'a', type, codec }))
    expect([codec, outcome]).toEqual([codec, allowed.includes(codec) ? 'accepted' : 'CODEC_NOT_ALLOWED'])
  }
  expect(fieldOf({ name: 'a', type }).codec).toBe('DEFAULT')
})

it('spells geometries as information_schema does, and reads that spelling back', () => {
  for (const subType of GEOMETRY_TYPES) {
    const { type } = fieldOf({ name: 'g', type: `GEOMETRY(${subType}, 0)` })
    expect(type).toBe(`Geometry(${subType}, 0)`)
    expect(fieldOf({ name: 'g', type }).type).toBe(type)
  }
})

it.each([
  ['GEOMETRY', 'DATA_TYPE_NOT_ALLOWED'],
  ['GEOMETRY(CIRCLE, 0)', 'DATA_TYPE_NOT_ALLOWED'],
  ['GEOMETRY(POINT, 4326)', 'DATA_TYPE_NOT_ALLOWED'],
  ['INT', 'DATA_TYPE_NOT_ALLOWED'],
  ['VARCHAR', 'DATA_TYPE_NOT_ALLOWED'],
  ['TIMESTAMP', 'COLUMN_EXISTS'],
])('%s is %s', (type, expected) => {
  expect(nameOf(() => fieldOf({ name: 'a', type }))).toBe(expected)
})

it('names are unique, also without regard to case', () => {
  const check = (...names: string[]) => nameOf(() => checkNames(names.map((name) => ({ name }))))
  expect(check('a', 'b', 'ab')).toBe('accepted')
  expect(check('a', 'a')).toBe('DUPLICATE_COLUMN')
  expect(check('a', 'b', 'A')).toBe('UNSUPPORTED')
  expect(check('a', '')).toBe('SQL_SYNTAX')
})
