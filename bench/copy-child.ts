// One timed operation in a process of its own, so that its peak memory is its own. Prints {"seconds":…,"peakMiB":…}.
import { DuckDBInstance } from '@duckdb/node-api'
import { systemClock } from '../src/async/clock.ts'
import { type Database, openDatabase } from '../src/database.ts'

const [mode, path = '', memory = '', ...statements] = process.argv.slice(2)

async function openOurs(): Promise<Database> {
  return openDatabase({
    dataDir: path,
    memoryBytes: Number(memory),
    spoolBytes: 8 * 1024 ** 3,
    copyRoots: [],
    allowEndpoints: [],
    ambientCredentials: false,
    env: {},
    clock: systemClock,
    warn: () => {},
  })
}

async function runOurs(): Promise<number> {
  const database = await openOurs()
  const session = await database.authenticate({ user: 'root', password: 'root' })
  const began = performance.now()
  for (const sql of statements) {
    const result = await database.execute(session, sql)
    if (result.kind === 'rows') await result.all()
  }
  const elapsed = performance.now() - began
  await database.close()
  return elapsed
}

async function runBare(): Promise<number> {
  const instance = await DuckDBInstance.create(path, { memory_limit: `${memory}B`, preserve_insertion_order: 'false' })
  const connection = await instance.connect()
  const began = performance.now()
  for (const sql of statements) await connection.run(sql)
  const elapsed = performance.now() - began
  connection.closeSync()
  instance.closeSync()
  return elapsed
}

const elapsedMs = mode === 'ours' ? await runOurs() : await runBare()
const peakMiB = process.resourceUsage().maxRSS / 1024
process.stdout.write(`${JSON.stringify({ seconds: elapsedMs / 1000, peakMiB })}\n`)
