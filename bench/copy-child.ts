// One timed operation in a process of its own, so that its peak memory is its own. Prints {"seconds":…,"cpuSeconds":…,"peakMiB":…}.
import { DuckDBInstance } from '@duckdb/node-api'
import { systemClock } from '../src/async/clock.ts'
import { type Database, openDatabase } from '../src/database.ts'

const [mode, path = '', memory = '', ...statements] = process.argv.slice(2)

interface Elapsed {
  readonly seconds: number
  /** User and system, of all threads: steadier than the clock on a shared machine. */
  readonly cpuSeconds: number
}

function stopwatch(): () => Elapsed {
  const began = performance.now()
  const cpu = process.cpuUsage()
  return () => {
    const { user, system } = process.cpuUsage(cpu)
    return { seconds: (performance.now() - began) / 1000, cpuSeconds: (user + system) / 1e6 }
  }
}

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

async function runOurs(): Promise<Elapsed> {
  const database = await openOurs()
  const session = await database.authenticate({ user: 'root', password: 'root' })
  const elapsed = stopwatch()
  for (const sql of statements) {
    const result = await database.execute(session, sql)
    if (result.kind === 'rows') await result.all()
  }
  const measured = elapsed()
  await database.close()
  return measured
}

async function runBare(): Promise<Elapsed> {
  const instance = await DuckDBInstance.create(path, { memory_limit: `${memory}B`, preserve_insertion_order: 'false' })
  const connection = await instance.connect()
  const elapsed = stopwatch()
  for (const sql of statements) await connection.run(sql)
  const measured = elapsed()
  connection.closeSync()
  instance.closeSync()
  return measured
}

const elapsed = mode === 'ours' ? await runOurs() : await runBare()
const peakMiB = process.resourceUsage().maxRSS / 1024
process.stdout.write(`${JSON.stringify({ ...elapsed, peakMiB })}\n`)
