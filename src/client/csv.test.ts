import fc from 'fast-check'
import { expect, it } from 'vitest'
import { parseCsvRows } from './csv.ts'

const quote = (value: string) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value)

it('reads back what a CSV writer wrote', () => {
  const value = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', ' ', 'é', '漢') })
  fc.assert(
    fc.property(fc.array(fc.tuple(value, value)), (records) => {
      const text = `x,y\n${records.map((record) => `${record.map(quote).join(',')}\n`).join('')}`
      expect(parseCsvRows(text)).toEqual(records.map(([x, y]) => ({ x, y })))
    }),
  )
})

it('reads an empty body as no rows', () => {
  expect(parseCsvRows('')).toEqual([])
  expect(parseCsvRows('rows\n')).toEqual([])
  expect(parseCsvRows('rows\n8192\n')).toEqual([{ rows: '8192' }])
})
