import { readdir } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../src/async/clock.ts'
import { failureOf, openTestDatabase } from './open-test-database.ts'

describe('many statements at once', () => {
  it('all finish: inserts into one table and into several, exports and imports', async () => {
    await using db = await openTestDatabase()
    for (const table of ['a', 'b', 'c']) await db.run(`CREATE TABLE ${table} (v BIGINT, TAGS(h))`)
    const inserts = Array.from({ length: 60 }, (_, index) =>
      db.run(`INSERT INTO ${'abc'[index % 3]} (time, h, v) VALUES (${index}, 'h', ${index})`),
    )
    const selects = Array.from({ length: 30 }, (_, index) =>
      db.run(`INSERT INTO a (time, h, v) SELECT i, 's${index}', i FROM generate_series(1, 100) AS g(i)`),
    )
    await Promise.all([...inserts, ...selects])
    expect(await db.run('SELECT count(*) AS n FROM a')).toEqual([{ n: 3020n }])
    const formats = ['CSV', 'JSON', 'PARQUET']
    const copies = Array.from({ length: 30 }, async (_, index) => {
      const format = `FILE_FORMAT = (TYPE = '${formats[index % 3]}')`
      const path = db.path('out', String(index))
      expect(await db.run(`COPY INTO '${path}' FROM a ${format}`)).toEqual([{ rows: 3020n }])
      expect(await db.run(`COPY INTO ${'bc'[index % 2]} FROM '${path}/' ${format}`)).toEqual([{ rows: 3020n }])
    })
    await Promise.all(copies)
    expect(await db.run('SELECT * FROM a EXCEPT SELECT * FROM b')).toEqual([])
  })

  it('leave room to look and to kill', async () => {
    await using db = await openTestDatabase()
    await db.run('CREATE TABLE t (v BIGINT)')
    await db.run('INSERT INTO t (time, v) SELECT i, i FROM generate_series(1, 2000) AS g(i)')
    const slow = 'SELECT count(*) FROM t a, t b, t c, t d WHERE a.v + b.v + c.v + d.v < 0'
    const running = Array.from({ length: 40 }, () => failureOf(db.run(slow)))
    for (;;) {
      const queries = await db.run('SHOW QUERIES')
      if (queries.length === 41) break
      await systemClock.sleep(20)
    }
    await systemClock.sleep(1000)
    const startedMs = performance.now()
    expect(await db.run('SELECT 1 AS one')).toEqual([{ one: 1n }])
    expect(await db.run('SELECT count(*) AS n FROM information_schema.queries')).toEqual([{ n: 41n }])
    for (const query of await db.run('SHOW QUERIES')) {
      if (String(query.query_text).startsWith('SELECT count')) await db.run(`KILL QUERY ${query.query_id}`)
    }
    for (const failure of await Promise.all(running)) expect(failure.name).toBe('QUERY_CANCELED')
    expect(performance.now() - startedMs).toBeLessThan(10_000)
  })

  it('a table dropped under a running import: one of the two fails cleanly', async () => {
    await using db = await openTestDatabase()
    await db.run('CREATE TABLE t (v BIGINT)')
    const insert = db.run('INSERT INTO t (time, v) SELECT i, i FROM generate_series(1, 500000) AS g(i)')
    const settled = insert.then(
      () => 'stored',
      (error) => error.code,
    )
    await systemClock.sleep(30)
    await db.run('DROP TABLE t')
    expect(['stored', '030019', '010001']).toContain(await settled)
    await db.run('CREATE TABLE t (v BIGINT)')
    expect(await db.run('SELECT count(*) AS n FROM t')).toEqual([{ n: 0n }])
  })
})

describe('what is dropped under running statements', () => {
  it.each(['DROP DATABASE d', 'DROP TENANT acme'])('%s waits for who writes; who comes later is told', async (drop) => {
    await using db = await openTestDatabase()
    const acme = { tenant: 'acme', database: 'd' }
    await db.run('CREATE TENANT acme')
    const create = async () => {
      if (drop.includes('TENANT')) await db.run('CREATE TENANT IF NOT EXISTS acme')
      await db.run('CREATE DATABASE d', { tenant: 'acme' })
      for (const table of ['a', 'b']) await db.run(`CREATE TABLE ${table} (v BIGINT)`, acme)
    }
    await create()
    const rows = 'SELECT i, i FROM generate_series(1, 150000) AS g(i)'
    await db.run(`INSERT INTO b (time, v) ${rows}`, acme)
    await db.run(`COPY INTO '${db.path('out')}' FROM b`, acme)
    await db.run('DELETE FROM b', acme)
    const outcome = (sql: string) =>
      db.run(sql, acme).then(
        () => 'done',
        (error) => `${error.code} ${error.message}`,
      )
    const writers = [
      outcome(`INSERT INTO a (time, v) ${rows}`),
      outcome(`COPY INTO b FROM '${db.path('out')}/'`),
      outcome('INSERT INTO a (time, v) VALUES (1, 1)'),
      outcome('UPDATE b SET v = 2 WHERE v = 3'),
    ]
    await systemClock.sleep(40)
    await db.run(drop, { tenant: drop.includes('TENANT') ? 'cnosdb' : 'acme' })
    for (const end of await Promise.all(writers)) expect(end).toMatch(/^(done|030019 Table not found: "acme.d.[ab]")$/)
    await create()
    for (const table of ['a', 'b'])
      expect(await db.run(`SELECT count(*) AS n FROM ${table}`, acme)).toEqual([{ n: 0n }])
    await db.reopen()
    for (const table of ['a', 'b'])
      expect(await db.run(`SELECT count(*) AS n FROM ${table}`, acme)).toEqual([{ n: 0n }])
    expect(db.warnings).toEqual([])
  })

  it('a table that is dropped again and again takes every line, or says why not', async () => {
    await using db = await openTestDatabase()
    const session = await db.database.authenticate({ user: 'root', password: 'root' })
    const outcomes: string[] = []
    const write = async (writer: number) => {
      for (let i = 0; i < 25; i += 1) {
        const lines = Buffer.from(`air,s=w${writer} v=${i}i ${i + 1}`)
        const ended = db.database.writeLineProtocol(session, lines)
        outcomes.push(
          await ended.then(
            ({ rows }) => `${rows}`,
            (error) => error.code,
          ),
        )
      }
    }
    const drop = async () => {
      for (let i = 0; i < 20; i += 1) await db.run('DROP TABLE IF EXISTS air')
    }
    await Promise.all([write(1), write(2), write(3), drop()])
    expect(new Set(outcomes)).toEqual(new Set(['1']))
  })

  it('a table altered before its rows are read never shows one column under the name of another', async () => {
    await using db = await openTestDatabase()
    await db.run('CREATE TABLE t (a BIGINT, b BIGINT)')
    await db.run('INSERT INTO t (time, a, b) VALUES (1, 1, 2)')
    const session = await db.database.authenticate({ user: 'root', password: 'root' })
    const planned = async (sql: string) => {
      const result = await db.database.execute(session, sql)
      return result.kind === 'rows' ? result : expect.fail('no rows')
    }
    const star = await planned('SELECT * FROM t')
    for (const sql of ['ALTER TABLE t DROP a', 'ALTER TABLE t ADD FIELD c BIGINT']) await db.run(sql)
    expect(await failureOf(star.all())).toMatchObject({ code: '030025', message: expect.stringContaining('altered') })
    const again = await planned('SELECT * FROM t')
    await db.run('ALTER TABLE t ADD FIELD d BIGINT')
    expect(await again.all()).toEqual([{ time: 1n, b: 2n, c: null }])
  })

  it('a statement that waited for its turn while a column went away asks to be sent again', async () => {
    await using db = await openTestDatabase()
    await db.run('CREATE TABLE t (a BIGINT, b BIGINT)')
    await db.run('INSERT INTO t (time, a, b) VALUES (1, 1, 2)')
    const session = await db.database.authenticate({ user: 'root', password: 'root' })
    const turns: AsyncIterator<unknown>[] = []
    for (let turn = 0; turn < 10; turn += 1) {
      const result = await db.database.execute(session, 'SELECT * FROM generate_series(1, 1000000)')
      const lines = result.kind === 'rows' ? result.lines("'x'")[Symbol.asyncIterator]() : expect.fail('no rows')
      await lines.next()
      turns.push(lines)
    }
    const waiting = [
      `COPY INTO '${db.path('out')}' FROM t`,
      `COPY INTO '${db.path('out')}' FROM (SELECT a, b FROM t)`,
      'INSERT INTO t (time, b) SELECT time, a FROM t',
    ].map((sql) => failureOf(db.run(sql)))
    while ((await db.run('SHOW QUERIES')).filter(({ state }) => state === 'SCHEDULING').length < 13) {
      await systemClock.sleep(10)
    }
    await db.run('ALTER TABLE t DROP a')
    for (const turn of turns) await turn.return?.()
    for (const failed of waiting) {
      expect(await failed).toMatchObject({ code: '030025', message: expect.stringContaining('altered') })
    }
  })

  it('a second DROP never puts off the first', async () => {
    await using db = await openTestDatabase()
    for (const kind of ['DATABASE', 'TENANT']) {
      await db.run(`CREATE ${kind} late`)
      await db.run(`DROP ${kind} late AFTER '1h'`)
      expect(await failureOf(db.run(`DROP ${kind} late AFTER '2h'`))).toMatchObject({
        name: `${kind}_NOT_FOUND`,
        message: expect.stringContaining('RECOVER'),
      })
      await db.run(`DROP ${kind} IF EXISTS late AFTER '2h'`)
      await db.run(`DROP ${kind} late AFTER '1m'`)
      await db.run(`DROP ${kind} late`)
      await db.run(`CREATE ${kind} late`)
    }
  })
})

describe('a running COPY', () => {
  it.each(['CSV', 'JSON', 'PARQUET'])(
    'to %s shows its progress, is killed by its id, and leaves nothing',
    async (type) => {
      await using db = await openTestDatabase()
      const rows = 4_000_000
      const out = db.path('out')
      const source = `SELECT i AS v, i * 0.1 AS d, 'text ' || i AS s FROM generate_series(1, ${rows}) AS g(i)`
      const copying = failureOf(db.run(`COPY INTO '${out}' FROM (${source}) FILE_FORMAT = (TYPE = '${type}')`))
      let seen: { query_id: unknown; progress: unknown; processed_count: unknown } | undefined
      while (!seen) {
        const queries = await db.run('SHOW QUERIES')
        seen = queries.find((query) => String(query.query_text).startsWith('COPY')) as typeof seen
        await systemClock.sleep(50)
      }
      await systemClock.sleep(300)
      await db.run(`KILL QUERY ${seen.query_id}`)
      expect(await copying).toMatchObject({ name: 'QUERY_CANCELED' })
      expect(await readdir(out, { recursive: true }).catch(() => [])).toEqual([])
      expect(await readdir(db.path('data', 'spool'))).toEqual([])
    },
  )

  it('into a table is killed and leaves the table as it was', async () => {
    await using db = await openTestDatabase()
    await db.run('CREATE TABLE t (d DOUBLE, s STRING)')
    await db.run("INSERT INTO t (time, s) VALUES (1, 'old')")
    const out = db.path('out')
    await db.run('CREATE TABLE source (d DOUBLE, s STRING)')
    await db.run(
      "INSERT INTO source (time, d, s) SELECT i, i * 0.1, 'text ' || i FROM generate_series(1, 2000000) AS g(i)",
    )
    await db.run(`COPY INTO '${out}' FROM source`)
    const copying = failureOf(db.run(`COPY INTO t FROM '${out}/'`))
    let percent = 0
    let id: unknown
    while (percent < 10) {
      const query = (await db.run('SHOW QUERIES')).find((row) => String(row.query_text).startsWith('COPY'))
      if (!query) break
      id = query.query_id
      percent = Number(query.progress ?? 0)
      await systemClock.sleep(20)
    }
    expect(percent).toBeGreaterThan(0)
    await db.run(`KILL QUERY ${id}`)
    expect(await copying).toMatchObject({ name: 'QUERY_CANCELED' })
    expect(await db.run('SELECT * FROM t')).toEqual([{ time: 1n, d: null, s: 'old' }])
    expect(await db.run(`COPY INTO t FROM '${out}/'`)).toEqual([{ rows: 2000000n }])
  })
})
