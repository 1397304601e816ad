import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { expect, it } from 'vitest'
import { systemClock } from '../../src/async/clock.ts'
import { openTestDatabase } from './open-test-database.ts'

const ROWS = 100_000n

/** Starts the child, kills it after `ms`, and answers what it said. */
async function killAfter(ms: number, args: readonly string[]): Promise<readonly unknown[]> {
  const child: ChildProcess = fork(new URL('./crash-child.ts', import.meta.url), [...args], {
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
    const said = await killAfter(ms, [db.path('data'), db.path('in')])
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
