import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { TableInfo } from './cluster-metadata.ts'
import { createLineWriter, parseFlatObject } from './line-protocol.ts'

const table: TableInfo = {
  tenant: 'cnosdb',
  database: 'public',
  table: 'my table',
  columns: [
    { name: 'time', kind: 'time', type: 'TIMESTAMP(NANOSECOND)', codec: 'DEFAULT' },
    { name: 'host', kind: 'tag', type: 'STRING', codec: 'DEFAULT' },
    { name: 'u', kind: 'field', type: 'BIGINT UNSIGNED', codec: 'DEFAULT' },
    { name: 's', kind: 'field', type: 'STRING', codec: 'DEFAULT' },
    { name: 'd', kind: 'field', type: 'DOUBLE', codec: 'DEFAULT' },
  ],
}

it('keeps 64-bit integers, absent values, quotes and blanks', () => {
  const toLine = createLineWriter(table)
  expect(
    toLine(
      '{"d":0.1,"host":"a b,c=d","s":"say \\"hi\\" \\\\","time":"2024-01-01T00:00:00.000000001","u":18446744073709551615}',
    ),
  ).toBe('my\\ table,host=a\\ b\\,c\\=d d=0.1,s="say \\"hi\\" \\\\",u=18446744073709551615u 1704067200000000001')
  expect(toLine('{"time":"2024-01-01T00:00:00","u":1}')).toBe('my\\ table u=1u 1704067200000000000')
})

it('refuses what line protocol would change', () => {
  expect(() => createLineWriter(table)('{"host":"a\\\\b","time":"2024-01-01T00:00:00","u":1}')).toThrow(/backslash/)
})

it('takes a flat object apart exactly as JSON does', () => {
  const value = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.integer(),
    fc.boolean(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
  )
  fc.assert(
    fc.property(fc.dictionary(fc.string({ unit: 'binary', minLength: 1 }), value), (object) => {
      const members = parseFlatObject(JSON.stringify(object))
      expect(members.map(([key, token]) => [key, JSON.parse(token)])).toEqual(
        Object.entries(JSON.parse(JSON.stringify(object))),
      )
    }),
  )
})
