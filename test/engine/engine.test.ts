import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Engine } from '../../src/engine/engine.ts'
import { type EngineFixture, openTestEngine } from './engine-fixture.ts'

const ENDLESS = 'SELECT count(*) AS n FROM range(100000000000) AS r WHERE hash(r.range) = 1 AND sqrt(r.range) < 0'

let fixture: EngineFixture
let engine: Engine
beforeAll(async () => {
  fixture = await openTestEngine()
  engine = fixture.engine
  await engine.run('CREATE TABLE numbers AS SELECT range AS n, CAST(range AS VARCHAR) AS text FROM range(100000)')
})
afterAll(() => fixture[Symbol.asyncDispose]())

describe('run and all', () => {
  it.each([
    ['CREATE TABLE c AS SELECT * FROM range(7)', 7n],
    ['INSERT INTO c SELECT * FROM range(3)', 3n],
    ['UPDATE c SET range = 1 WHERE range = 0', 2n],
    ['DELETE FROM c WHERE range = 1', 4n],
    ['MERGE INTO c USING (SELECT 99 AS k) AS s ON c.range = s.k WHEN NOT MATCHED THEN INSERT VALUES (s.k)', 1n],
    ['DROP TABLE c', 0n],
    ['SELECT 1 AS "Count"', 0n],
  ])('%s changes %s rows', async (sql, rows) => {
    expect(await engine.run(sql)).toBe(rows)
  })

  it('turns values into bigint, number, string, boolean and null', async () => {
    const [row] = await engine.all(
      "SELECT 1 AS i, 2::BIGINT AS b, 18446744073709551615::UBIGINT AS u, 3::HUGEINT AS h, 'x' AS s, true AS t, " +
        "NULL AS n, 1.5::DOUBLE AS d, TIMESTAMP_NS '1970-01-01 00:00:00.000000001' AS ns, TIMESTAMP '1970-01-01 00:00:01' AS us, " +
        "TIMESTAMP_MS '1970-01-01 00:00:01' AS ms, 1.50::DECIMAL(4,2) AS c, [1, 2] AS l",
    )
    expect(row).toEqual({
      i: 1,
      b: 2n,
      u: 18446744073709551615n,
      h: 3n,
      s: 'x',
      t: true,
      n: null,
      d: 1.5,
      ns: 1n,
      us: 1_000_000n,
      ms: 1000n,
      c: '1.50',
      l: '[1, 2]',
    })
  })

  it('describes a SELECT without running it', async () => {
    expect(await engine.describe("SELECT 1 AS a, 'x' AS a, TIMESTAMP_NS '2020-01-01' AS t")).toEqual([
      { name: 'a', type: 'INTEGER' },
      { name: 'a', type: 'VARCHAR' },
      { name: 't', type: 'TIMESTAMP_NS' },
    ])
  })
})

describe('errors', () => {
  it.each([
    ['SELEC 1', 'SQL_SYNTAX', 0],
    ['SELECT 1, nope', 'PLANNING', 10],
    ['SELECT * FROM nowhere', 'PLANNING', 14],
    ["SELECT 'a'::INTEGER", 'CAST_FAILED', 10],
    ['SELECT 9223372036854775807::BIGINT + 1', 'CAST_FAILED', undefined],
    ["SELECT * FROM read_csv('/nowhere.csv')", 'BAD_FILE', 14],
    ["COPY (SELECT 1) TO '/dev/full'", 'NO_SPACE', undefined],
    ["SELECT * FROM 's3://bucket/file.parquet'", 'UNSUPPORTED', undefined],
  ])('%s is %s', async (sql, errorName, position) => {
    const error = await engine.all(sql).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ name: 'CnosError', errorName, context: position === undefined ? {} : { position } })
    expect((error as Error).message).not.toMatch(/exception_type|LINE 1|INSTALL|SET /)
  })

  it('says what memory and disk lacked', async () => {
    await using small = await openTestEngine({ memoryBytes: 60 * 1024 * 1024, tempBytes: 1024 * 1024 })
    const query = 'SELECT count(*) FROM (SELECT md5(range::VARCHAR) AS m FROM range(6000000) ORDER BY m OFFSET 1)'
    const error = await small.engine.all(query).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ name: 'CnosError', hint: expect.stringMatching(/budget/) })
    expect(['NO_SPACE', 'OUT_OF_MEMORY']).toContain((error as { errorName: string }).errorName)
    expect((error as Error).message).toMatch(
      /needs more (memory|temporary space) than the server's budget \(.* in use\)/,
    )
  })
})

describe('lines', () => {
  it('streams every row in order', async () => {
    let next = 0
    for await (const lines of engine.lines('SELECT text FROM numbers ORDER BY n'))
      for (const line of lines) expect(line).toBe(String(next++))
    expect(next).toBe(100_000)
  })

  it('frees its slot when left early, more often than there are slots', async () => {
    for (let round = 0; round < 10; round += 1)
      for await (const lines of engine.lines('SELECT text FROM numbers')) if (lines.length > 0) break
    expect(await engine.all('SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  it('raises an error of a later row as ours', async () => {
    const read = async () => {
      for await (const _ of engine.lines(
        "SELECT CAST(CAST(nullif(text, '99999') || 'x' AS INTEGER) AS VARCHAR) FROM numbers",
      ));
    }
    await expect(read()).rejects.toMatchObject({ errorName: 'CAST_FAILED' })
  })

  it('never ends a stream that failed as if it were complete', async () => {
    let rows = 0
    const read = async () => {
      const late = "CASE WHEN range = 900000 THEN CAST('x' || range AS BIGINT) ELSE range END"
      for await (const lines of engine.lines(`SELECT CAST(${late} AS VARCHAR) FROM range(1000000)`))
        rows += lines.length
    }
    await expect(read()).rejects.toMatchObject({
      errorName: 'CAST_FAILED',
      message: expect.stringContaining('x900000'),
    })
    expect(rows).toBeGreaterThan(0)
  })

  it('streams side by side with other statements', async () => {
    const streams = [1, 2, 3].map(async () => {
      let count = 0
      for await (const lines of engine.lines('SELECT text FROM numbers')) {
        count += lines.length
        await engine.all('SELECT 1')
      }
      return count
    })
    expect(await Promise.all(streams)).toEqual([100_000, 100_000, 100_000])
  })
})

describe('copyTo', () => {
  it('writes the rows, counts them and reports progress', async () => {
    const target = join(fixture.directory, 'out.csv')
    const seen: number[] = []
    const select = 'SELECT range, md5(range::VARCHAR) FROM range(2000000)'
    const rows = await engine.copyTo(select, target, 'FORMAT csv', { onProgress: ({ percent }) => seen.push(percent) })
    expect(rows).toBe(2_000_000n)
    expect(seen.length).toBeGreaterThan(0)
    expect(Math.max(...seen)).toBeLessThanOrEqual(100)
    await rm(target)
  })
})

describe('transactions and sessions', () => {
  it('commits all or nothing', async () => {
    await engine.run('CREATE TABLE ledger (n INTEGER)')
    await engine.transaction(async (session) => {
      await session.run('INSERT INTO ledger VALUES (1)')
      await session.run('INSERT INTO ledger VALUES (2)')
    })
    const failing = engine.transaction(async (session) => {
      await session.run('INSERT INTO ledger VALUES (3)')
      throw new Error('changed my mind')
    })
    await expect(failing).rejects.toThrow('changed my mind')
    expect(await engine.all('SELECT sum(n) AS sum FROM ledger')).toEqual([{ sum: 3n }])
  })

  it('drops temporary tables with the session', async () => {
    await engine.withSession((session) => session.run('CREATE TEMP TABLE mine (n INTEGER)'))
    await expect(engine.all('SELECT * FROM mine')).rejects.toMatchObject({ errorName: 'PLANNING' })
  })
})

describe('cancelling', () => {
  it.each([
    ['before it starts', 0],
    ['while it runs', 150],
  ])('rejects with the reason when aborted %s', async (_, delay) => {
    const controller = new AbortController()
    const reason = new Error('enough')
    if (delay === 0) controller.abort(reason)
    else setTimeout(() => controller.abort(reason), delay)
    await expect(engine.all(ENDLESS, { signal: controller.signal })).rejects.toBe(reason)
    expect(await engine.all('SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  it('has ended the statement when it rejects', async () => {
    const controller = new AbortController()
    setTimeout(() => controller.abort(new Error('enough')), 100)
    const target = join(fixture.directory, 'cancelled.csv')
    const copying = engine.copyTo('SELECT range, md5(range::VARCHAR) FROM range(1000000000)', target, 'FORMAT csv', {
      signal: controller.signal,
    })
    await expect(copying).rejects.toThrow('enough')
    const partial = () => readdir(fixture.directory).then((names) => names.filter((name) => name.endsWith('.csv')))
    for (const name of await partial()) await rm(join(fixture.directory, name))
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(await partial()).toEqual([])
  })

  it('ends a stream between two batches', async () => {
    const controller = new AbortController()
    const read = async () => {
      for await (const _ of engine.lines('SELECT CAST(range AS VARCHAR) FROM range(1000000000)', {
        signal: controller.signal,
      }))
        controller.abort(new Error('enough'))
    }
    await expect(read()).rejects.toThrow('enough')
  })

  it('gives up waiting for a free slot', async () => {
    const running = new AbortController()
    const blockers = [1, 2, 3, 4].map(() => engine.all(ENDLESS, { signal: running.signal }).catch(() => undefined))
    const waiting = engine.all('SELECT 1', { signal: AbortSignal.timeout(50) })
    await expect(waiting).rejects.toMatchObject({ name: 'TimeoutError' })
    running.abort()
    await Promise.all(blockers)
  })

  it('closes while statements run', async () => {
    const other = await openTestEngine()
    const running = other.engine.all(ENDLESS).catch((error: unknown) => error)
    await new Promise((resolve) => setTimeout(resolve, 50))
    await other[Symbol.asyncDispose]()
    expect(await running).toMatchObject({ name: 'CnosError' })
    await expect(other.engine.all('SELECT 1')).rejects.toMatchObject({ name: 'CnosError' })
  })
})
