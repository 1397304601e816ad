import fc from 'fast-check'
import { expect } from 'vitest'
import type { ColumnBatch } from '../../src/engine/column-batch.ts'
import { type StoredTable, tableReference } from '../../src/engine/table.ts'
import { textsOf } from '../../src/engine/texts.ts'
import type { EngineFixture } from './engine-fixture.ts'

export const TAGS = ['Host', 'dc']
export const FIELDS = { i: 'BIGINT', u: 'BIGINT UNSIGNED', d: 'DOUBLE', b: 'BOOLEAN', 'sélect "x"': 'STRING' } as const
export const FIELD_NAMES = Object.keys(FIELDS)

export interface Row {
  readonly time: bigint
  readonly tags: readonly (string | null)[]
  readonly fields: readonly (bigint | number | boolean | string | null)[]
}

const MIN_NS = -9_223_286_400_000_000_000n
const MAX_NS = 9_223_372_036_854_775_806n

const arbitraryTag = fc.constantFrom(null, '', 'a', 'b', 'q\'"', 'é', 'host-0000001', 'host-00000001', 'ééééééé')
const nullable = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null, freq: 2 })
export const arbitraryRow: fc.Arbitrary<Row> = fc
  .record({
    time: fc.oneof(fc.bigInt({ min: 0n, max: 6n }), fc.constantFrom(MIN_NS, MAX_NS, -1n)),
    tags: fc.tuple(arbitraryTag, fc.constantFrom(null, 'x')),
    fields: fc.tuple(
      nullable(fc.constantFrom(-(2n ** 63n), 2n ** 63n - 1n, 0n, 7n)),
      nullable(fc.constantFrom(0n, 2n ** 64n - 1n, 3n)),
      nullable(fc.constantFrom(Number.NaN, -0, 0, Infinity, -Infinity, 1e308, 5e-324, 1.5)),
      nullable(fc.boolean()),
      nullable(
        fc.constantFrom(
          '',
          'text',
          "it's",
          '\u{1F600}',
          'NULL',
          'a\nb',
          'twelve bytes',
          'thirteen byte',
          'aé\u{1F600}'.repeat(99),
        ),
      ),
    ),
  })
  .filter((row) => row.fields.some((value) => value !== null))
/** NaN equals itself, and -0 equals 0: DuckDB stores a stretch of zeros as one zero. */
const valueKey = (value: unknown) => `${typeof value}:${String(value)}`
export const rowKey = ({ time, tags }: Row) => JSON.stringify([String(time), ...tags])

/** CnosDB's meaning, said once more in JavaScript. */
export function merge(model: Map<string, Row>, rows: readonly Row[]): void {
  for (const row of rows) {
    const before = model.get(rowKey(row))
    const fields = row.fields.map((value, index) => value ?? before?.fields[index] ?? null)
    model.set(rowKey(row), { ...row, fields })
  }
}

/** What a reader of the table should see: the fields of every row by its key. */
export function contentOf(model: ReadonlyMap<string, Row>): Map<string, string> {
  return new Map([...model].map(([key, row]): [string, string] => [key, row.fields.map(valueKey).join('|')]))
}

/** The rows as the parser of line protocol gives them. */
export function columnsOf(rows: readonly Row[]): ColumnBatch {
  const sets = [...new Set(rows.map((row) => JSON.stringify(row.tags)))]
  const values = (index: number) => rows.map((row) => row.fields[index] ?? null)
  const valid = (index: number) => Uint8Array.from(values(index), (value) => (value === null ? 0 : 1))
  const vectors = [
    BigInt64Array.from(values(0), (value) => (value ?? 0n) as bigint),
    BigUint64Array.from(values(1), (value) => (value ?? 0n) as bigint),
    Float64Array.from(values(2), (value) => (value ?? 0) as number),
    Uint8Array.from(values(3), (value) => (value ? 1 : 0)),
    textsOf(values(4) as (string | null)[]),
  ]
  return {
    rowCount: rows.length,
    time: BigInt64Array.from(rows, (row) => row.time),
    series: Uint32Array.from(rows, (row) => sets.indexOf(JSON.stringify(row.tags))),
    seriesCount: sets.length,
    tags: TAGS.map((name, tag) => {
      const values = sets.map((set) => (JSON.parse(set) as Row['tags'])[tag] ?? null)
      return { name, values: textsOf(values), valid: Uint8Array.from(values, (value) => (value === null ? 0 : 1)) }
    }),
    fields: vectors.map((vector, index) => ({
      name: FIELD_NAMES[index] as string,
      values: vector,
      valid: valid(index),
    })),
  }
}

export async function readTable({ engine }: EngineFixture, table: StoredTable): Promise<Map<string, string>> {
  const rows = await engine.all(`SELECT * FROM ${tableReference(table)}`)
  const pairs = rows.map((row): [string, string] => [
    JSON.stringify([String(row.time), ...TAGS.map((tag) => row[tag])]),
    FIELD_NAMES.map((name) => valueKey(row[name])).join('|'),
  ])
  expect(new Set(pairs.map(([key]) => key)).size).toBe(pairs.length)
  return new Map(pairs)
}
