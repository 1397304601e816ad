import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { append } from '../../src/engine/append.ts'
import { appendColumns } from '../../src/engine/append-columns.ts'
import { quoteString } from '../../src/engine/quote.ts'
import { createTableSql, dropTableSql, type StoredTable, tableReference } from '../../src/engine/table.ts'
import { type EngineFixture, openTestEngine, storedTable } from './engine-fixture.ts'

const TAGS = ['Host', 'dc']
const FIELDS = { i: 'BIGINT', u: 'BIGINT UNSIGNED', d: 'DOUBLE', b: 'BOOLEAN', 'sélect "x"': 'STRING' } as const
const FIELD_NAMES = Object.keys(FIELDS)

interface Row {
  readonly time: bigint
  readonly tags: readonly (string | null)[]
  readonly fields: readonly (bigint | number | boolean | string | null)[]
}

const MIN_NS = -9_223_286_400_000_000_000n
const MAX_NS = 9_223_372_036_854_775_806n

const arbitraryTag = fc.constantFrom(null, '', 'a', 'b', 'q\'"', 'é')
const nullable = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null, freq: 2 })
const arbitraryRow: fc.Arbitrary<Row> = fc
  .record({
    time: fc.oneof(fc.bigInt({ min: 0n, max: 6n }), fc.constantFrom(MIN_NS, MAX_NS, -1n)),
    tags: fc.tuple(arbitraryTag, fc.constantFrom(null, 'x')),
    fields: fc.tuple(
      nullable(fc.constantFrom(-(2n ** 63n), 2n ** 63n - 1n, 0n, 7n)),
      nullable(fc.constantFrom(0n, 2n ** 64n - 1n, 3n)),
      nullable(fc.constantFrom(Number.NaN, -0, 0, Infinity, -Infinity, 1e308, 5e-324, 1.5)),
      nullable(fc.boolean()),
      nullable(fc.constantFrom('', 'text', "it's", '\u{1F600}', 'NULL', 'a\nb')),
    ),
  })
  .filter((row) => row.fields.some((value) => value !== null))
/** Read once through a staged file, read where it lies, or loaded from memory. */
type Way = 'file' | 'reread' | 'columns'

const arbitraryBatches = fc.array(
  fc.record({
    rows: fc.array(arbitraryRow, { maxLength: 14 }),
    way: fc.constantFrom<Way>('file', 'reread', 'columns'),
  }),
  { minLength: 1, maxLength: 5 },
)

/** NaN equals itself, and -0 equals 0: DuckDB stores a stretch of zeros as one zero. */
const valueKey = (value: unknown) => `${typeof value}:${String(value)}`
const rowKey = ({ time, tags }: Row) => JSON.stringify([String(time), ...tags])

/** CnosDB's meaning, said once more in JavaScript. */
function merge(model: Map<string, Row>, rows: readonly Row[]): void {
  for (const row of rows) {
    const before = model.get(rowKey(row))
    const fields = row.fields.map((value, index) => value ?? before?.fields[index] ?? null)
    model.set(rowKey(row), { ...row, fields })
  }
}

function literal(value: Row['fields'][number], type: string): string {
  if (value === null) return `NULL::${type}`
  return `${quoteString(Object.is(value, -0) ? '-0.0' : String(value))}::${type}`
}

const ENGINE_TYPES = ['BIGINT', 'UBIGINT', 'DOUBLE', 'BOOLEAN', 'VARCHAR']

function selectOf(rows: readonly Row[]): string {
  const texts = rows.map(({ time, tags, fields }) =>
    [
      `make_timestamp_ns(${time})`,
      ...tags.map((tag) => literal(tag, 'VARCHAR')),
      ...fields.map((value, index) => literal(value, ENGINE_TYPES[index] as string)),
    ].join(', '),
  )
  return texts.length === 0
    ? `(SELECT ${['NULL::TIMESTAMP_NS', 'NULL::VARCHAR', 'NULL::VARCHAR', ...ENGINE_TYPES.map((type) => `NULL::${type}`)].join(', ')} WHERE false)`
    : `(VALUES ${texts.map((text) => `(${text})`).join(', ')})`
}

async function appendRows(
  { engine }: EngineFixture,
  table: StoredTable,
  rows: readonly Row[],
  way: Way,
): Promise<bigint> {
  const columns = ['time', ...TAGS, ...FIELD_NAMES]
  if (way !== 'columns') {
    const source = { from: selectOf(rows), columns, cheapToReread: way === 'reread' }
    return (await append(engine, table, source)).rows
  }
  const sets = [...new Set(rows.map((row) => JSON.stringify(row.tags)))]
  const values = (index: number) => rows.map((row) => row.fields[index] ?? null)
  const valid = (index: number) => Uint8Array.from(values(index), (value) => (value === null ? 0 : 1))
  const vectors = [
    BigInt64Array.from(values(0), (value) => (value ?? 0n) as bigint),
    BigUint64Array.from(values(1), (value) => (value ?? 0n) as bigint),
    Float64Array.from(values(2), (value) => (value ?? 0) as number),
    Uint8Array.from(values(3), (value) => (value ? 1 : 0)),
    values(4) as (string | null)[],
  ]
  const batch = {
    rowCount: rows.length,
    time: BigInt64Array.from(rows, (row) => row.time),
    series: Uint32Array.from(rows, (row) => sets.indexOf(JSON.stringify(row.tags))),
    tagNames: TAGS,
    tagSets: sets.map((set) => JSON.parse(set) as (string | null)[]),
    fields: vectors.map((vector, index) => ({
      name: FIELD_NAMES[index] as string,
      values: vector,
      valid: valid(index),
    })),
  }
  return (await appendColumns(engine, table, batch)).rows
}

async function readTable({ engine }: EngineFixture, table: StoredTable): Promise<Map<string, string>> {
  const rows = await engine.all(`SELECT * FROM ${tableReference(table)}`)
  const pairs = rows.map((row): [string, string] => [
    JSON.stringify([String(row.time), ...TAGS.map((tag) => row[tag])]),
    FIELD_NAMES.map((name) => valueKey(row[name])).join('|'),
  ])
  expect(new Set(pairs.map(([key]) => key)).size).toBe(pairs.length)
  return new Map(pairs)
}

describe.each([
  { name: 'one statement', sliceRows: 2_000_000 },
  { name: 'slices of three rows', sliceRows: 3 },
])('append, in $name, means what a map of merged rows means', ({ sliceRows }) => {
  let fixture: EngineFixture
  beforeAll(async () => {
    fixture = await openTestEngine({ sliceRows })
  })
  afterAll(() => fixture[Symbol.asyncDispose]())

  it('for any batches, whichever way they come', { timeout: 120_000 }, async () => {
    let tables = 0
    await fc.assert(
      fc.asyncProperty(arbitraryBatches, async (batches) => {
        tables += 1
        const table = storedTable(`t${tables}`, TAGS, FIELDS)
        await fixture.engine.run(createTableSql(table))
        const model = new Map<string, Row>()
        for (const { rows, way } of batches) {
          expect(await appendRows(fixture, table, rows, way)).toBe(BigInt(rows.length))
          merge(model, rows)
        }
        const expected = [...model].map(([key, row]): [string, string] => [key, row.fields.map(valueKey).join('|')])
        expect(await readTable(fixture, table)).toEqual(new Map(expected))
        await fixture.engine.run(dropTableSql(table))
      }),
      { numRuns: 40 },
    )
  })
})
