import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { failureOf, openTestDatabase, type TestDatabase } from './open-test-database.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await openTestDatabase()
  await db.run('CREATE TABLE air (v DOUBLE, w DOUBLE, TAGS(station))')
  await db.run("INSERT INTO air (time, station, v) VALUES (1, 's', 1)")
})
afterAll(async () => {
  await db[Symbol.asyncDispose]()
})

const explain = async (sql: string) => {
  const rows = await db.run(sql)
  expect(Object.keys(rows[0] ?? {})).toEqual(['plan_type', 'plan'])
  return rows.map((row) => [row.plan_type, String(row.plan)] as const)
}

describe('EXPLAIN', () => {
  it('of a query is the plan of the engine, as two rows', async () => {
    const [logical, physical] = await explain('EXPLAIN SELECT v FROM air WHERE station = $$s$$')
    expect(logical?.[0]).toBe('logical_plan')
    expect(physical?.[0]).toBe('physical_plan')
    expect(physical?.[1]).toContain('SCAN')
  })

  it('of an export has the lines of CnosDB, and writes nothing', async () => {
    const out = db.path('out')
    const [logical, physical] = await explain(
      `EXPLAIN COPY INTO 'file://${out}/' FROM (SELECT 1 AS col1, 'xx' AS col2) FILE_FORMAT = (TYPE = 'parquet')`,
    )
    expect(logical?.[1].split('\n').slice(0, 2)).toEqual([
      'TableWriterMerge: SUM(rows) AS rows',
      '  TableWriter: table=external_location_table, rows(CAST(col1 AS Utf8), col2) AS rows',
    ])
    expect(physical?.[1].split('\n').slice(0, 2)).toEqual([
      'TableWriterMergeExec: expr=[rows]',
      `  TableWriterExec: [file://${out}/]`,
    ])
    expect(await failureOf(db.run(`COPY INTO air FROM 'file://${out}/'`))).toMatchObject({ code: '010047' })
  })

  it('of an import names target, format and columns', async () => {
    const [logical, physical] = await explain(`EXPLAIN COPY INTO air (time, v) FROM '${db.path('shared')}/'`)
    expect(logical?.[1]).toContain('TableWriter: table=air, rows(time, v) AS rows')
    expect(physical?.[1]).toContain('CsvExec')
  })

  it('ANALYZE runs the statement and tells what it did', async () => {
    const [row] = await explain(`EXPLAIN ANALYZE COPY INTO '${db.path('shared')}/analyzed/' FROM air`)
    expect(row?.[0]).toBe('Plan with Metrics')
    expect(row?.[1]).toContain('output_rows=1')
    expect(await db.run(`COPY INTO air FROM '${db.path('shared')}/analyzed/'`)).toEqual([{ rows: 1n }])
    expect((await explain('EXPLAIN ANALYZE SELECT * FROM air'))[0]?.[0]).toBe('Plan with Metrics')
  })

  it('shows no secret', async () => {
    const plan = await db.run(
      `EXPLAIN COPY INTO 's3://bucket/x/' FROM air CONNECTION = (region = 'us-east-1', access_key_id = 'AKIAVISIBLE', secret_key = 'hushhush')`,
    )
    expect(JSON.stringify(plan)).not.toMatch(/hushhush|AKIAVISIBLE/)
  })

  it.each([
    ['INSERT INTO air (time, v) VALUES (1, 1)', 'TableWriterExec: [cnosdb.public.air]', 'ValuesExec'],
    ['INSERT INTO air (time, v) SELECT time, v FROM air', 'TableWriterExec: [cnosdb.public.air]', 'SCAN'],
    ['DELETE FROM air WHERE time = 1', 'DeleteExec: [cnosdb.public.air]', 'SCAN'],
    ['UPDATE air SET v = 1 WHERE time = 1', 'UpdateExec: [cnosdb.public.air]', 'SCAN'],
  ])('of %s names the table and changes nothing', async (sql, first, below) => {
    const before = await db.run('SELECT * FROM air')
    const [, physical] = await explain(`EXPLAIN ${sql}`)
    expect(physical?.[1]).toContain(first)
    expect(physical?.[1]).toContain(below)
    expect(await db.run('SELECT * FROM air')).toEqual(before)
  })

  it('checks what the statement itself would', async () => {
    expect(await failureOf(db.run("EXPLAIN COPY INTO nope FROM '/tmp/'"))).toMatchObject({ code: '030019' })
    expect(await failureOf(db.run('EXPLAIN CREATE DATABASE x'))).toMatchObject({ code: '010005' })
  })
})
