import { readdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { append } from '../../src/engine/append.ts'
import { appendColumns } from '../../src/engine/append-columns.ts'
import type { Engine } from '../../src/engine/engine.ts'
import {
  type AppendOptions,
  addColumnSql,
  createTableSql,
  dropColumnSql,
  type RowSource,
  renameColumnSql,
  type StoredTable,
  tableReference,
} from '../../src/engine/table.ts'
import { withTableLock } from '../../src/engine/table-lock.ts'
import { CnosError } from '../../src/errors/cnos-error.ts'
import type { DataType } from '../../src/model/schema.ts'
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
beforeEach(() => make(['host'], { v: 'DOUBLE', n: 'BIGINT' }))

async function make(tags: readonly string[], fields: Record<string, DataType>, timeType?: DataType): Promise<void> {
  tables += 1
  table = storedTable(`t${tables}`, tags, fields, timeType)
  await engine.run(createTableSql(table))
}

const at = (ticks: bigint | number) => `make_timestamp_ns(${ticks})`
const ALL = ['time', 'host', 'v', 'n']
const source = (from: string, columns: readonly string[] = ALL, cheapToReread = false): RowSource => ({
  from,
  columns,
  cheapToReread,
})
const put = (from: string, columns?: readonly string[], options?: AppendOptions) =>
  append(engine, table, source(from, columns), options)
const stored = (columns = '*') => engine.all(`SELECT ${columns} FROM ${tableReference(table)} ORDER BY ALL`)
const count = async () => (await stored('count(*) AS rows'))[0]?.rows
const staged = () => readdir(engine.bulk.stagingDirectory).catch(() => [])

describe('what is refused leaves the table as it was', () => {
  const good = `(${at(1)}, 'a', 1.0::DOUBLE, 1::BIGINT)`
  const kept = 1n
  beforeEach(() => put(`(VALUES (${at(9)}, 'old', 1.0::DOUBLE, NULL::BIGINT))`))

  it.each([false, true])('a row without time (read again: %s)', async (cheapToReread) => {
    const rows = source(`(VALUES ${good}, (NULL::TIMESTAMP_NS, 'b', 2.0, 2))`, ALL, cheapToReread)
    await expect(append(engine, table, rows)).rejects.toMatchObject({
      errorName: 'TIME_IS_NULL',
      message: 'Column time cannot be null.',
      hint: expect.stringContaining('host=b'),
    })
    expect(await count()).toBe(kept)
  })

  it('a source without a column for time', async () => {
    await expect(put("(VALUES ('a', 1.0::DOUBLE))", ['host', 'v'])).rejects.toMatchObject({ errorName: 'TIME_IS_NULL' })
  })

  it('a column the table does not have', async () => {
    await expect(put(`(VALUES (${at(1)}, 1.0))`, ['time', 'w'])).rejects.toMatchObject({
      errorName: 'INSERT_COLUMN_UNKNOWN',
      message: "Insert column 'w' does not exist in target table, expect time,host,v,n",
    })
  })

  it('a row whose fields are all NULL, named by its number, time and tags', async () => {
    await expect(put(`(VALUES ${good}, (${at(7)}, 'b', NULL, NULL))`)).rejects.toMatchObject({
      errorName: 'FIELDS_EMPTY',
      message: expect.stringMatching(
        /^Fields can't be empty: row 2 of the source \(time=1970-01-01 00:00:00.000000007, host=b\)/,
      ),
    })
    expect(await count()).toBe(kept)
  })

  it('rows without any column for a field', async () => {
    await expect(put(`(VALUES (${at(1)}, 'a'))`, ['time', 'host'])).rejects.toMatchObject({ errorName: 'FIELDS_EMPTY' })
  })

  it('a row older than the TTL', async () => {
    await expect(put(`(VALUES ${good}, (${at(500)}, 'b', 1, 1))`, ALL, { minTimeNs: 2n })).rejects.toMatchObject({
      errorName: 'OPERATION_NOT_SUPPORTED',
      message: 'Operation not support: create expired bucket',
    })
    expect(await put(`(VALUES ${good})`, ALL, { minTimeNs: 1n })).toEqual({ rows: 1n })
  })

  it.each(["'infinity'::TIMESTAMP_NS", "'-infinity'::TIMESTAMP_NS"])('the time %s', async (time) => {
    await expect(put(`(VALUES ${good}, (${time}, 'b', 1, 1))`)).rejects.toMatchObject({
      errorName: 'TIMESTAMP_OVERFLOW',
    })
    expect(await count()).toBe(kept)
  })

  it('a value that cannot be read, explained by the source', async () => {
    const file = join(fixture.directory, 'bad.csv')
    await writeFile(file, '1,a\n2,x\n')
    const from = `(SELECT make_timestamp_ns(t), 'h', v, NULL::BIGINT FROM read_csv('${file}', columns = {t: 'BIGINT', v: 'DOUBLE'}))`
    const explain = async () => new CnosError('BAD_FILE', 'bad.csv line 1', { context: { line: 1 } })
    await expect(append(engine, table, { ...source(from), explain })).rejects.toMatchObject({
      message: 'bad.csv line 1',
    })
    expect(await count()).toBe(kept)
    expect(await staged()).toEqual([])
  })
})

describe('geometry', () => {
  beforeEach(() =>
    make([], { p: 'Geometry(POINT, 0)', c: 'Geometry(GEOMETRYCOLLECTION, 0)', m: 'Geometry(MULTIPOLYGON, 0)' }),
  )
  const columns = ['time', 'p', 'c', 'm']
  const row = (p: string, c = '', m = '') =>
    `(VALUES (${at(1)}, nullif('${p}', ''), nullif('${c}', ''), nullif('${m}', '')))`

  it.each([
    ['POINT(1 2)', '', ''],
    [' point ( -1.5e3  .5 ) ', '', ''],
    ['POINT Z (1 2 3)', '', ''],
    ['POINT EMPTY', '', ''],
    ['', 'GEOMETRYCOLLECTION(POINT(1 2), LINESTRING(0 0, 1 1))', ''],
    ['', 'GEOMETRYCOLLECTION(GEOMETRYCOLLECTION(POINT(1 2)), POLYGON((0 0, 1 1, 1 0, 0 0)))', ''],
    ['', '', 'MULTIPOLYGON(((0 0, 1 1, 1 0, 0 0)), ((5 5, 6 6, 6 5, 5 5), (5.1 5.1, 5.2 5.2, 5.2 5.1, 5.1 5.1)))'],
  ])('takes %s%s%s', async (p, c, m) => {
    await put(row(p, c, m), columns)
    expect(await count()).toBe(1n)
  })

  it.each([
    [
      'LINESTRING(0 0, 1 1)',
      '',
      '',
      'Invalid geometry type, error: expect Point, got LineString: LINESTRING(0 0, 1 1)',
    ],
    ['POINT(1 2', '', '', 'Invalid geometry type, error: expect Point, got text that is not WKT of it: POINT(1 2'],
    ['POINT(1)', '', '', 'Invalid geometry type, error: expect Point, got text that is not WKT of it: POINT(1)'],
    ['POINT(a b)', '', '', 'Invalid geometry type, error: expect Point, got text that is not WKT of it: POINT(a b)'],
    ['', 'POINT(1 2)', '', 'Invalid geometry type, error: expect GeometryCollection, got Point: POINT(1 2)'],
    [
      '',
      '',
      'POLYGON((0 0, 1 1, 1 0, 0 0))',
      'Invalid geometry type, error: expect MultiPolygon, got Polygon: POLYGON((0 0, 1 1, 1 0, 0 0))',
    ],
  ])('refuses %s%s%s', async (p, c, m, message) => {
    await expect(put(row(p, c, m), columns)).rejects.toMatchObject({ errorName: 'QUERIED_INVALID_GEOMETRY', message })
    expect(await count()).toBe(0n)
  })
})

describe('precision', () => {
  it.each<[DataType, string, bigint[], bigint[]]>([
    ['TIMESTAMP(NANOSECOND)', 'make_timestamp_ns(k)', [-9_223_286_400_000_000_000n, 9_223_372_036_854_775_806n], []],
    ['TIMESTAMP(MICROSECOND)', 'make_timestamp(k)', [-9_223_372_022_400_000_000n, 9_223_372_036_854_775_806n], []],
    [
      'TIMESTAMP(MILLISECOND)',
      'make_timestamp_ms(k)::TIMESTAMP_MS',
      [-9_223_372_022_400_000n, 9_223_372_036_854_775n],
      [],
    ],
  ])('%s keeps its first and last time, in slices as well', async (timeType, cast, edges) => {
    await make([], { v: 'BIGINT' }, timeType)
    const edge = `SELECT unnest([${edges.join(', ')}]) AS k`
    const from = `(SELECT ${cast}, k FROM (SELECT range AS k FROM range(2500) UNION ALL ${edge}))`
    const rows = BigInt(2500 + edges.length)
    expect(await put(from, ['time', 'v'])).toEqual({ rows })
    expect(await put(from, ['time', 'v'])).toEqual({ rows })
    expect(await count()).toBe(rows)
    expect((await stored('min(time) AS min, max(time) AS max, min(v) AS v'))[0]).toEqual({
      min: edges[0],
      max: edges[1],
      v: edges[0],
    })
  })

  it('refuses ticks in memory that do not fit', async () => {
    await make([], { v: 'BIGINT' })
    const batch = (time: bigint) => ({
      rowCount: 1,
      time: BigInt64Array.of(time),
      series: Uint32Array.of(0),
      seriesCount: 1,
      tags: [],
      fields: [{ name: 'v', values: BigInt64Array.of(1n) }],
    })
    for (const time of [-(2n ** 63n), 2n ** 63n - 1n])
      await expect(appendColumns(engine, table, batch(time))).rejects.toMatchObject({
        errorName: 'TIMESTAMP_OVERFLOW',
        message: `Timestamp overflow: ${time} does not fit into TIMESTAMP(NANOSECOND)`,
      })
    expect(await appendColumns(engine, table, batch(7n))).toEqual({ rows: 1n })
  })
})

describe('large imports', () => {
  const series = (rows: number, step: string, value: string) =>
    `(SELECT make_timestamp_ns(range), 'h' || (range % 3), ${value}::DOUBLE, NULL::BIGINT FROM range(0, ${rows}, ${step}))`

  it('merges slices when they overlap, and leaves nothing staged', async () => {
    await put(series(5000, '1', 'range'))
    expect(await put(series(8000, '2', '-range - 1'))).toEqual({ rows: 4000n })
    expect((await stored('count(*) AS rows, count(*) FILTER (v < 0) AS new'))[0]).toEqual({ rows: 6500n, new: 4000n })
    expect(await staged()).toEqual([])
    expect(await engine.all('SELECT * FROM journal.merges')).toEqual([])
  })

  it('lets the last of repeated keys win across slices', async () => {
    const twice = `(SELECT make_timestamp_ns(range % 5000), 'h', range::DOUBLE, CASE WHEN range < 5000 THEN range END::BIGINT FROM range(10000))`
    expect(await put(twice)).toEqual({ rows: 10_000n })
    expect((await stored('count(*) AS rows, sum(v) AS v, sum(n) AS n'))[0]).toEqual({
      rows: 5000n,
      v: 5000 * 5000 + (4999 * 5000) / 2,
      n: BigInt((4999 * 5000) / 2),
    })
  })

  it('keeps rows of one time together', async () => {
    const same = `(SELECT make_timestamp_ns(5), 'h' || range, range::DOUBLE, NULL::BIGINT FROM range(5000))`
    await put(same)
    await put(same)
    expect(await count()).toBe(5000n)
  })

  it('reports progress up to the end', async () => {
    await put(series(5000, '1', 'range'))
    const seen: number[] = []
    await put(series(5000, '1', 'range'), ALL, { onProgress: ({ percent }) => seen.push(percent) })
    expect(seen.at(-1)).toBe(100)
    expect(seen).toEqual([...seen].sort((a, b) => a - b))
  })

  it('keeps the sign of a zero in the staged file', async () => {
    const zeros =
      "(SELECT make_timestamp_ns(range), 'h', CASE WHEN range % 2 = 0 THEN '0.0' ELSE '-0.0' END::DOUBLE, 1 FROM range(100))"
    await put(zeros)
    expect((await stored('count(*) FILTER (signbit(v)) AS negative'))[0]).toEqual({ negative: 50n })
  })

  it('finishes a merge that failed half way before the next change', async () => {
    await put(series(5000, '1', 'range'))
    let hidden = ''
    const hideStagedFile = async () => {
      const [name] = await staged()
      if (hidden !== '' || name === undefined) return
      hidden = join(engine.bulk.stagingDirectory, name)
      await rename(hidden, `${hidden}.hidden`)
    }
    const failing = put(series(5000, '1', '-1'), ALL, {
      onProgress: ({ percent }) => {
        if (percent > 50) void hideStagedFile()
      },
    })
    await expect(failing).rejects.toMatchObject({ errorName: 'BAD_FILE' })
    await rename(`${hidden}.hidden`, hidden)
    await put(`(VALUES (${at(0)}, 'h0', NULL::DOUBLE, 7::BIGINT))`)
    expect((await stored('count(*) AS rows, max(v) AS v, sum(n) AS n'))[0]).toEqual({ rows: 5000n, v: -1, n: 7n })
    expect(await staged()).toEqual([])
  })

  it('takes newer rows in one transaction, and merges them after all when keys repeat', async () => {
    await put(series(5000, '1', 'range'))
    const newer = (from: number) =>
      `(SELECT make_timestamp_ns(${from} + range // 2), 'h', range::DOUBLE, NULL::BIGINT FROM range(3000))`
    expect(await put(newer(10_000))).toEqual({ rows: 3000n })
    expect((await stored('count(*) AS rows, sum(v) FILTER (time >= make_timestamp_ns(10000)) AS v'))[0]).toEqual({
      rows: 6500n,
      v: 1500 * 1500,
    })
    const bad = `(SELECT make_timestamp_ns(20000 + range), 'h', nullif(range, 2999)::DOUBLE, NULL::BIGINT FROM range(3000))`
    await expect(put(bad)).rejects.toMatchObject({
      errorName: 'FIELDS_EMPTY',
      message: expect.stringMatching(/row 3000 of the source/),
    })
    expect(await count()).toBe(6500n)
  })

  it('merges when only the first row is newer', async () => {
    await put(series(5000, '1', 'range'))
    const mixed = `(SELECT make_timestamp_ns(CASE WHEN range = 0 THEN 9999 ELSE range END), 'h' || (range % 3), -1.0::DOUBLE, NULL::BIGINT FROM range(5000))`
    expect(await put(mixed)).toEqual({ rows: 5000n })
    expect((await stored('count(*) AS rows, count(*) FILTER (v >= 0) AS old'))[0]).toEqual({ rows: 5001n, old: 1n })
  })

  it('adds other series of the same time without merging', async () => {
    const of = (host: string) =>
      `(SELECT make_timestamp_ns(range), '${host}', 1.0::DOUBLE, 1::BIGINT FROM range(20000))`
    await put(of('a'))
    await put(of('b'))
    await put(of('a'))
    expect(await count()).toBe(40_000n)
  })
})

describe('order and cancelling', () => {
  it('appends to one table take turns', async () => {
    const from = (value: number) =>
      `(SELECT make_timestamp_ns(range), 'h', ${value}::DOUBLE, NULL::BIGINT FROM range(3000))`
    await Promise.all(Array.from({ length: 8 }, (_, value) => put(from(value))))
    expect((await stored('count(*) AS rows, min(v) AS min, max(v) AS max'))[0]).toEqual({ rows: 3000n, min: 7, max: 7 })
  })

  it('large imports into several tables run side by side', async () => {
    const from = `(SELECT make_timestamp_ns(range), 'h', range::DOUBLE, NULL::BIGINT FROM range(6000))`
    const targets = [1, 2, 3].map((number) => storedTable(`side${number}`, ['host'], { v: 'DOUBLE', n: 'BIGINT' }))
    for (const target of targets) await engine.run(createTableSql(target))
    for (let round = 0; round < 3; round += 1)
      await Promise.all(targets.map((target) => append(engine, target, source(from, ALL, round % 2 === 0))))
    for (const target of targets)
      expect(await engine.all(`SELECT count(*) AS rows FROM ${tableReference(target)}`)).toEqual([{ rows: 6000n }])
    expect(await staged()).toEqual([])
  })

  it('rejects with the reason, and leaves table and staging directory as they were', async () => {
    await put(`(VALUES (${at(1)}, 'a', 1.0::DOUBLE, 1::BIGINT))`)
    for (const cheapToReread of [false, true]) {
      const controller = new AbortController()
      const from = `(SELECT make_timestamp_ns(range), md5(range::VARCHAR), range::DOUBLE, 1::BIGINT FROM range(200000000))`
      setTimeout(() => controller.abort(new Error('enough')), 200)
      const appending = append(engine, table, source(from, ALL, cheapToReread), { signal: controller.signal })
      await expect(appending).rejects.toThrow('enough')
    }
    expect(await count()).toBe(1n)
    expect(await staged()).toEqual([])
  })

  it('gives up waiting for its turn', async () => {
    let release = () => {}
    const holding = withTableLock(engine, table, () => new Promise<void>((resolve) => (release = resolve)))
    const waiting = put(`(VALUES (${at(1)}, 'a', 1.0::DOUBLE, 1::BIGINT))`, ALL, { signal: AbortSignal.timeout(30) })
    await expect(waiting).rejects.toMatchObject({ name: 'TimeoutError' })
    release()
    await holding
    expect(await count()).toBe(0n)
  })
})

describe('columns', () => {
  it('are added with NULL, renamed and dropped', async () => {
    await put(`(VALUES (${at(1)}, 'a', 1.0::DOUBLE, 1::BIGINT))`)
    await engine.run(addColumnSql(table, { name: 'neu"', kind: 'field', type: 'BIGINT UNSIGNED', codec: 'DEFAULT' }))
    await engine.run(renameColumnSql(table, 'v', 'w'))
    await engine.run(dropColumnSql(table, 'n'))
    expect(await stored()).toEqual([{ time: 1n, host: 'a', w: 1, 'neu"': null }])
  })

  it('a tag that the source lacks is NULL, which is not an empty text', async () => {
    await put(`(VALUES (${at(1)}, '', 1.0::DOUBLE))`, ['time', 'host', 'v'])
    await put(`(VALUES (${at(1)}, 2.0::DOUBLE))`, ['time', 'v'])
    await put(`(VALUES (3::BIGINT, ${at(1)}))`, ['n', 'time'])
    expect(await stored('host, v, n')).toEqual([
      { host: '', v: 1, n: null },
      { host: null, v: 2, n: 3n },
    ])
  })
})
