import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../src/async/clock.ts'
import { openDatabase } from '../../src/database.ts'
import { failureOf, openTestDatabase } from './open-test-database.ts'

const SLOW = 'SELECT count(*) AS n FROM t a, t b, t c, t d WHERE a.v + b.v + c.v + d.v < 0'

async function withRows(rows: number) {
  const db = await openTestDatabase()
  await db.run('CREATE TABLE t (v BIGINT)')
  await db.run(`INSERT INTO t (time, v) SELECT i, i FROM generate_series(1, ${rows}) AS g(i)`)
  return db
}

async function waitForRows<T>(list: () => Promise<readonly T[]>): Promise<readonly T[]> {
  for (let tries = 0; tries < 100; tries += 1) {
    const rows = await list()
    if (rows.length > 0) return rows
    await systemClock.sleep(20)
  }
  throw new Error('the rows never showed up')
}

const optionsFor = (dataDir: string) => ({
  dataDir,
  memoryBytes: 2 ** 28,
  spoolBytes: 2 ** 28,
  copyRoots: [],
  allowEndpoints: [],
  ambientCredentials: false,
  env: {},
  clock: systemClock,
  warn: () => {},
})

describe('opening', () => {
  it('keeps everything across a restart', async () => {
    await using db = await openTestDatabase({ rootPassword: 'root' })
    await db.run("CREATE DATABASE shop WITH TTL '3650d' PRECISION 'ms'")
    await db.run('CREATE TABLE shop."Air" (v DOUBLE CODEC(GORILLA), TAGS("Station"))')
    await db.run(`INSERT INTO shop."Air" (time, "Station", v) VALUES ('2024-01-01', 'x', 0.1)`)
    await db.run("CREATE USER anna WITH password = 'pw'")
    const session = await db.database.authenticate({ user: 'root', password: 'root' })
    const dump = await db.database.dumpDdl(session)
    await db.reopen()
    expect(await db.run('SELECT * FROM shop."Air"')).toEqual([{ time: 1704067200000n, Station: 'x', v: 0.1 }])
    expect(await db.database.dumpDdl(session)).toBe(dump)
    await db.run('CREATE TABLE more (v DOUBLE)')
    await db.run('INSERT INTO more (time, v) VALUES (1, 1)')
    expect(await db.run('SELECT count(*) AS n FROM shop."Air"')).toEqual([{ n: 1n }])
  })

  it('ignores the root password of a directory that has one', async () => {
    await using db = await openTestDatabase({ rootPassword: 'first' })
    await db.database.close()
    await using again = await openDatabase({ ...optionsFor(db.path('data')), rootPassword: 'second' })
    expect(await failureOf(again.authenticate({ user: 'root', password: 'second' }))).toMatchObject({ code: '010016' })
    await again.authenticate({ user: 'root', password: 'first' })
  })

  it('refuses a directory that is open in this process', async () => {
    await using db = await openTestDatabase()
    expect(await failureOf(openDatabase(optionsFor(db.path('data'))))).toMatchObject({ name: 'DATA_DIRECTORY' })
    await db.run('SHOW TABLES')
  })

  it('refuses a directory that is open in another process, and takes it over after kill -9', async () => {
    await using db = await openTestDatabase()
    await db.database.close()
    const child = fork(new URL('./hold-data-directory.ts', import.meta.url), [db.path('data')], {
      execArgv: ['--import', 'tsx'],
    })
    await once(child, 'message')
    const failure = await failureOf(openDatabase(optionsFor(db.path('data'))))
    expect(failure.name).toBe('DATA_DIRECTORY')
    expect(failure.message).toContain(`PID ${child.pid}`)
    child.kill('SIGKILL')
    await once(child, 'exit')
    await using again = await openDatabase(optionsFor(db.path('data')))
    const session = await again.authenticate({ user: 'root', password: 'root' })
    const result = await again.execute(session, 'SELECT count(*) AS n FROM held')
    expect(result.kind === 'rows' && (await result.all())).toEqual([{ n: 2n }])
  })

  it('refuses a directory of a newer version, and changes nothing', async () => {
    await using db = await openTestDatabase()
    await db.database.close()
    const file = db.path('data', 'format.json')
    const format = JSON.parse(await readFile(file, 'utf8'))
    await writeFile(file, JSON.stringify({ ...format, version: 99 }))
    const before = await stat(db.path('data', 'cnosdb.duckdb'))
    const failure = await failureOf(openDatabase(optionsFor(db.path('data'))))
    expect(failure.name).toBe('DATA_DIRECTORY')
    expect(failure.message).toContain('newer version')
    expect((await stat(db.path('data', 'cnosdb.duckdb'))).mtimeMs).toBe(before.mtimeMs)
  })

  it('refuses a path that is a file', async () => {
    await using db = await openTestDatabase()
    await writeFile(db.path('file'), 'x')
    expect(await failureOf(openDatabase(optionsFor(db.path('file'))))).toMatchObject({ name: 'DATA_DIRECTORY' })
    expect(await readFile(db.path('file'), 'utf8')).toBe('x')
  })

  it('empties its own spool and leaves a shared spool directory alone', async () => {
    await using db = await openTestDatabase()
    await db.database.close()
    await mkdir(db.path('spool'))
    await writeFile(db.path('spool', 'somebody-else'), 'x')
    const options = { ...optionsFor(db.path('data')), spoolDir: db.path('spool') }
    await (await openDatabase(options)).close()
    const [own = ''] = (await readdir(db.path('spool'))).filter((name) => name.startsWith('cnosdb-'))
    await writeFile(db.path('spool', own, 'spool', 'left-over'), 'x')
    await (await openDatabase(options)).close()
    expect(await readdir(db.path('spool', own, 'spool'))).toEqual([])
    expect(await readFile(db.path('spool', 'somebody-else'), 'utf8')).toBe('x')
  })
})

describe('running statements', () => {
  it('are listed, redacted, and killed by their id', async () => {
    await using db = await withRows(2000)
    const session = await db.database.authenticate({ user: 'root', password: 'root' })
    const running = failureOf(db.run(SLOW))
    const [query] = await waitForRows(() =>
      db.run("SELECT * FROM information_schema.queries WHERE query_text LIKE '%count%d.v%'"),
    )
    expect(query).toMatchObject({
      user_name: 'root',
      tenant_name: 'cnosdb',
      database_name: 'public',
      query_type: 'batch',
    })
    expect(await db.database.execute(session, `KILL QUERY ${query?.query_id}`)).toEqual({ kind: 'none' })
    expect(await running).toMatchObject({ name: 'QUERY_CANCELED', code: '010014' })
    expect(await failureOf(db.run(`KILL QUERY ${query?.query_id}`))).toMatchObject({ code: '010011' })
    expect(await db.run('SHOW QUERIES')).toHaveLength(1)
  })

  it('never show a secret', async () => {
    await using db = await openTestDatabase()
    const sql = `SELECT query_text FROM information_schema.queries -- secret_key = 'hidden'`
    expect(JSON.stringify(await db.run(sql))).not.toContain('hidden')
  })

  it('end when their caller gives up', async () => {
    await using db = await withRows(2000)
    const session = await db.database.authenticate({ user: 'root', password: 'root' })
    const stop = new AbortController()
    const result = await db.database.execute(session, SLOW, { signal: stop.signal })
    if (result.kind !== 'rows') throw new Error('no rows')
    const reading = result.all()
    const reason = new Error('gone')
    setTimeout(() => stop.abort(reason), 100)
    await expect(reading).rejects.toBe(reason)
    expect(await db.run('SHOW QUERIES')).toHaveLength(1)
  })

  it('end when their result is closed without reading', async () => {
    await using db = await withRows(10)
    const session = await db.database.authenticate({ user: 'root', password: 'root' })
    const result = await db.database.execute(session, 'SELECT * FROM t')
    expect(await db.run('SHOW QUERIES')).toHaveLength(2)
    if (result.kind === 'rows') result.close()
    expect(await db.run('SHOW QUERIES')).toHaveLength(1)
  })

  it('stream, and stop when the reader stops', async () => {
    await using db = await withRows(100_000)
    const session = await db.database.authenticate({ user: 'root', password: 'root' })
    const result = await db.database.execute(session, 'SELECT v FROM t ORDER BY v DESC')
    if (result.kind !== 'rows') throw new Error('no rows')
    for await (const batch of result.lines('"v"::VARCHAR')) {
      expect(batch[0]).toBe('100000')
      break
    }
    expect(await db.run('SHOW QUERIES')).toHaveLength(1)
  })

  it('are cancelled by close, which does not wait for them', async () => {
    await using db = await withRows(2000)
    const running = failureOf(db.run(SLOW))
    await waitForRows(() => db.run("SELECT * FROM information_schema.queries WHERE query_text LIKE '%d.v%'"))
    const startedMs = performance.now()
    await db.database.close()
    expect(performance.now() - startedMs).toBeLessThan(5000)
    expect(await running).toMatchObject({ name: 'SERVER_CLOSED' })
    const session = { user: 'root', tenant: 'cnosdb', database: 'public', mustChangePassword: false }
    expect(await failureOf(db.database.execute(session, 'SELECT 1'))).toMatchObject({ name: 'SERVER_CLOSED' })
  })
})

describe('one statement at a time', () => {
  it('is all that a request may hold', async () => {
    await using db = await openTestDatabase()
    expect(await failureOf(db.run('SELECT 1; DROP DATABASE public'))).toMatchObject({ code: '010013' })
    expect(await db.run('SELECT 1 AS one;')).toEqual([{ one: 1n }])
  })
})

describe('retention', () => {
  it('a delayed DROP hides at once, can be undone, and happens when it is due', async () => {
    let nowNs = systemClock.nowNs()
    await using db = await openTestDatabase({ clock: { ...systemClock, nowNs: () => nowNs } })
    await db.run('CREATE DATABASE old')
    await db.run('CREATE TABLE old.t (v BIGINT)')
    await db.run('INSERT INTO old.t (time, v) VALUES (1, 1)')
    await db.run("DROP DATABASE old AFTER '1h'")
    expect(await failureOf(db.run('SELECT * FROM old.t'))).toMatchObject({ code: '030019' })
    await db.run('RECOVER DATABASE old')
    expect(await db.run('SELECT v FROM old.t')).toEqual([{ v: 1n }])
    await db.run("DROP DATABASE old AFTER '1h'")
    nowNs += 3_600_000_000_001n
    await db.reopen()
    await waitForRows(async () => {
      const left = await db.run("SELECT * FROM information_schema.resource_status WHERE name LIKE '%old'")
      return left.length === 0 ? ['dropped'] : []
    })
    expect(await failureOf(db.run('RECOVER DATABASE old'))).toMatchObject({ code: '030017' })
  })

  it('rows older than the TTL are removed', async () => {
    let nowNs = systemClock.nowNs()
    await using db = await openTestDatabase({ clock: { ...systemClock, nowNs: () => nowNs } })
    await db.run("CREATE DATABASE short WITH TTL '1d'")
    await db.run('CREATE TABLE short.t (v BIGINT)')
    await db.run(`INSERT INTO short.t (time, v) VALUES (${nowNs}, 1), (${nowNs + 86_400_000_000_000n}, 2)`)
    nowNs += 86_400_000_000_001n
    await db.reopen()
    await waitForRows(() => db.run('SELECT count(*) FROM short.t HAVING count(*) = 1'))
    expect(await db.run('SELECT v FROM short.t')).toEqual([{ v: 2n }])
  })
})
