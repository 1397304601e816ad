import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { expect, it } from 'vitest'
import { systemClock } from '../../src/async/clock.ts'
import { openTestDatabase } from './open-test-database.ts'

const ROWS = 100_000n

/** Starts the child, kills it `ms` after its first word, and answers what it said. */
async function killAfter(ms: number, script: string, args: readonly string[]): Promise<readonly unknown[]> {
  const child: ChildProcess = fork(new URL(script, import.meta.url), [...args], {
    execArgv: ['--import', 'tsx'],
  })
  const said: unknown[] = []
  child.on('message', (message) => said.push(message))
  const exited = once(child, 'exit')
  await Promise.race([once(child, 'message'), exited])
  await systemClock.sleep(ms)
  child.kill('SIGKILL')
  await exited
  expect(said[0], 'the child opened the directory').toBe('open')
  return said
}

it('kill -9 at any moment: what was answered is there, and no statement is half done', async () => {
  await using db = await openTestDatabase()
  await db.run('CREATE TABLE t (v BIGINT)')
  await db.run(`INSERT INTO t (time, v) SELECT i, i FROM generate_series(1, ${ROWS}) AS g(i)`)
  await db.run(`COPY INTO '${db.path('in')}' FROM t FILE_FORMAT = (TYPE = 'PARQUET')`)
  await db.run('DELETE FROM t')
  for (const ms of [40, 200, 700, 1500]) {
    await db.database.close()
    const said = await killAfter(ms, './crash-child.ts', [db.path('data'), db.path('in')])
    await db.reopen()
    const [row] = await db.run('SELECT count(*) AS n FROM t')
    expect([0n, ROWS], `after ${said.join(' ')}`).toContain(row?.n)
    const rounds = said.filter((message) => typeof message === 'number')
    const tables = await db.run("SELECT table_name FROM information_schema.tables WHERE table_name LIKE 'r%'")
    expect(tables.length, `after ${said.join(' ')}`).toBeGreaterThanOrEqual(rounds.length)
    for (const round of rounds) expect(await db.run(`SELECT v FROM r${round}`)).toEqual([{ v: BigInt(round) }])
    for (const { table_name: name } of tables) await db.run(`DROP TABLE ${name}`)
  }
}, 180_000)

it('kill -9 among writers of line protocol: what was answered is there, and no write is half done', async () => {
  await using db = await openTestDatabase()
  for (const ms of [30, 600, 1800]) {
    await db.database.close()
    const answered = (await killAfter(ms, './crash-writes-child.ts', [db.path('data')])).filter(Array.isArray)
    await db.reopen()
    const found =
      answered.length === 0
        ? []
        : await db.run('SELECT writer, round, max(sent) AS sent, count(*) AS n FROM w GROUP BY ALL')
    for (const row of found) expect(row.n, `writer ${row.writer}, round ${row.round}`).toBe(row.sent)
    const there = new Set(found.map(({ writer, round }) => `${writer} ${round}`))
    for (const [writer, round] of answered) expect(there, `after ${ms} ms`).toContain(`${writer} ${round}`)
    if (answered.length > 0) await db.run('DROP TABLE w')
  }
}, 180_000)
