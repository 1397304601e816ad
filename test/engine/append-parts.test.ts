import { readdir } from 'node:fs/promises'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { append, appendParts } from '../../src/engine/append.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { type AppendOptions, createTableSql, type StoredTable, tableReference } from '../../src/engine/table.ts'
import { type EngineFixture, openTestEngine, storedTable } from './engine-fixture.ts'

let fixture: EngineFixture
let engine: Engine
let table: StoredTable
let tables = 0
beforeAll(async () => {
  fixture = await openTestEngine({ sliceRows: 1000 })
  engine = fixture.engine
})
afterAll(() => fixture[Symbol.asyncDispose]())
beforeEach(async () => {
  tables += 1
  table = storedTable(`t${tables}`, ['host'], { v: 'DOUBLE' })
  await engine.run(createTableSql(table))
})

const columns = ['time', 'host', 'v']
/** Rows at the ticks from `first` to before `end`. */
const rows = (first: number, end: number, v = 'range::DOUBLE') =>
  `(SELECT make_timestamp_ns(range), 'h', ${v} FROM range(${first}, ${end}))`
const put = (from: string) => append(engine, table, { from, columns, cheapToReread: false })
const putParts = (parts: () => AsyncIterable<string>, options?: AppendOptions) =>
  appendParts(engine, table, { columns, parts }, options)
async function* inTurn(...parts: readonly string[]): AsyncIterable<string> {
  yield* parts
}
const summary = async () =>
  (
    await engine.all(
      `SELECT count(*) AS n, sum(v) AS v, max(epoch_ns(time)) AS last FROM ${tableReference(table)} AS target`,
    )
  )[0]
const isStaged = async () => (await readdir(engine.bulk.stagingDirectory).catch(() => [])).length > 0

it('stores all parts, and none of them is seen before the last', async () => {
  async function* parts() {
    yield rows(0, 300_000)
    expect(await summary()).toMatchObject({ n: 0n })
    yield rows(300_000, 300_001)
    yield rows(300_001, 500_000)
    expect(await summary()).toMatchObject({ n: 0n })
  }
  expect(await putParts(parts)).toEqual({ rows: 500_000n })
  expect(await summary()).toEqual({ n: 500_000n, v: 124_999_750_000, last: 499_999n })
})

it('no part at all is no row', async () => {
  expect(await putParts(() => inTurn())).toEqual({ rows: 0n })
})

it.each([
  ['a key in two parts', [rows(0, 10), rows(9, 20)]],
  ['a row without time in a later part', [rows(0, 10), "(SELECT NULL::TIMESTAMP_NS, 'h', 1.0::DOUBLE)"]],
  ['a row without field in a later part', [rows(0, 10), rows(10, 20, 'NULL::DOUBLE')]],
  ['a first part at times of the table', [rows(0, 10), rows(10, 20)]],
] as const)('leaves the table as it was when the rows need their order: %s', async (_name, parts) => {
  await put(rows(5, 6))
  const before = await summary()
  expect(await putParts(() => inTurn(...parts))).toBeUndefined()
  expect(await summary()).toEqual(before)
  expect(await isStaged()).toBe(false)
})

it('merges with the table when a later part has its keys, in slices', async () => {
  await put(rows(5000, 6000, '-1.0::DOUBLE'))
  expect(await putParts(() => inTurn(rows(0, 3000), rows(3000, 7000)))).toEqual({ rows: 7000n })
  expect(await summary()).toEqual({ n: 7000n, v: 24_496_500, last: 6999n })
  expect(await isStaged()).toBe(false)
})

it('rolls back when the next part cannot be had', async () => {
  await put(rows(500_000, 500_001))
  async function* parts() {
    yield rows(0, 300_000)
    throw new Error('the store is gone')
  }
  await expect(putParts(parts)).rejects.toThrow('the store is gone')
  expect(await summary()).toMatchObject({ n: 1n })
  expect(await put(rows(0, 10))).toEqual({ rows: 10n })
})

it('ends with the reason when cancelled between parts, and tells the source', async () => {
  const stop = new AbortController()
  let isOver = false
  async function* parts() {
    try {
      yield rows(0, 10)
      stop.abort(new Error('enough'))
      yield rows(10, 20)
    } finally {
      isOver = true
    }
  }
  await expect(putParts(parts, { signal: stop.signal })).rejects.toThrow('enough')
  expect(isOver).toBe(true)
  expect(await summary()).toMatchObject({ n: 0n })
})
