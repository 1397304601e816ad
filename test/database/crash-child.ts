import { systemClock } from '../../src/async/clock.ts'
import { openDatabase } from '../../src/database.ts'

/** Loads the directory `argv[3]` into table t over and over, in the data directory `argv[2]`; tells of every answer. */
const database = await openDatabase({
  dataDir: process.argv[2] as string,
  memoryBytes: 2 ** 28,
  spoolBytes: 2 ** 28,
  copyRoots: [],
  allowEndpoints: [],
  ambientCredentials: false,
  env: {},
  clock: systemClock,
  warn: () => {},
})
const session = await database.authenticate({ user: 'root', password: 'root' })
const run = async (sql: string) => {
  const result = await database.execute(session, sql)
  if (result.kind === 'rows') await result.all()
}
process.send?.('open')
for (let round = 1; ; round += 1) {
  await run(`COPY INTO t FROM '${process.argv[3]}/' FILE_FORMAT = (TYPE = 'PARQUET')`)
  process.send?.('loaded')
  await run(`CREATE TABLE r${round} (v BIGINT)`)
  await run(`INSERT INTO r${round} (time, v) VALUES (1, ${round})`)
  process.send?.(round)
  await run('DELETE FROM t WHERE time > 0')
  process.send?.('deleted')
}
