import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { append } from '../../src/engine/append.ts'
import { appendColumns } from '../../src/engine/append-columns.ts'
import { quoteString } from '../../src/engine/quote.ts'
import { createTableSql, dropTableSql, type StoredTable } from '../../src/engine/table.ts'
import { type EngineFixture, openTestEngine, storedTable } from './engine-fixture.ts'
import {
  arbitraryRow,
  columnsOf,
  contentOf,
  FIELD_NAMES,
  FIELDS,
  merge,
  type Row,
  readTable,
  TAGS,
} from './row-model.ts'

/** Read once through a staged file, read where it lies, or loaded from memory. */
type Way = 'file' | 'reread' | 'columns'

const arbitraryBatches = fc.array(
  fc.record({
    rows: fc.array(arbitraryRow, { maxLength: 14 }),
    way: fc.constantFrom<Way>('file', 'reread', 'columns'),
  }),
  { minLength: 1, maxLength: 5 },
)

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
  return (await appendColumns(engine, table, columnsOf(rows))).rows
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
        expect(await readTable(fixture, table)).toEqual(contentOf(model))
        await fixture.engine.run(dropTableSql(table))
      }),
      { numRuns: 40 },
    )
  })
})
