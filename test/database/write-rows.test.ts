import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { failureOf, openTestDatabase, type TestDatabase } from './open-test-database.ts'

let db: TestDatabase
let table = ''
let tables = 0

beforeAll(async () => {
  db = await openTestDatabase()
  await db.run("CREATE DATABASE us WITH PRECISION 'us'")
  await db.run("CREATE DATABASE ms WITH PRECISION 'ms'")
  await db.run("CREATE DATABASE short WITH TTL '30d'")
})
afterAll(async () => {
  await db[Symbol.asyncDispose]()
})
beforeEach(async () => {
  tables += 1
  table = `m${tables}`
  await db.run(
    `CREATE TABLE ${table} (d DOUBLE, i BIGINT, u BIGINT UNSIGNED, b BOOLEAN, s STRING, g GEOMETRY(POINT, 0), TAGS(host, rack))`,
  )
})

const read = (columns = '*') => db.run(`SELECT ${columns} FROM ${table} ORDER BY time, host, rack`)
const insert = (columns: string, ...rows: readonly string[]) =>
  db.run(`INSERT INTO ${table} (${columns}) VALUES ${rows.map((row) => `(${row})`).join(', ')}`)
const fails = (sql: string) => failureOf(db.run(sql.replaceAll('$t', table)))

describe('INSERT', () => {
  it('takes values in stored order without a list', async () => {
    await db.run(`INSERT ${table} VALUES (1, 'h', 'r', 1.5, -2, 18446744073709551615, true, 'x', 'POINT(1 2)')`)
    expect(await read()).toEqual([
      {
        time: 1n,
        host: 'h',
        rack: 'r',
        d: 1.5,
        i: -2n,
        u: 18446744073709551615n,
        b: true,
        s: 'x',
        g: 'POINT(1 2)',
      },
    ])
  })

  it('keeps every value exactly, whatever stands beside it', async () => {
    await insert('time, d, i', '1, 0.1, -9223372036854775808', "2, 1e300, '9223372036854775807'", "3, 'NaN', 0")
    await insert('time, d', '4, 123456789012345678901234567890.5', '5, 0.12345678901234567', "6, '-inf'")
    const rows = await read('time, d, i')
    expect(rows.map((row) => row.d)).toEqual([
      0.1,
      1e300,
      Number.NaN,
      Number('123456789012345678901234567890.5'),
      Number('0.12345678901234567'),
      Number.NEGATIVE_INFINITY,
    ])
    expect(rows.slice(0, 2).map((row) => row.i)).toEqual([-9223372036854775808n, 9223372036854775807n])
  })

  it('keeps absent tags apart from empty ones', async () => {
    await insert('time, host, i', '1, NULL, 1', "1, '', 2")
    expect(await read('host, i')).toHaveLength(2)
  })

  it('merges by time and tags, field by field; NULL never overwrites', async () => {
    await insert('time, host, i, s', "1, 'a', 1, 'one'")
    expect(await insert('time, host, i, s', "1, 'a', 2, NULL", "1, 'b', 3, 'three'")).toEqual([{ rows: 2n }])
    expect(await read('host, i, s')).toEqual([
      { host: 'a', i: 2n, s: 'one' },
      { host: 'b', i: 3n, s: 'three' },
    ])
  })

  it('lets the last of two equal points in one statement win', async () => {
    expect(await insert('time, i, s', "1, 1, 'kept'", '1, 2, NULL')).toEqual([{ rows: 2n }])
    expect(await read('i, s')).toEqual([{ i: 2n, s: 'kept' }])
  })

  it('reads texts of time, and integers in the precision of the database', async () => {
    for (const [database, ticks] of [
      ['us', 1704067200000001n],
      ['ms', 1704067200000n],
    ] as const) {
      await db.run('CREATE TABLE t (v BIGINT)', { database })
      await db.run(`INSERT INTO t (time, v) VALUES ('2024-01-01T08:00:00.000001999+08:00', 1), (5, 2)`, { database })
      expect(await db.run('SELECT time, v FROM t', { database })).toEqual(
        expect.arrayContaining([
          { time: ticks, v: 1n },
          { time: 5n, v: 2n },
        ]),
      )
    }
  })

  it('selects from other tables', async () => {
    await insert('time, host, i', "1, 'a', 10", "2, 'b', 20")
    await db.run(`INSERT INTO ${table} (time, host, d) SELECT time, host, i FROM ${table} WHERE i > 10`)
    expect(await read('host, i, d')).toEqual([
      { host: 'a', i: 10n, d: null },
      { host: 'b', i: 20n, d: 20 },
    ])
  })

  it('evaluates expressions', async () => {
    await insert('time, i, d', '1 + 1, 2 * 3, 0.5')
    expect(await read('time, i, d')).toEqual([{ time: 2n, i: 6n, d: 0.5 }])
  })

  it.each([
    ['INSERT INTO $t (time, nope) VALUES (1, 2)', 'INSERT_COLUMN_UNKNOWN', "Insert column 'nope' does not exist"],
    ['INSERT INTO $t (time, i) VALUES (1)', 'INSERT_COLUMNS_MISMATCH', 'Insert columns and Source columns not match'],
    ['INSERT INTO $t (time, i) SELECT 1', 'INSERT_COLUMNS_MISMATCH', 'Insert columns and Source columns not match'],
    ['INSERT INTO $t (i) VALUES (1)', 'TIME_IS_NULL', 'Column time cannot be null'],
    ['INSERT INTO $t (time, i) VALUES (NULL, 1)', 'TIME_IS_NULL', 'Column time cannot be null'],
    ["INSERT INTO $t (time, i) VALUES ('yesterday', 1)", 'CAST_FAILED', "'yesterday'"],
    ["INSERT INTO $t (time, i) VALUES (1, 1), (2, 'x')", 'CAST_FAILED', 'row 2, column i'],
    ['INSERT INTO $t (time, i) VALUES (1, 1.5)', 'CAST_FAILED', 'column i'],
    ['INSERT INTO $t (time, i) VALUES (1, 9223372036854775808)', 'CAST_FAILED', 'column i'],
    ['INSERT INTO $t (time, u) VALUES (1, -1)', 'CAST_FAILED', 'column u'],
    ['INSERT INTO $t (time, b) VALUES (1, 1)', 'CAST_FAILED', 'column b'],
    ["INSERT INTO $t (time, i) VALUES ('2263-01-01', 1)", 'TIMESTAMP_OVERFLOW', '2263-01-01'],
    ["INSERT INTO $t (time, host) VALUES (1, 'a')", 'FIELDS_EMPTY', "Fields can't be empty"],
    ["INSERT INTO $t (time, g) VALUES (1, 'LINESTRING(1 2, 3 4)')", 'QUERIED_INVALID_GEOMETRY', 'expect Point'],
    ['INSERT INTO nope VALUES (1)', 'TABLE_NOT_FOUND', 'Table not found: "cnosdb.public.nope"'],
    ['INSERT INTO information_schema.tables VALUES (1)', 'PLANNING', 'Table not support write'],
    ['INSERT INTO $t (time, i, i) VALUES (1, 1, 1)', 'DUPLICATE_COLUMN', 'listed twice'],
  ])('%s fails and writes nothing', async (sql, name, message) => {
    const failure = await fails(sql)
    expect(failure.name).toBe(name)
    expect(failure.message).toContain(message)
    expect(await read()).toEqual([])
  })

  it('refuses rows older than the TTL', async () => {
    await db.run('CREATE TABLE t (v BIGINT)', { database: 'short' })
    const failure = await failureOf(db.run("INSERT INTO t (time, v) VALUES ('2020-01-01', 1)", { database: 'short' }))
    expect(failure).toMatchObject({ code: '030034' })
    expect(failure.message).toContain('expired')
  })
})

describe('DELETE', () => {
  beforeEach(() => insert('time, host, i', "1, 'a', 1", "2, 'a', 2", "3, 'b', 3", '4, NULL, 4'))

  it('by time and tags', async () => {
    expect(await db.run(`DELETE FROM ${table} WHERE time < 2 OR host = 'b'`)).toEqual([])
    expect(await read('time')).toEqual([{ time: 2n }, { time: 4n }])
  })

  it('by a text of time', async () => {
    await db.run(`DELETE FROM ${table} WHERE time >= '1970-01-01T00:00:00.000000002'`)
    expect(await read('time')).toEqual([{ time: 1n }])
  })

  it('everything', async () => {
    await db.run(`DELETE FROM ${table}`)
    expect(await read()).toEqual([])
  })

  it('refuses conditions on fields', async () => {
    expect(await fails('DELETE FROM $t WHERE i = 1')).toMatchObject({ code: '010005' })
    expect(await read()).toHaveLength(4)
  })
})

describe('UPDATE', () => {
  beforeEach(() => insert('time, host, i, d', "1, 'a', 1, 1.5", "2, 'a', 2, 2.5", "3, 'b', 3, 3.5"))

  it('sets fields', async () => {
    expect(await db.run(`UPDATE ${table} SET i = i * 10, d = 0.1 WHERE host = 'a'`)).toEqual([{ rows: 2n }])
    expect(await read('i, d')).toEqual([
      { i: 10n, d: 0.1 },
      { i: 20n, d: 0.1 },
      { i: 3n, d: 3.5 },
    ])
  })

  it('does not unset a field', async () => {
    await db.run(`UPDATE ${table} SET i = NULL WHERE time = 1`)
    expect(await read('i')).toEqual([{ i: 1n }, { i: 2n }, { i: 3n }])
  })

  it('moves a series', async () => {
    expect(await db.run(`UPDATE ${table} SET rack = 'r1' WHERE host = 'a'`)).toEqual([{ rows: 2n }])
    expect(await read('host, rack')).toEqual([
      { host: 'a', rack: 'r1' },
      { host: 'a', rack: 'r1' },
      { host: 'b', rack: null },
    ])
  })

  it('refuses to run one series into another', async () => {
    await insert('time, host, i', "1, 'b', 9")
    expect((await fails("UPDATE $t SET host = 'b' WHERE host = 'a'")).message).toContain('same time')
    expect(await read('host')).toEqual([{ host: 'a' }, { host: 'b' }, { host: 'a' }, { host: 'b' }])
  })

  it.each([
    ['UPDATE $t SET i = 1', 'PLANNING', 'WHERE'],
    ['UPDATE $t SET time = 1 WHERE i = 1', 'PLANNING', 'time'],
    ["UPDATE $t SET i = 1, host = 'x' WHERE host = 'a'", 'PLANNING', 'tags and fields'],
    ["UPDATE $t SET host = 'x' WHERE i = 1", 'PLANNING', 'tags only'],
    ['UPDATE $t SET nope = 1 WHERE i = 1', 'COLUMN_NOT_FOUND', 'nope'],
    ["UPDATE $t SET i = 'x' WHERE i = 1", 'CAST_FAILED', 'column i'],
  ])('%s is refused', async (sql, name, message) => {
    const before = await read()
    const failure = await fails(sql)
    expect(failure.name).toBe(name)
    expect(failure.message).toContain(message)
    expect(await read()).toEqual(before)
  })
})

describe('SHOW SERIES and SHOW TAG VALUES', () => {
  beforeEach(() =>
    insert('time, host, rack, i', "1, 'a', 'r1', 1", "2, 'a', 'r1', 2", "3, 'b', NULL, 3", "4, '', 'r2', 4"),
  )

  it('shows every series once', async () => {
    expect(await db.run(`SHOW SERIES FROM ${table} ORDER BY key`)).toEqual([
      { key: `${table},host=,rack=r2` },
      { key: `${table},host=a,rack=r1` },
      { key: `${table},host=b` },
    ])
  })

  it('filters series by time and tags, orders and limits them', async () => {
    expect(await db.run(`SHOW SERIES ON public FROM ${table} WHERE time < 4 ORDER BY host DESC LIMIT 1`)).toEqual([
      { key: `${table},host=b` },
    ])
    expect(await fails('SHOW SERIES FROM $t WHERE i = 1')).toMatchObject({ code: '010046' })
  })

  it('shows the values of tags', async () => {
    expect(await db.run(`SHOW TAG VALUES FROM ${table} WITH KEY = host ORDER BY value`)).toEqual([
      { key: 'host', value: '' },
      { key: 'host', value: 'a' },
      { key: 'host', value: 'b' },
    ])
    expect(await db.run(`SHOW TAG VALUES FROM ${table} WITH KEY IN (host, rack) WHERE time = 1 ORDER BY key`)).toEqual([
      { key: 'host', value: 'a' },
      { key: 'rack', value: 'r1' },
    ])
    expect(await db.run(`SHOW TAG VALUES FROM ${table} WITH KEY != host LIMIT 1`)).toHaveLength(1)
    expect(await db.run(`SHOW TAG VALUES FROM ${table} WITH KEY = nope`)).toEqual([])
  })
})

describe('what is known of the newest row of a series', () => {
  it('is forgotten when UPDATE moves series and when files come in', async () => {
    await insert('time, host, d', `1, 'a', 1`, `5, 'b', 1`)
    await db.run(`UPDATE ${table} SET host = 'a' WHERE host = 'b'`)
    await insert('time, host, i', `5, 'a', 2`)
    expect(await read('host, d, i')).toEqual([
      { host: 'a', d: 1, i: null },
      { host: 'a', d: 1, i: 2n },
    ])
    await db.run(`COPY INTO '${db.path('moved')}' FROM ${table} FILE_FORMAT = (TYPE = 'PARQUET')`)
    await db.run(`DELETE FROM ${table}`)
    await insert('time, host, i', `9, 'c', 9`)
    await db.run(`COPY INTO ${table} FROM '${db.path('moved')}/' FILE_FORMAT = (TYPE = 'PARQUET')`)
    await insert('time, host, u', `5, 'a', 3`)
    expect(await read('host, d, i, u')).toEqual([
      { host: 'a', d: 1, i: null, u: null },
      { host: 'a', d: 1, i: 2n, u: 3n },
      { host: 'c', d: null, i: 9n, u: null },
    ])
  })
})
