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
