import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { appendColumns } from '../../src/engine/append-columns.ts'
import type { ColumnBatch } from '../../src/engine/column-batch.ts'
import { addColumnSql, createTableSql, type StoredTable, tableReference } from '../../src/engine/table.ts'
import { textsOf } from '../../src/engine/texts.ts'
import { type EngineFixture, openTestEngine, storedTable } from './engine-fixture.ts'
import { arbitraryRow, columnsOf, contentOf, FIELDS, merge, type Row, readTable, rowKey, TAGS } from './row-model.ts'

let fixture: EngineFixture
let tables = 0
let table: StoredTable

beforeAll(async () => {
  fixture = await openTestEngine({ sliceRows: 50 })
})
afterAll(() => fixture[Symbol.asyncDispose]())
beforeEach(() => makeTable())

async function makeTable(): Promise<void> {
  tables += 1
  table = storedTable(`t${tables}`, TAGS, FIELDS)
  await fixture.engine.run(createTableSql(table))
}

/** One row, told by its time. */
const rowAt = (time: bigint, i = time): Row => ({ time, tags: ['a', null], fields: [i, null, null, null, null] })
const write = (rows: readonly Row[], options = {}) => appendColumns(fixture.engine, table, columnsOf(rows), options)
const times = async () =>
  (await fixture.engine.all(`SELECT time FROM ${tableReference(table)} ORDER BY 1`)).map((row) => row.time)

describe('writes that wait for one table together', () => {
  /** Some go forward in time and lie apart from others, so that they are taken along; some do not. */
  const arbitraryBatch = fc
    .record({
      place: fc.integer({ min: 0, max: 3 }),
      isPlain: fc.boolean(),
      rows: fc.array(arbitraryRow, { maxLength: 9 }),
    })
    .map(({ place, isPlain, rows }) => {
      if (!isPlain) return rows
      const distinct = [...new Map(rows.map((row) => [rowKey(row), row])).values()]
      const inRange = distinct.filter(({ time }) => time >= 0n && time < 10n)
      const moved = inRange.map((row) => ({ ...row, time: row.time + BigInt(place) * 10n }))
      return moved.sort((a, b) => Number(a.time - b.time))
    })

  it('leave what they would leave one after another', { timeout: 120_000 }, async () => {
    const rounds = fc.array(fc.array(arbitraryBatch, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 3 })
    await fc.assert(
      fc.asyncProperty(rounds, async (rounds) => {
        await makeTable()
        const model = new Map<string, Row>()
        for (const batches of rounds) {
          const counts = await Promise.all(batches.map((rows) => write(rows)))
          expect(counts.map(({ rows }) => rows)).toEqual(batches.map((rows) => BigInt(rows.length)))
          for (const rows of batches) merge(model, rows)
          expect(await readTable(fixture, table)).toEqual(contentOf(model))
        }
      }),
      { numRuns: 40 },
    )
  })

  it('do not fail because one of them does', async () => {
    const lost: StoredTable = { ...table, schema: storedTable(table.name, TAGS, { ...FIELDS, lost: 'BIGINT' }).schema }
    const withLost: ColumnBatch = {
      ...columnsOf([rowAt(5n)]),
      fields: [{ name: 'lost', values: BigInt64Array.of(5n) }],
    }
    const outcomes = await Promise.allSettled([
      write([rowAt(1n)]),
      write([rowAt(2n)], { minTimeNs: 3n }),
      write([rowAt(2n ** 63n - 1n)]),
      write([{ ...rowAt(4n), fields: [null, null, null, null, null] }]),
      appendColumns(fixture.engine, lost, withLost),
      write([rowAt(6n)]),
      write([rowAt(7n)]),
    ])
    const reasons = outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason.errorName : 'stored'))
    expect(reasons.splice(4, 1)).not.toEqual(['stored'])
    expect(reasons).toEqual([
      'stored',
      'OPERATION_NOT_SUPPORTED',
      'TIMESTAMP_OVERFLOW',
      'FIELDS_EMPTY',
      'stored',
      'stored',
    ])
    expect(await times()).toEqual([1n, 6n, 7n])
  })

  it('are there when they resolve, and not when they were aborted', async () => {
    const stops = Array.from({ length: 12 }, () => new AbortController())
    const writes = stops.map(({ signal }, i) => write([rowAt(BigInt(i))], { signal }))
    for (const [i, stop] of stops.entries()) if (i % 3 === 1) setTimeout(() => stop.abort(new Error('stop')))
    const outcomes = await Promise.allSettled(writes)
    const stored = outcomes.flatMap(({ status }, i) => (status === 'fulfilled' ? [BigInt(i)] : []))
    for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason.message).toBe('stop')
    expect(stored.length).toBeGreaterThanOrEqual(8)
    expect(await times()).toEqual(stored)
  })

  it('of other series at the same times are not compared with what is there', async () => {
    const hostAt = (host: string | null, time: bigint): Row => ({ ...rowAt(time), tags: [host, null] })
    await write([hostAt('a', 1n), hostAt('b', 5n)])
    await Promise.all([write([hostAt('c', 6n)]), write([hostAt('d', 6n)]), write([hostAt('b', 6n)])])
    await write([hostAt(null, 6n), hostAt('', 6n)])
    const model = new Map<string, Row>()
    for (const rows of [[hostAt('a', 1n), hostAt('b', 5n)], ['b', 'c', 'd', null, ''].map((host) => hostAt(host, 6n))])
      merge(model, rows)
    expect(await readTable(fixture, table)).toEqual(contentOf(model))
  })

  it('follow the columns the table has by now', async () => {
    const column = { name: 'late', kind: 'field', type: 'STRING', codec: 'DEFAULT' } as const
    await fixture.engine.run(addColumnSql(table, column))
    await Promise.all([write([rowAt(1n)]), write([rowAt(2n)])])
    await fixture.engine.run(`ALTER TABLE ${tableReference(table)} RENAME COLUMN dc TO old`)
    await fixture.engine.run(`ALTER TABLE ${tableReference(table)} ADD COLUMN dc VARCHAR`)
    await write([{ ...rowAt(3n), tags: ['a', 'a text of more than twelve bytes'] }])
    const rows = await fixture.engine.all(`SELECT "Host", dc, old, late, i FROM ${tableReference(table)} ORDER BY time`)
    expect(rows).toEqual([
      { Host: 'a', dc: null, old: null, late: null, i: 1n },
      { Host: 'a', dc: null, old: null, late: null, i: 2n },
      { Host: 'a', dc: 'a text of more than twelve bytes', old: null, late: null, i: 3n },
    ])
  })
})

describe('rows in memory', () => {
  it('keep every value through chunks and parts', { timeout: 60_000 }, async () => {
    const count = 31_000
    const rows = Array.from(
      { length: count },
      (_, n): Row => ({
        time: BigInt(n),
        tags: [n % 7 === 0 ? null : `host with a long name ${n % 1000}`, n % 3 === 0 ? '' : 'dc'],
        fields: [
          n % 2 === 0 ? BigInt(n) : null,
          2n ** 64n - 1n - BigInt(n),
          n % 5 === 0 ? null : n / 8,
          n % 4 === 0 ? null : n % 8 < 4,
          n % 6 === 0 ? null : `text ${n} ${'é'.repeat(n % 9)}`,
        ],
      }),
    )
    await write(rows)
    const model = new Map<string, Row>()
    merge(model, rows)
    expect(await readTable(fixture, table)).toEqual(contentOf(model))
    expect(await fixture.engine.all('SELECT 1 FROM duckdb_tables() WHERE temporary')).toEqual([])
  })

  const rowCount = 400_000
  const largeBatch: ColumnBatch = {
    rowCount,
    time: BigInt64Array.from({ length: rowCount }, (_, row) => BigInt(row)),
    series: new Uint32Array(rowCount),
    seriesCount: 1,
    tags: [],
    fields: [
      { name: 'i', values: BigInt64Array.from({ length: rowCount }, (_, row) => BigInt(row)) },
      { name: Object.keys(FIELDS)[4] as string, values: textsOf(Array<string>(rowCount).fill('text')) },
    ],
  }
  const countRows = async () =>
    Number(
      (await fixture.engine.all(`SELECT count(*) AS n FROM ${tableReference(table)} WHERE epoch_ns(time) = i`))[0]?.n,
    )

  it('of a large write are all there, or none when it is aborted, whenever that is', { timeout: 60_000 }, async () => {
    for (const turns of [1, 100, 300, 1000]) {
      const stop = new AbortController()
      const written = appendColumns(fixture.engine, table, largeBatch, { signal: stop.signal })
      const outcome = written.then(
        () => rowCount,
        (error: Error) => (error.message === 'stop' ? 0 : error),
      )
      for (let turn = 0; turn < turns; turn += 1) await setImmediate()
      stop.abort(new Error('stop'))
      const stored = await outcome
      expect(await countRows()).toBe(stored)
      await fixture.engine.run(`DELETE FROM ${tableReference(table)}`)
    }
  })

  it('are not there when DuckDB refuses the first of many while the next are made ready', async () => {
    await fixture.engine.run(`ALTER TABLE ${tableReference(table)} ALTER COLUMN u SET NOT NULL`)
    await expect(appendColumns(fixture.engine, table, largeBatch)).rejects.toThrow(/NOT NULL/)
    expect(await countRows()).toBe(0)
  })
})
