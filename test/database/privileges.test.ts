import { mkdir } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Credentials } from '../../src/database.ts'
import { failureOf, openTestDatabase, type TestDatabase } from './open-test-database.ts'

let db: TestDatabase

const as = (user: string, database = 'plant'): Partial<Credentials> => ({
  user,
  password: `${user}-pw`,
  tenant: 'acme',
  database,
})

beforeAll(async () => {
  db = await openTestDatabase({ ambientCredentials: true })
  await mkdir(db.path('shared', 'none'))
  const acme = { tenant: 'acme' }
  await db.run("CREATE TENANT acme WITH comment = 'a test'")
  await db.run('CREATE DATABASE plant', acme)
  await db.run('CREATE DATABASE office', acme)
  await db.run('CREATE TABLE plant.air (v DOUBLE, TAGS(station))', acme)
  await db.run('CREATE TABLE office.desk (v DOUBLE)', acme)
  await db.run("INSERT INTO plant.air (time, station, v) VALUES (1, 's', 1.5)", acme)
  await db.run('INSERT INTO office.desk (time, v) VALUES (1, 2.5)', acme)
  await db.run('CREATE ROLE reader', acme)
  await db.run('CREATE ROLE writer', acme)
  await db.run('CREATE ROLE keeper', acme)
  await db.run('GRANT READ ON DATABASE plant TO reader', acme)
  await db.run('GRANT WRITE ON DATABASE plant TO writer', acme)
  await db.run('GRANT ALL ON DATABASE plant TO keeper', acme)
  for (const [user, role] of [
    ['olga', 'owner'],
    ['max', 'member'],
    ['rita', 'reader'],
    ['willy', 'writer'],
    ['kim', 'keeper'],
  ]) {
    await db.run(`CREATE USER ${user} WITH password = '${user}-pw'`)
    await db.run(`ALTER TENANT acme ADD USER ${user} AS ${role}`)
  }
  await db.run("CREATE USER stranger WITH password = 'stranger-pw'")
})
afterAll(async () => {
  await db[Symbol.asyncDispose]()
})

describe('signing in', () => {
  it.each([
    ['a wrong password', { user: 'root', password: 'wrong' }],
    ['an empty password', { user: 'root', password: '' }],
    ['an unknown user', { user: 'nobody', password: 'x' }],
  ])('refuses %s with one and the same answer', async (_, credentials) => {
    const failure = await failureOf(db.database.authenticate(credentials))
    expect(failure.code).toBe('010016')
    expect(failure.message).toContain(`Access denied for user '${credentials.user}'`)
  })

  it('refuses a tenant the user is no member of', async () => {
    const failure = await failureOf(
      db.database.authenticate({ ...as('stranger'), user: 'stranger', password: 'stranger-pw' }),
    )
    expect(failure.code).toBe('010016')
  })

  it('takes administrators into every tenant', async () => {
    expect(await db.run('SELECT v FROM plant.air', { tenant: 'acme' })).toEqual([{ v: 1.5 }])
  })

  it('lets a user whose password must change do that only', async () => {
    await db.run("CREATE USER fresh WITH password = 'first', must_change_password = true")
    await db.run('ALTER TENANT acme ADD USER fresh AS member')
    const first = { ...as('fresh'), password: 'first' }
    expect(await failureOf(db.run('SELECT 1', first))).toMatchObject({ code: '010004' })
    const same = await failureOf(db.run("ALTER USER fresh SET password = 'first'", first))
    expect(same.message).toContain('input different password')
    await db.run("ALTER USER fresh SET password = 'second'", first)
    expect(await failureOf(db.run('SELECT 1', first))).toMatchObject({ code: '010016' })
    expect(await db.run('SELECT 1 AS one', { ...first, password: 'second' })).toEqual([{ one: 1n }])
  })
})

const READ = [
  'SELECT * FROM air',
  'SELECT v FROM office.desk',
  'SELECT a.v FROM air a JOIN office.desk d ON a.v < d.v',
  'SELECT (SELECT max(v) FROM office.desk) AS x FROM air',
  'SELECT v FROM air WHERE v IN (SELECT v FROM office.desk)',
  'WITH w AS (SELECT v FROM office.desk) SELECT * FROM w',
  'SELECT v FROM air UNION ALL SELECT v FROM office.desk',
] as const

describe('reading', () => {
  it.each(READ)('%s is checked table by table', async (sql) => {
    const needsOffice = sql.includes('office')
    for (const user of ['olga', 'max']) await db.run(sql, as(user))
    for (const user of ['rita', 'willy', 'kim']) {
      if (!needsOffice) await db.run(sql, as(user))
      else expect(await failureOf(db.run(sql, as(user)))).toMatchObject({ code: '010004' })
    }
  })

  it.each([
    "COPY INTO '$shared/out/' FROM office.desk",
    "COPY INTO '$shared/out/' FROM (SELECT * FROM office.desk)",
    "COPY INTO '$shared/out/' FROM (WITH w AS (SELECT v FROM office.desk) SELECT * FROM w)",
    "COPY INTO '$shared/out/' FROM (SELECT a.v FROM air a JOIN office.desk d ON a.v < d.v)",
    "EXPLAIN COPY INTO '$shared/out/' FROM office.desk",
    'EXPLAIN SELECT * FROM office.desk',
    'EXPLAIN ANALYZE SELECT * FROM air WHERE v IN (SELECT v FROM office.desk)',
    'INSERT INTO air (time, v) SELECT time, v FROM office.desk',
    'INSERT INTO air (time, v) WITH w AS (SELECT time, v FROM office.desk) SELECT * FROM w',
    'DESCRIBE TABLE office.desk',
    'DESCRIBE DATABASE office',
    'SHOW TABLES ON office',
    'SHOW SERIES ON office FROM desk',
    'SHOW TAG VALUES ON office FROM desk WITH KEY = x',
  ])('%s needs READ', async (sql) => {
    const failure = await failureOf(db.run(sql.replace('$shared', db.path('shared')), as('willy')))
    expect(failure).toMatchObject({ code: '010004' })
    expect(failure.message).toContain('Read on database office')
  })

  it.each([
    'UPDATE air SET v = (SELECT max(v) FROM office.desk) WHERE time = 1',
    "UPDATE air SET v = 1 WHERE station IN (SELECT 's' FROM office.desk)",
    "DELETE FROM air WHERE station IN (SELECT 's' FROM office.desk)",
  ])('%s is for nobody: it has a subquery', async (sql) => {
    for (const user of ['olga', 'willy'])
      expect(await failureOf(db.run(sql, as(user)))).toMatchObject({ code: '010005' })
  })

  it('no statement sees another tenant', async () => {
    const failure = await failureOf(db.run('SELECT * FROM cnosdb.public.t', as('olga')))
    expect(failure).toMatchObject({ code: '010001' })
    expect(failure.message).toContain('Tenant conflict')
    expect(await failureOf(db.run('SELECT * FROM cluster_schema.users', as('olga')))).toMatchObject({ code: '030019' })
  })
})

describe('writing', () => {
  it.each([
    "INSERT INTO air (time, station, v) VALUES (9, 's', 1)",
    'DELETE FROM air WHERE time = 9',
    'UPDATE air SET v = 1.5 WHERE time = 1',
    "COPY INTO air FROM '$shared/none/'",
  ])('%s needs WRITE', async (sql) => {
    const statement = sql.replace('$shared', db.path('shared'))
    for (const user of ['max', 'rita']) {
      const failure = await failureOf(db.run(statement, as(user)))
      expect(failure).toMatchObject({ code: '010004' })
      expect(failure.message).toContain('Write on database plant')
    }
    for (const user of ['olga', 'willy', 'kim']) await db.run(statement, as(user))
  })

  it('line protocol needs WRITE', async () => {
    const line = Buffer.from('air,station=s v=1 9')
    const rita = await db.database.authenticate(as('rita') as Credentials)
    expect(await failureOf(db.database.writeLineProtocol(rita, line))).toMatchObject({ code: '010004' })
    const willy = await db.database.authenticate(as('willy') as Credentials)
    expect(await db.database.writeLineProtocol(willy, line)).toEqual({ rows: 1 })
  })
})

describe('metadata', () => {
  it.each([
    ['CREATE TABLE t1 (v DOUBLE)', ['kim']],
    ['ALTER TABLE air ADD FIELD w DOUBLE', ['kim']],
    ['DROP TABLE IF EXISTS t1', ['kim']],
    ["ALTER DATABASE plant SET TTL '10000d'", ['kim']],
    ['CREATE DATABASE IF NOT EXISTS extra', []],
    ['CREATE ROLE IF NOT EXISTS other', []],
    ['GRANT READ ON DATABASE office TO reader', []],
    ['REVOKE READ ON DATABASE office FROM reader', []],
    ["ALTER TENANT acme SET comment = 'x'", []],
    ['ALTER TENANT acme SET USER max AS member', []],
  ])('%s is for owners and %j', async (sql, others) => {
    for (const user of ['max', 'rita', 'willy', 'kim'].filter((name) => !(others as string[]).includes(name))) {
      expect(await failureOf(db.run(sql, as(user))), user).toMatchObject({ code: '010004' })
    }
    await db.run(sql, as('olga'))
  })

  it.each([
    "CREATE USER x WITH password = 'x'",
    'DROP USER IF EXISTS x',
    'ALTER USER max SET granted_admin = true',
    'ALTER USER olga SET granted_admin = true',
    "ALTER USER root SET password = 'mine'",
    "ALTER USER max SET password = 'mine'",
    'CREATE TENANT x',
    'DROP TENANT IF EXISTS x',
    'ALTER TENANT cnosdb ADD USER olga AS owner',
    'ALTER TENANT acme SET object_config max_databases = 9',
  ])('%s is for administrators', async (sql) => {
    expect(['010004', '010016']).toContain((await failureOf(db.run(sql, as('olga')))).code)
  })

  it('users change their own password', async () => {
    await db.run("ALTER USER max SET password = 'new'", as('max'))
    await db.run("ALTER USER max SET password = 'max-pw'", { ...as('max'), password: 'new' })
    await db.run('SELECT 1', as('max'))
  })

  it('the dump is for administrators', async () => {
    const olga = await db.database.authenticate(as('olga') as Credentials)
    expect(await failureOf(db.database.dumpDdl(olga))).toMatchObject({ code: '010004' })
  })

  it('rights end when the membership ends', async () => {
    await db.run("CREATE USER gone WITH password = 'gone-pw'")
    await db.run('ALTER TENANT acme ADD USER gone AS owner')
    const session = await db.database.authenticate(as('gone') as Credentials)
    await db.run('ALTER TENANT acme REMOVE USER gone')
    expect(await failureOf(db.database.execute(session, 'SELECT * FROM air'))).toMatchObject({ code: '010016' })
  })
})

describe('files', () => {
  it.each([
    ["'s3://bucket/x/'", "region = 'us-east-1'"],
    ["'gcs://bucket/x/'", "gcs_base_url = 'https://storage.googleapis.com'"],
    ["'azblob://bucket/x/'", "account = 'acct'"],
  ])("the server's own credentials are for administrators: %s", async (place, connection) => {
    const sql = `EXPLAIN COPY INTO ${place} FROM plant.air CONNECTION = (${connection})`
    expect(await db.run(sql, { tenant: 'acme' })).toHaveLength(2)
    const failure = await failureOf(db.run(sql, as('olga')))
    expect(failure).toMatchObject({ code: '010003', message: expect.stringContaining('administrator') })
  })

  it('other users reach the copy roots only', async () => {
    for (const sql of [
      `COPY INTO '${db.path('elsewhere')}/' FROM air`,
      `COPY INTO 'file://${db.path('shared', '..', 'elsewhere')}/' FROM air`,
      `COPY INTO air FROM '/etc/passwd'`,
    ]) {
      expect(await failureOf(db.run(sql, as('olga'))), sql).toMatchObject({ name: 'PATH_NOT_ALLOWED' })
    }
    await db.run(`COPY INTO 'file://${db.path('shared', 'out')}/' FROM air`, as('olga'))
  })

  it.each([
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM glob('/*')",
    "SELECT getenv('HOME')",
    'SELECT * FROM duckdb_settings()',
    'SELECT * FROM catalog.objects',
    'SELECT * FROM data.t1',
    'SELECT * FROM duckdb_tables',
    'SELECT * FROM sqlite_master',
  ])('%s reaches nothing, also not as root', async (sql) => {
    await failureOf(db.run(sql))
  })
})
