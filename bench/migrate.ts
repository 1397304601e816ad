// `cnosdb-imexport migrate` (the built program) against its own COPY INTO statements run bare, one after another, between
// servers of the same kind in the same run. Prints the ratio and the tool's peak memory:
// `npm run build && npx tsx bench/migrate.ts [--rows 1000000] [--tables 50] [--runs 3]`.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { systemClock } from '../src/async/clock.ts'
import type { ClusterClient } from '../src/client/cluster-client.ts'
import { createHttpClient } from '../src/client/http-client.ts'

const { values: flags } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    tables: { type: 'string', default: '50' },
    runs: { type: 'string', default: '3' },
    parallel: { type: 'string', default: '4' },
  },
})
const tables = Number(flags.tables)
const rowsPerTable = Math.floor(Number(flags.rows) / tables)
const folder = mkdtempSync(join(tmpdir(), 'cnosdb-bench-migrate-'))
const program = (name: string) => fileURLToPath(new URL(`../bin/${name}.cjs`, import.meta.url))

interface Server {
  readonly address: string
  readonly client: ClusterClient
  readonly child: ChildProcess
}

async function startServer(name: string): Promise<Server> {
  const args = [program('cnosdb-lite'), 'serve', '--data-dir', join(folder, name), '--listen', '127.0.0.1:0']
  const child = spawn(process.execPath, [...args, '--copy-root', folder], { stdio: ['ignore', 'pipe', 'ignore'] })
  let said = ''
  for await (const chunk of child.stdout) {
    said += chunk
    const address = /listening on http:\/\/(\S+)\n/.exec(said)?.[1]
    if (address === undefined) continue
    const client = createHttpClient(
      { origin: `http://${address}`, label: address, user: 'root', password: undefined },
      { clock: systemClock, password: 'root' },
    )
    return { address, client, child }
  }
  throw new Error(`cnosdb-lite did not start: ${said}`)
}

async function stop({ child }: Server): Promise<void> {
  child.kill('SIGTERM')
  await once(child, 'exit')
}

const DEFINITION = '(usage DOUBLE, idle DOUBLE, temperature DOUBLE, n BIGINT, label STRING, TAGS(host, region))'
const COLUMNS = '"time", "host", "region", "usage", "idle", "temperature", "n", "label"'
const names = Array.from({ length: tables }, (_, i) => `t${i}`)

/** 100 series a table, one row each per 10 s. */
const rowsOf = (table: number) => `SELECT to_timestamp_seconds(1704067200 + CAST(i AS BIGINT) / 100 * 10) AS time,
  concat('host-', i % 100) AS host, concat('region-', i % 7) AS region, random() * 100 AS usage,
  round(random() * 100) AS idle, sin(i / 1000.0) * 30 AS temperature, i * ${table + 1} AS n,
  CASE WHEN i % 5 = 0 THEN NULL ELSE concat('label ', i % 1000) END AS label FROM range(${rowsPerTable}) AS r(i)`

async function fill({ client }: Server): Promise<void> {
  for (const [i, name] of names.entries()) {
    const place = `'file://${folder}/fill/${name}/'`
    await client.execute(`CREATE TABLE ${name} ${DEFINITION}`)
    await client.query(`COPY INTO ${place} FROM (${rowsOf(i)}) FILE_FORMAT = (TYPE = 'PARQUET')`)
    await client.query(`COPY INTO ${name} FROM ${place} FILE_FORMAT = (TYPE = 'PARQUET')`)
  }
  rmSync(join(folder, 'fill'), { recursive: true })
}

interface Measured {
  readonly seconds: number
  /** Of both servers, and of the tool. */
  readonly cpuSeconds: number
}

/** User and system time of a process that runs, from Linux' /proc; NaN elsewhere. */
function cpuSecondsOf({ child }: Server): number {
  try {
    const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')
    return (Number(fields[11]) + Number(fields[12])) / 100
  } catch {
    return Number.NaN
  }
}

/** All COPY INTO statements, export and import, one after another. */
async function bare(source: Server, target: Server, place: string): Promise<Measured> {
  for (const name of names) await target.client.execute(`CREATE TABLE ${name} ${DEFINITION}`)
  const cpu = () => cpuSecondsOf(source) + cpuSecondsOf(target)
  const cpuBefore = cpu()
  const began = performance.now()
  for (const name of names) {
    const location = `'file://${place}/${name}/'`
    await source.client.query(
      `COPY INTO ${location} FROM (SELECT ${COLUMNS} FROM ${name}) FILE_FORMAT = (TYPE = 'PARQUET')`,
    )
  }
  for (const name of names) {
    const location = `'file://${place}/${name}/'`
    await target.client.query(`COPY INTO ${name} (${COLUMNS}) FROM ${location} FILE_FORMAT = (TYPE = 'PARQUET')`)
  }
  return { seconds: (performance.now() - began) / 1000, cpuSeconds: cpu() - cpuBefore }
}

const USAGE = join(folder, 'usage.json')
writeFileSync(
  join(folder, 'usage.cjs'),
  `process.on('exit', () => require('node:fs').writeFileSync(${JSON.stringify(USAGE)}, JSON.stringify(process.resourceUsage())))`,
)

interface Tool extends Measured {
  readonly peakMiB: number
}

async function tool(source: Server, target: Server, place: string): Promise<Tool> {
  const addresses = ['--src', `root:root@${source.address}`, '--dst', `root:root@${target.address}`]
  const more = ['--path', place, '--meta-dir', place, '--parallel', flags.parallel, '--quiet']
  const args = ['--require', join(folder, 'usage.cjs'), program('cnosdb-imexport'), 'migrate', ...addresses, ...more]
  const cpu = () => cpuSecondsOf(source) + cpuSecondsOf(target)
  const cpuBefore = cpu()
  const began = performance.now()
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  const [code] = (await once(child, 'exit')) as [number | null]
  const seconds = (performance.now() - began) / 1000
  if (code !== 0) throw new Error(`cnosdb-imexport ended with ${code}`)
  const usage = JSON.parse(readFileSync(USAGE, 'utf8')) as NodeJS.ResourceUsage
  const ownSeconds = (usage.userCPUTime + usage.systemCPUTime) / 1e6
  return { seconds, cpuSeconds: cpu() - cpuBefore + ownSeconds, peakMiB: usage.maxRSS / 1024 }
}

const source = await startServer('source')
process.stderr.write(`filling ${tables} tables with ${rowsPerTable} rows each in ${folder}\n`)
await fill(source)

const measured: { readonly bare: Measured; readonly tool: Tool }[] = []
for (let i = 0; i < Number(flags.runs); i += 1) {
  const onFreshTarget = async <T>(work: (target: Server, place: string) => Promise<T>, name: string): Promise<T> => {
    const target = await startServer(`${name}-target`)
    const result = await work(target, join(folder, name))
    await stop(target)
    rmSync(join(folder, name), { recursive: true })
    rmSync(join(folder, `${name}-target`), { recursive: true })
    return result
  }
  const runBare = () => onFreshTarget((target, place) => bare(source, target, place), `bare-${i}`)
  const runTool = () => onFreshTarget((target, place) => tool(source, target, place), `tool-${i}`)
  const first = i % 2 === 0 ? await runBare() : undefined
  const ours = await runTool()
  measured.push({ bare: first ?? (await runBare()), tool: ours })
  process.stderr.write(`${JSON.stringify(measured.at(-1))}\n`)
}
await stop(source)
rmSync(folder, { recursive: true })

const median = (numbers: readonly number[]) =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] as number
const show = (of: (one: (typeof measured)[number]) => number, digits: number) =>
  median(measured.map(of)).toFixed(digits)
console.log(`${flags.rows} rows, ${tables} tables, ${flags.runs} runs, medians; Node ${process.version}\n`)
console.log('| bare COPY INTO, s | cnosdb-imexport migrate, s | ratio | CPU ratio | tool, peak MiB |')
console.log('| --- | --- | --- | --- | --- |')
console.log(
  `| ${show((m) => m.bare.seconds, 1)} | ${show((m) => m.tool.seconds, 1)} | ${show((m) => m.tool.seconds / m.bare.seconds, 2)} | ${show((m) => m.tool.cpuSeconds / m.bare.cpuSeconds, 2)} | ${Math.max(...measured.map((m) => m.tool.peakMiB)).toFixed(0)} |`,
)
