import { systemClock } from '../../src/async/clock.ts'
import { openDatabase } from '../../src/database.ts'

/** Opens the data directory named on the command line, writes two rows, says so, and stays. */
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
await database.execute(session, 'CREATE TABLE held (v BIGINT)')
await database.execute(session, 'INSERT INTO held (time, v) VALUES (1, 1), (2, 2)')
process.send?.('ready')
setInterval(() => {}, 60_000)
