// The server of bench/line-protocol.ts: tells its URL, then answers every message with the CPU time it has used.
import { systemClock } from '../src/async/clock.ts'
import { openDatabase } from '../src/database.ts'
import { startServer } from '../src/server/http-server.ts'

const [dataDir = '', memoryBytes = ''] = process.argv.slice(2)
const database = await openDatabase({
  dataDir,
  memoryBytes: Number(memoryBytes),
  spoolBytes: 1024 ** 3,
  copyRoots: [],
  allowEndpoints: [],
  ambientCredentials: false,
  env: {},
  clock: systemClock,
  warn: (message) => process.stderr.write(`${message}\n`),
})
const log = {
  debug() {},
  info() {},
  warn() {},
  error: (fields: unknown) => process.stderr.write(`${JSON.stringify(fields)}\n`),
}
const server = await startServer(database, { host: '127.0.0.1', port: 0, clock: systemClock, log })
process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send?.({ cpuSeconds: (user + system) / 1e6, rssMiB: process.memoryUsage.rss() / 1024 ** 2 })
})
process.on('disconnect', () => process.exit())
process.send?.({ url: server.url })
