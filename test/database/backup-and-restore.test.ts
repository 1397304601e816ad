import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { parseStatement } from '../../src/sql/parser.ts'
import { failureOf, openTestDatabase, type TestDatabase } from './open-test-database.ts'

/** The statements of CnosDB's page "Backup and Restore", verbatim; only file paths are redirected. */
const EXPORTS = {
  CSV: `COPY INTO 'file:///tmp/air' FROM air
        FILE_FORMAT = (TYPE = 'CSV', DELIMITER = ',');`,
  PARQUET: `COPY INTO 'file:///tmp/air' FROM air
        FILE_FORMAT = (TYPE = 'PARQUET');`,
  JSON: `COPY INTO 'file:///tmp/air' FROM air
        FILE_FORMAT = (TYPE = 'JSON');`,
} as const

const IMPORTS = {
  CSV: `COPY INTO air FROM 'file:///tmp/air/'
        FILE_FORMAT = (TYPE = 'CSV', DELIMITER = ',');`,
  PARQUET: `COPY INTO air FROM 'file:///tmp/air/'
        FILE_FORMAT = (TYPE = 'PARQUET', DELIMITER = ',');`,
  JSON: `COPY INTO air FROM 'file:///tmp/air/'
        FILE_FORMAT = (TYPE = 'JSON', DELIMITER = ',');`,
} as const

const OBJECT_STORES = [
  `COPY INTO air FROM 's3://test/air/'
        CONNECTION = (
        region = 'us‑east‑1',
        access_key_id = '****************',
        secret_key = '****************'
        )
        FILE_FORMAT = (TYPE = 'CSV');`,
  `COPY INTO 's3://test/air' FROM air
        CONNECTION = (
        region = 'us‑east‑1',
        access_key_id = '****************',
        secret_key = '****************'
        )
        FILE_FORMAT = (TYPE = 'CSV');`,
  `COPY INTO air FROM 'gcs://test/air/'
        CONNECTION = (
        gcs_base_url = 'http://localhost:4443',
        disable_oauth = true
        )
        FILE_FORMAT = (TYPE = 'CSV');`,
  `COPY INTO 'gcs://test/air' FROM air
        CONNECTION = (
        gcs_base_url = 'http://localhost:4443',
        disable_oauth = true
        )
        FILE_FORMAT = (TYPE = 'CSV');`,
  `COPY INTO air FROM 'azblob://test/air/'
        CONNECTION = (
            account = 'devstoreaccount1',
            access_key = '*****'
        )
        FILE_FORMAT = (TYPE = 'CSV'); `,
  `COPY INTO 'azblob://test/air/' FROM air
        CONNECTION = (
            account = 'devstoreaccount1',
            access_key = '*****'
        )
        FILE_FORMAT = (TYPE = 'CSV'); `,
] as const

/** What the page prints as a key is no key: Azure's must be base64. */
const withAzureKey = (sql: string) => sql.replace("'*****'", `'${Buffer.from('a key').toString('base64')}'`)

let db: TestDatabase
let runs = 0

beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(async () => {
  await db[Symbol.asyncDispose]()
})
beforeEach(async () => {
  runs += 1
  await db.run('DROP TABLE IF EXISTS air')
  await db.run('CREATE TABLE air (visibility DOUBLE, temperature DOUBLE, presssure DOUBLE, TAGS(station))')
})

const redirected = (sql: string) => sql.replace('/tmp/air', db.path(`air-${runs}`))

describe.each(['CSV', 'PARQUET', 'JSON'] as const)('%s', (format) => {
  it('leaves by the statement of the page and comes back equal by the other', async () => {
    await db.run(`INSERT INTO air (time, station, visibility, temperature, presssure) VALUES
      ('2023-01-01 01:10:00', 'XiaoMaiDao', 79, 80, 63), ('2023-01-01 01:20:00', 'XiaoMaiDao', 80, 60.5, NULL),
      ('2023-01-01 01:30:00.123456789', '', 0.1, -1e300, 1e-7), ('1677-09-22', NULL, 1, 2, 3)`)
    const before = await db.run('SELECT * FROM air ORDER BY time')
    expect(await db.run(redirected(EXPORTS[format]))).toEqual([{ rows: 4n }])
    expect(await db.run(redirected(IMPORTS[format]))).toEqual([{ rows: 4n }])
    expect(await db.run('SELECT * FROM air ORDER BY time')).toEqual(before)
    await db.run('DELETE FROM air')
    expect(await db.run(redirected(IMPORTS[format]))).toEqual([{ rows: 4n }])
    expect(await db.run('SELECT * FROM air ORDER BY time')).toEqual(before)
  })
})

describe('object stores', () => {
  it.each(OBJECT_STORES)('%s parses', (sql) => {
    expect(parseStatement(sql).kind).toMatch(/^copy-into-/)
  })

  it.each(OBJECT_STORES.map(withAzureKey))('%s is planned, and nothing is asked of the network', async (sql) => {
    const plan = await db.run(`EXPLAIN ${sql}`)
    expect(plan.map((row) => row.plan_type)).toEqual(['logical_plan', 'physical_plan'])
    expect(JSON.stringify(plan)).toContain('TableWriter')
    expect(JSON.stringify(plan)).not.toContain(Buffer.from('a key').toString('base64'))
  })

  it('a key that is no base64 is refused before anything is sent', async () => {
    expect(await failureOf(db.run(OBJECT_STORES[4]))).toMatchObject({ code: '010003' })
  })
})
