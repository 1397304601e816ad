import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTestDatabase, type TestDatabase } from './open-test-database.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db[Symbol.asyncDispose]())

describe('ending a statement of somebody else', () => {
  /** On the list until its rows have been read. */
  async function startAs(user: string, tenant: string) {
    const session = await db.database.authenticate({ user, password: `${user}-pw`, tenant })
    const result = await db.database.execute(session, 'SELECT count(*) AS n FROM range(1000000) a')
    if (result.kind === 'none') return expect.unreachable()
    return result
  }

  it('is for who may see it: administrators all, owners their tenant’s, others their own', async () => {
    await db.run('CREATE TENANT acme')
    for (const [user, role] of [
      ['olga', 'owner'],
      ['max', 'member'],
      ['mia', 'member'],
    ]) {
      await db.run(`CREATE USER ${user} WITH password = '${user}-pw'`)
      await db.run(`ALTER TENANT acme ADD USER ${user} AS ${role}`)
    }
    const killBy = async (user: string) => {
      const victim = await startAs('max', 'acme')
      const [query] = await db.run("SELECT query_id FROM information_schema.queries WHERE user_name = 'max'")
      const who = user === 'root' ? {} : { user, password: `${user}-pw`, tenant: 'acme' }
      const outcome = await db.run(`KILL QUERY ${query?.query_id}`, who).then(
        () => 'ended',
        (error) => error.code,
      )
      const rows = await victim.all().then(
        () => 'answered',
        (error) => error.errorName,
      )
      return `${outcome}, ${rows}`
    }
    expect(await killBy('mia')).toBe('010011, answered')
    expect(await killBy('max')).toBe('ended, QUERY_CANCELED')
    expect(await killBy('olga')).toBe('ended, QUERY_CANCELED')
    expect(await killBy('root')).toBe('ended, QUERY_CANCELED')
  })
})

it('what a statement has done is answered, though it is killed before the answer is read', async () => {
  await db.run('CREATE TABLE done (v BIGINT)')
  const session = await db.database.authenticate({ user: 'root', password: 'root' })
  for (const sql of [
    'INSERT INTO done (time, v) VALUES (1, 1)',
    'INSERT INTO done (time, v) SELECT CAST(2 AS TIMESTAMP), v FROM done',
    'UPDATE done SET v = v + 1 WHERE time = 1',
    `COPY INTO '${db.path('out')}' FROM (SELECT * FROM done WHERE time = 1)`,
    `COPY INTO done FROM '${db.path('out')}'`,
    `EXPLAIN ANALYZE COPY INTO '${db.path('explained')}' FROM done`,
  ]) {
    const result = await db.database.execute(session, sql)
    const [query] = await db.run("SELECT query_id FROM information_schema.queries WHERE query_text LIKE '%done%'")
    await db.run(`KILL QUERY ${query?.query_id}`)
    const rows = result.kind === 'rows' ? await result.all() : expect.unreachable()
    if (!sql.startsWith('EXPLAIN')) expect(rows).toEqual([{ rows: 1n }])
  }
})
