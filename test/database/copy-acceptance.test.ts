import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { failureOf, openTestDatabase, type TestDatabase } from './open-test-database.ts'

/** The acceptance cases of CnosDB's own test suite, rebuilt with data of our own. */
let db: TestDatabase

const FIELDS = Array.from({ length: 10 }, (_, index) => `f${index}`)
const TAGS = ['name', 'fleet', 'driver', 'model', 'device_version']
const TRUCKS = `(${FIELDS.map((field) => `${field} DOUBLE`).join(', ')}, TAGS(${TAGS.join(', ')}))`
const ROWS = 8192

/** Ten lines; the last six fields are empty in the first file and 1 in the second. */
function csvPart(last: string): string {
  const header = ['time', ...TAGS, ...FIELDS].join(',')
  const lines = Array.from({ length: 10 }, (_, row) => {
    const time = `2022-01-01T02:00:${10 + row}.000000000`
    const numbers = FIELDS.map((_, index) => (index < 4 ? `${row * 10 + index}.5` : last))
    return [time, `truck_${row}`, 'South', 'Trish', 'H-2', 'v2.3', ...numbers].join(',')
  })
  return `${[header, ...lines].join('\n')}\n`
}

const JSON_PART = Array.from({ length: 10 }, (_, row) =>
  JSON.stringify({
    device_version: 'v2.3',
    driver: 'Trish',
    f0: row,
    f1: row + 0.5,
    f2: 1e300,
    f3: -0.1,
    fleet: 'South',
    model: 'H-2',
    name: `truck_${row}`,
    time: `2022-01-01 03:00:${10 + row}`,
  }),
).join('\n')

beforeAll(async () => {
  db = await openTestDatabase()
  await mkdir(db.path('csv'))
  await mkdir(db.path('json'))
  await mkdir(db.path('full'))
  await writeFile(db.path('csv', 'part-0.csv'), csvPart(''))
  await writeFile(db.path('csv', 'part-1'), csvPart('1'))
  await writeFile(db.path('json', 'part-0.json'), JSON_PART)
  await writeFile(
    db.path('full', 'full_data_type.csv'),
    'time,tag1,tag2,bigint_c,string_c,ubigint_c,boolean_c,double_c\n2022-12-22 09:26:56,tt1,tt2,-512512,hello word,512,true,1.11',
  )
  await db.run(`CREATE TABLE trucks ${TRUCKS}`)
  const values = [...TAGS.map((tag) => `'${tag}_' || (i % 7)`), ...FIELDS.map((_, index) => `i * 0.1 + ${index}`)]
  await db.run(
    `INSERT INTO trucks SELECT 1640995200000000000 + i * 10000000000, ${values.join(', ')} FROM generate_series(0, ${ROWS - 1}) AS g(i)`,
  )
})
afterAll(async () => {
  await db[Symbol.asyncDispose]()
})

const countOf = async (table: string) => (await db.run(`SELECT count(*) AS n FROM ${table}`))[0]?.n

describe('COPY INTO a location', () => {
  it('adds files at every run, which an external table reads together', async () => {
    const out = db.path('parquet_out1')
    const copy = `COPY INTO 'file://${out}/' FROM (SELECT time, name FROM trucks) FILE_FORMAT = (TYPE 'parquet')`
    expect(await db.run(copy)).toEqual([{ rows: BigInt(ROWS) }])
    expect(await db.run(copy)).toEqual([{ rows: BigInt(ROWS) }])
    const names = await readdir(out)
    for (const name of names) expect(name).toMatch(/^queryId-\d+-part-\d+-\d+-\d+\.parquet$/)
    expect(new Set(names.map((name) => name.split('-')[1])).size).toBe(2)
    await db.run(`CREATE EXTERNAL TABLE parquet_out1 STORED AS PARQUET LOCATION 'file://${out}/'`)
    expect(await countOf('parquet_out1')).toBe(BigInt(2 * ROWS))
    expect(await db.run('SELECT count(*) AS n, count(DISTINCT time) AS keys FROM parquet_out1')).toEqual([
      { n: BigInt(2 * ROWS), keys: BigInt(ROWS) },
    ])
  })

  it('gives a whole table back equal', async () => {
    const out = db.path('parquet_out2')
    expect(await db.run(`COPY INTO '${out}' FROM trucks FILE_FORMAT = (TYPE = 'PARQUET')`)).toEqual([
      { rows: BigInt(ROWS) },
    ])
    await db.run(`CREATE EXTERNAL TABLE parquet_out2 STORED AS PARQUET LOCATION 'file://${out}/'`)
    expect(await db.run('SELECT * FROM parquet_out2 EXCEPT SELECT * FROM trucks')).toEqual([])
    expect(await db.run('SELECT * FROM trucks EXCEPT SELECT * FROM parquet_out2')).toEqual([])
  })

  it('writes CSV whose times are times, and JSON whose times are text', async () => {
    for (const [type, stored] of [
      ['csv', 'CSV WITH HEADER ROW'],
      ['json', 'JSON'],
    ]) {
      const out = db.path(`${type}_out`)
      await db.run(`COPY INTO 'file://${out}/' FROM (SELECT time, name FROM trucks) FILE_FORMAT = (TYPE '${type}')`)
      await db.run(`CREATE EXTERNAL TABLE ${type}_out STORED AS ${stored} LOCATION 'file://${out}/'`)
      expect(await countOf(`${type}_out`)).toBe(BigInt(ROWS))
    }
    expect(await db.run('SELECT time FROM csv_out ORDER BY time LIMIT 1')).toEqual([{ time: 1640995200000000000n }])
    expect(await db.run('SELECT * FROM json_out ORDER BY time LIMIT 1')).toEqual([
      { name: 'name_0', time: '2022-01-01T00:00:00' },
    ])
  })

  it('of no rows writes neither file nor directory', async () => {
    await db.run('CREATE TABLE empty (d1 DOUBLE)')
    for (const format of [
      "file_format = (type 'csv')",
      "file_format = (type = 'csv')",
      "file_format = (type 'json')",
    ]) {
      expect(await db.run(`COPY INTO 'file://${db.path('nothing')}/' FROM empty ${format}`)).toEqual([{ rows: 0n }])
    }
    expect(await readdir(db.path())).not.toContain('nothing')
  })

  it('into a place where a file lies is refused, and the file stays', async () => {
    await writeFile(db.path('a-file'), 'mine')
    const failure = await failureOf(db.run(`COPY INTO '${db.path('a-file')}' FROM trucks`))
    expect(failure.code).toBe('010047')
    expect(failure.message).toContain('a-file')
    expect(await readFile(db.path('a-file'), 'utf8')).toBe('mine')
  })

  it('writes text that readers of CnosDB expect', async () => {
    await db.run('CREATE TABLE shapes (d DOUBLE, s STRING, u BIGINT UNSIGNED, b BOOLEAN, TAGS(t))')
    await db.run(`INSERT INTO shapes (time, t, d, s, u, b) VALUES (1, 'a,b', 1e10, 'q"', 18446744073709551615, true),
      (2, '', 'NaN', '', NULL, NULL), (3, NULL, 25, NULL, 0, false)`)
    await db.run(`COPY INTO '${db.path('text')}' FROM shapes`)
    const [csv = ''] = await readdir(db.path('text'))
    const lines = (await readFile(join(db.path('text'), csv), 'utf8')).split('\n')
    expect(lines[0]).toBe('time,t,d,s,u,b')
    expect(lines.slice(1).sort()).toEqual([
      '',
      '1970-01-01T00:00:00.000000001,"a,b",1.0e10,"q""",18446744073709551615,true',
      '1970-01-01T00:00:00.000000002,"",NaN,"",,',
      '1970-01-01T00:00:00.000000003,,25.0,,0,false',
    ])
    await db.run(`COPY INTO '${db.path('text-json')}' FROM shapes FILE_FORMAT = (TYPE = 'JSON')`)
    const [json = ''] = await readdir(db.path('text-json'))
    expect((await readFile(join(db.path('text-json'), json), 'utf8')).trim().split('\n').sort()).toEqual(
      [
        '{"b":false,"d":25.0,"time":"1970-01-01T00:00:00.000000003","u":0}',
        '{"b":true,"d":10000000000.0,"s":"q\\"","t":"a,b","time":"1970-01-01T00:00:00.000000001","u":18446744073709551615}',
        '{"s":"","t":"","time":"1970-01-01T00:00:00.000000002"}',
      ].sort(),
    )
  })
})

const INNER =
  '(bigint_c BIGINT, string_c STRING, ubigint_c BIGINT UNSIGNED, boolean_c BOOLEAN, double_c DOUBLE, TAGS(tag1, tag2))'
const INNER_V2 =
  '(bigint_c BIGINT, ubigint_c BIGINT UNSIGNED, boolean_c BOOLEAN, double_c DOUBLE, string_c STRING, TAGS(tag1, tag2))'

describe('COPY INTO a table', () => {
  const inDatabase = { database: 'ci_table_db' }
  const run = (sql: string) => db.run(sql, inDatabase)
  const fullRow = {
    time: 1671701216000000000n,
    tag1: 'tt1',
    tag2: 'tt2',
    bigint_c: -512512n,
    string_c: 'hello word',
    ubigint_c: 512n,
    boolean_c: true,
    double_c: 1.11,
  }

  beforeAll(async () => {
    await db.run("CREATE DATABASE ci_table_db WITH TTL '36500d'")
  })

  it('reads every type', async () => {
    await run(`CREATE TABLE inner_csv ${INNER}`)
    expect(await run(`COPY INTO inner_csv FROM 'file://${db.path('full')}/' FILE_FORMAT = (TYPE = 'CSV')`)).toEqual([
      { rows: 1n },
    ])
    expect(await run('SELECT * FROM inner_csv')).toEqual([fullRow])
  })

  it('takes a column list, and is positional without one', async () => {
    await run(`CREATE TABLE inner_csv_v2 ${INNER_V2}`)
    const list = '(time, tag1, tag2, bigint_c, string_c, ubigint_c, boolean_c, double_c)'
    expect(await run(`COPY INTO inner_csv_v2 ${list} FROM '${db.path('full')}/'`)).toEqual([{ rows: 1n }])
    expect(await run('SELECT * FROM inner_csv_v2')).toEqual([fullRow])
    await run('DELETE FROM inner_csv_v2')
    const failure = await failureOf(run(`COPY INTO inner_csv_v2 FROM '${db.path('full')}/'`))
    expect(failure.code).toBe('010001')
    expect(failure.message).toContain('hello word')
    expect(await run('SELECT * FROM inner_csv_v2')).toEqual([])
  })

  it('takes CSV, JSON and Parquet one after the other', async () => {
    await run(`CREATE TABLE inner_parquet ${TRUCKS}`)
    const out = db.path('parquet_for_import')
    await db.run(`COPY INTO '${out}' FROM trucks FILE_FORMAT = (TYPE = 'PARQUET')`)
    const parquet = `COPY INTO inner_parquet FROM 'file://${out}/' FILE_FORMAT = (TYPE = 'PARQUET', DELIMITER = ',')`
    expect(await run(parquet)).toEqual([{ rows: BigInt(ROWS) }])
    expect(await countOf('ci_table_db.inner_parquet')).toBe(BigInt(ROWS))
    expect(await run(`COPY INTO inner_parquet FROM '${db.path('csv', 'part-0.csv')}'`)).toEqual([{ rows: 10n }])
    expect(await run(`COPY INTO inner_parquet FROM '${db.path('json')}' FILE_FORMAT = (TYPE = 'JSON')`)).toEqual([
      { rows: 10n },
    ])
    expect(await run(parquet)).toEqual([{ rows: BigInt(ROWS) }])
    expect(await countOf('ci_table_db.inner_parquet')).toBe(BigInt(ROWS + 20))
    expect(
      await run(
        parquet
          .replace(')', ') COPY_OPTIONS = (AUTO_INFER_SCHEMA = true)')
          .replace("FILE_FORMAT = (TYPE = 'PARQUET', DELIMITER = ',') ", "FILE_FORMAT = (TYPE = 'PARQUET') "),
      ),
    ).toEqual([{ rows: BigInt(ROWS) }])
    const json = `COPY INTO inner_parquet FROM '${db.path('json')}' FILE_FORMAT = (TYPE = 'JSON') COPY_OPTIONS = (AUTO_INFER_SCHEMA = true)`
    const failure = await failureOf(run(json))
    expect(failure.code).toBe('010045')
    expect(failure.message).toContain('Insert columns and Source columns not match')
  })

  it('merges field by field', async () => {
    await run(`CREATE TABLE merged ${TRUCKS}`)
    await run(`COPY INTO merged FROM '${db.path('csv', 'part-0.csv')}'`)
    expect(await run('SELECT count(f9) AS filled, count(*) AS n FROM merged')).toEqual([{ filled: 0n, n: 10n }])
    await run(`COPY INTO merged FROM '${db.path('csv', 'part-1')}'`)
    expect(await run('SELECT count(f0) AS kept, sum(f9) AS filled, count(*) AS n FROM merged')).toEqual([
      { kept: 10n, filled: 10, n: 10n },
    ])
  })

  it('takes a wide table', async () => {
    const fields = Array.from({ length: 200 }, (_, index) => `d${index + 1}`)
    await run(`CREATE TABLE wide (${fields.map((field) => `${field} DOUBLE`).join(', ')}, TAGS('foo'))`)
    await run(
      `INSERT INTO wide SELECT i + 1, 'x', ${fields.map((_, index) => `i + ${index}`).join(', ')} FROM generate_series(1, 5000) AS g(i)`,
    )
    await run(`COPY INTO '${db.path('wide')}' FROM wide FILE_FORMAT = (TYPE = 'PARQUET')`)
    await run(`CREATE TABLE t1 (${fields.map((field) => `${field} DOUBLE`).join(', ')}, TAGS('foo'))`)
    expect(await run(`COPY INTO "t1" FROM '${db.path('wide')}/' FILE_FORMAT = (TYPE = 'PARQUET')`)).toEqual([
      { rows: 5000n },
    ])
    expect(await run('SELECT * FROM t1 EXCEPT SELECT * FROM wide')).toEqual([])
  })
})

describe('external tables', () => {
  it('follow the files', async () => {
    await mkdir(db.path('ext'))
    await writeFile(db.path('ext', 'a.csv'), '1;one\n2;two\n')
    await db.run(
      `CREATE EXTERNAL TABLE ext (k BIGINT, v STRING) STORED AS CSV DELIMITER ';' LOCATION '${db.path('ext')}/'`,
    )
    expect(await db.run('SELECT * FROM ext ORDER BY k')).toEqual([
      { k: 1n, v: 'one' },
      { k: 2n, v: 'two' },
    ])
    await writeFile(db.path('ext', 'b.csv'), '3;three\n')
    expect(await db.run('SELECT e.v FROM ext e JOIN (SELECT max(k) AS m FROM ext) x ON e.k = x.m')).toEqual([
      { v: 'three' },
    ])
    expect(await db.run('DESCRIBE TABLE ext')).toMatchObject([
      { column_name: 'k', data_type: 'BIGINT' },
      { column_name: 'v', data_type: 'STRING' },
    ])
    expect(await db.run(`COPY INTO '${db.path('ext-out')}' FROM ext`)).toEqual([{ rows: 3n }])
  })

  it('are not written to', async () => {
    expect(await failureOf(db.run("INSERT INTO ext VALUES (4, 'four')"))).toMatchObject({ code: '010001' })
  })

  it('name the file and the value that does not fit', async () => {
    await mkdir(db.path('ext-bad'))
    await writeFile(db.path('ext-bad', 'a.csv'), '1\nx\n')
    await db.run(`CREATE EXTERNAL TABLE ext_bad (k BIGINT) STORED AS CSV LOCATION '${db.path('ext-bad')}/'`)
    await failureOf(db.run('SELECT * FROM ext_bad'))
  })

  it('of other users lie below the copy roots', async () => {
    await db.run("CREATE USER eve WITH password = 'eve-pw'")
    await db.run('ALTER TENANT cnosdb ADD USER eve AS owner')
    const eve = { user: 'eve', password: 'eve-pw' }
    const create = `CREATE EXTERNAL TABLE passwd (l STRING) STORED AS CSV LOCATION '/etc/passwd'`
    expect(await failureOf(db.run(create, eve))).toMatchObject({ name: 'PATH_NOT_ALLOWED' })
    await db.run(create)
    expect(await failureOf(db.run('SELECT * FROM passwd', eve))).toMatchObject({ name: 'PATH_NOT_ALLOWED' })
  })

  it('stream tables are refused clearly', async () => {
    await db.run('CREATE TABLE src (v DOUBLE)')
    await db.run(
      "CREATE STREAM TABLE st (time TIMESTAMP, v DOUBLE) WITH (db = 'public', table = 'src', event_time_column = 'time') ENGINE = tskv",
    )
    expect(await failureOf(db.run('SELECT * FROM st'))).toMatchObject({ code: '010005' })
    expect(await failureOf(db.run(`COPY INTO '${db.path('st')}' FROM st`))).toMatchObject({ code: '010005' })
  })
})
