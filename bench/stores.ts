// COPY INTO to and from object stores against its own halves, encoding or loading alone and moving the bytes alone:
// `npx tsx bench/stores.ts [--rows 10000000] [--stores s3,gcs,azblob] [--formats csv,parquet] [--memory <bytes>]
//  [--spool <bytes>] [--apart] [--rate <MB/s>]`.
// Goal: at most 1.2 times the slower half, at a peak of the budget plus 400 MiB. The stores are the test servers, in
// processes of their own on this machine; they need CPU as well, which a store far away would not.
// --apart (Linux, with taskset) is nearer to that: the store has the first core, what is measured has the others.
// --rate puts a network of that many MB/s each way between the two.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { printLiteral } from '../src/options/option-spec.ts'
import type { BenchServer } from './stores-child.ts'

const { values: flags } = parseArgs({
  options: {
    rows: { type: 'string', default: '10000000' },
    stores: { type: 'string', default: 's3,gcs,azblob' },
    formats: { type: 'string', default: 'csv,parquet' },
    memory: { type: 'string', default: String(1024 ** 3) },
    spool: { type: 'string', default: String(4 * 1024 ** 3) },
    apart: { type: 'boolean', default: false },
    rate: { type: 'string', default: '' },
  },
})
const rows = Number(flags.rows)
const folder = mkdtempSync(join(tmpdir(), 'cnosdb-bench-stores-'))
const child = fileURLToPath(new URL('stores-child.ts', import.meta.url))
const env = { ...process.env, UV_THREADPOOL_SIZE: '16', AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' }
const budgets = JSON.stringify({ memoryBytes: Number(flags.memory), spoolBytes: Number(flags.spool) })

/** The command and arguments that run a job of the child on the given cores. */
function commandOf(cores: string, job: readonly string[]): readonly [string, readonly string[]] {
  const node = [process.execPath, '--import', 'tsx', child, ...job]
  const [command = '', ...rest] = flags.apart ? ['taskset', '-c', cores, ...node] : node
  return [command, rest]
}
const STORE_CORE = '0'
const OTHER_CORES = availableParallelism() > 2 ? `1-${availableParallelism() - 1}` : '1'

interface Measured {
  readonly seconds: number
  readonly cpuSeconds: number
  readonly rows: string
  readonly peakMiB: number
}

function run(...job: readonly string[]): Measured {
  const [command, args] = commandOf(OTHER_CORES, job)
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', env })
  if (status !== 0) throw new Error(`${job[0]} ${job[2]}\n${stderr}`)
  return JSON.parse(stdout) as Measured
}

async function startServer(name: string): Promise<{ readonly server: BenchServer; readonly process: ChildProcess }> {
  const [command, args] = commandOf(STORE_CORE, ['server', name, flags.rate])
  const started = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], env })
  const text = await new Promise<string>((resolve, reject) => {
    started.once('exit', (code) => reject(new Error(`the ${name} server ended with ${code}`)))
    started.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString()))
  })
  return { server: JSON.parse(text) as BenchServer, process: started }
}

const FIELDS = Array.from({ length: 10 }, (_, i) => `f${i}`)
const TAGS = ['region', 'datacenter', 'rack', 'os', 'hostname']
const create = `CREATE TABLE cpu (${FIELDS.map((name) => `${name} DOUBLE`).join(', ')}, TAGS(${TAGS.join(', ')}))`
const empty = join(folder, 'empty')
const full = join(folder, 'full')

/** The table, by way of a Parquet file that DuckDB makes: the quickest way in. */
async function prepare(): Promise<void> {
  process.stderr.write(`preparing ${rows} rows in ${folder}\n`)
  const { DuckDBInstance } = await import('@duckdb/node-api')
  const instance = await DuckDBInstance.create(':memory:', { memory_limit: `${flags.memory}B` })
  const connection = await instance.connect()
  const file = join(folder, 'source.parquet')
  const time = `make_timestamp_ns(1704067200000000000 + 10000000000 * (i // 1000)) AS time`
  const tags = TAGS.map((tag, k) => `'${tag}-' || (i % ${[7, 13, 97, 3, 1000][k]}) AS ${tag}`)
  const fields = FIELDS.map((field) => `round(random() * 100, 3) AS ${field}`)
  await connection.run(
    `COPY (SELECT ${[time, ...tags, ...fields].join(', ')} FROM range(${rows}) t(i)) TO '${file}' (FORMAT parquet)`,
  )
  connection.closeSync()
  instance.closeSync()
  run('statement', empty, budgets, create)
  cpSync(empty, full, { recursive: true })
  run('statement', full, budgets, `COPY INTO cpu FROM 'file://${file}' FILE_FORMAT = (TYPE = 'PARQUET')`)
  rmSync(file)
}

/** Into a copy of the empty data directory, removed afterwards. */
function load(sql: string, server: BenchServer | undefined): Measured {
  const work = join(folder, 'work')
  cpSync(empty, work, { recursive: true })
  const measured = run('statement', work, budgets, sql, JSON.stringify(server ?? { env: {} }))
  rmSync(work, { recursive: true })
  return measured
}

const cell = (values: readonly (string | number)[]) => `| ${values.join(' | ')} |`

function report(operation: string, megabytes: number, halves: readonly [Measured, Measured], whole: Measured): void {
  if (whole.rows !== String(rows)) throw new Error(`${operation}: ${whole.rows} rows instead of ${rows}`)
  const slower = Math.max(halves[0].seconds, halves[1].seconds)
  const all = [...halves, whole]
  const seconds = [...all.map((measured) => measured.seconds), whole.seconds / slower].map((n) => n.toFixed(2))
  const cpu = all.map(({ cpuSeconds }) => cpuSeconds.toFixed(1)).join(' / ')
  console.log(cell([operation, megabytes.toFixed(0), ...seconds, cpu, whole.peakMiB.toFixed(0)]))
}

async function measure(store: string, format: string): Promise<void> {
  const { server, process: serving } = await startServer(store)
  try {
    const options = Object.entries(server.connection).map(([key, literal]) => `${key} = ${printLiteral(literal)}`)
    const clauses = `CONNECTION = (${options.join(', ')}) FILE_FORMAT = (TYPE = '${format.toUpperCase()}')`
    const place = `'${server.scheme}://bench/copied/'`
    const local = join(folder, 'local')
    const asText = JSON.stringify(server)

    const fileFormat = `FILE_FORMAT = (TYPE = '${format.toUpperCase()}')`
    const encoded = run('statement', full, budgets, `COPY INTO 'file://${local}/' FROM cpu ${fileFormat}`)
    const megabytes = readdirSync(local).reduce((sum, name) => sum + statSync(join(local, name)).size, 0) / 1e6
    const sent = run('upload', asText, local, 'alone')
    const exported = run('statement', full, budgets, `COPY INTO ${place} FROM cpu ${clauses}`, asText)
    report(`${store} export ${format}`, megabytes, [encoded, sent], exported)

    const loaded = load(`COPY INTO cpu FROM 'file://${local}/' ${fileFormat}`, undefined)
    const received = run('download', asText, 'alone')
    const imported = load(`COPY INTO cpu FROM ${place} ${clauses}`, server)
    report(`${store} import ${format}`, megabytes, [loaded, received], imported)
    rmSync(local, { recursive: true })
  } finally {
    serving.kill()
  }
}

await prepare()
console.log(
  cell([
    'store, direction, format',
    'MB',
    'rows alone, s',
    'bytes alone, s',
    'COPY INTO, s',
    'ratio',
    'CPU s of the three',
    'peak MiB',
  ]),
)
console.log(cell(Array.from({ length: 8 }, () => '---')))
for (const store of flags.stores.split(',')) for (const format of flags.formats.split(',')) await measure(store, format)
rmSync(folder, { recursive: true })
