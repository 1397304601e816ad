import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTestDatabase, type TestDatabase } from './open-test-database.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(async () => {
  await db[Symbol.asyncDispose]()
})

const AIR = `CREATE TABLE air (visibility DOUBLE, temperature DOUBLE, presssure DOUBLE, TAGS(station))`

describe('databases and tables', () => {
  it('answers nothing to DDL', async () => {
    const session = await db.database.authenticate({ user: 'root', password: 'root' })
    expect(await db.database.execute(session, AIR)).toEqual({ kind: 'none' })
  })

  it('shows and describes', async () => {
    expect(await db.run('SHOW DATABASES')).toEqual([
      { database_name: 'cluster_schema' },
      { database_name: 'public' },
      { database_name: 'usage_schema' },
    ])
    expect(await db.run('SHOW TABLES')).toEqual([{ table_name: 'air' }])
    expect(await db.run('DESC TABLE air')).toEqual([
      { column_name: 'time', data_type: 'TIMESTAMP(NANOSECOND)', column_type: 'TIME', compression_codec: 'DEFAULT' },
      { column_name: 'station', data_type: 'STRING', column_type: 'TAG', compression_codec: 'DEFAULT' },
      { column_name: 'visibility', data_type: 'DOUBLE', column_type: 'FIELD', compression_codec: 'DEFAULT' },
      { column_name: 'temperature', data_type: 'DOUBLE', column_type: 'FIELD', compression_codec: 'DEFAULT' },
      { column_name: 'presssure', data_type: 'DOUBLE', column_type: 'FIELD', compression_codec: 'DEFAULT' },
    ])
  })

  it('selects without a table', async () => {
    expect(await db.run('SELECT 1 AS one')).toEqual([{ one: 1n }])
  })

  it('inserts and reads back', async () => {
    const sql = `INSERT INTO air (time, station, visibility, temperature, presssure) VALUES
      ('2023-01-01 01:10:00', 'XiaoMaiDao', 79, 80, 63), (1672536000000000000, 'DaMaiDao', 0.1, -1e300, NULL)`
    expect(await db.run(sql)).toEqual([{ rows: 2n }])
    expect(await db.run('SELECT * FROM air ORDER BY time')).toEqual([
      { time: 1672535400000000000n, station: 'XiaoMaiDao', visibility: 79, temperature: 80, presssure: 63 },
      { time: 1672536000000000000n, station: 'DaMaiDao', visibility: 0.1, temperature: -1e300, presssure: null },
    ])
  })
})
