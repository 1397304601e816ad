// COPY INTO against DuckDB's own COPY and INSERT … SELECT of the same rows, interleaved in one run, each in a process of
// its own. Prints medians and ratios: `npx tsx bench/copy.ts [--rows 1000000] [--runs 5] [--formats csv,json,parquet]`.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values: flags } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    runs: { type: 'string', default: '5' },
    operations: { type: 'string', default: 'export,empty,disjoint,overlapping' },
    formats: { type: 'string', default: 'csv,json,parquet' },
    memory: { type: 'string', default: String(1024 ** 3) },
  },
})
const rows = Number(flags.rows)
const runs = Number(flags.runs)
const folder = mkdtempSync(join(tmpdir(), 'cnosdb-bench-'))
const child = fileURLToPath(new URL('copy-child.ts', import.meta.url))

interface Measured {
  readonly seconds: number
  readonly cpuSeconds: number
  readonly peakMiB: number
}

function run(mode: 'ours' | 'bare', path: string, statements: readonly string[]): Measured {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', child, mode, path, flags.memory, ...statements],
    {
      encoding: 'utf8',
      env: { ...process.env, UV_THREADPOOL_SIZE: '16' },
      maxBuffer: 1 << 26,
    },
  )
  if (status !== 0) throw new Error(`${mode} ${statements.join('; ')}\n${stderr}`)
  return JSON.parse(stdout) as Measured
}

const TAGS = ['region', 'datacenter', 'rack', 'os', 'hostname']
const FIELDS = Array.from({ length: 10 }, (_, i) => `usage_${i}`)
const SERIES = 1000

/** 1000 series, one row each per 10 s, in time order; three fields hold NULLs. */
const generate = `SELECT (TIMESTAMP '2024-01-01' + INTERVAL 10 SECOND * (i // ${SERIES}))::TIMESTAMP_NS AS time,
  'region-' || (i % 7) AS region, 'dc-' || (i % 13) AS datacenter, 'rack-' || (i % 97) AS rack,
  ['Ubuntu16.10', 'Ubuntu16.04LTS', 'Debian12'][1 + i % 3] AS os, 'host_' || (i % ${SERIES}) AS hostname,
  ${FIELDS.map((name, k) => {
    const value = k < 5 ? `round(random() * 100, 2)` : k < 8 ? `round(random() * 100, 4)` : 'random() * 100'
    const nulls = [0, 0.05, 0, 0.2, 0, 0.1][k] ?? 0
    return `${nulls > 0 ? `CASE WHEN random() < ${nulls} THEN NULL ELSE ${value} END` : value} AS ${name}`
  }).join(', ')} FROM range(${rows}) t(i)`

const bareColumns = [
  'time TIMESTAMP_NS',
  ...TAGS.map((tag) => `${tag} VARCHAR`),
  ...FIELDS.map((field) => `${field} DOUBLE`),
]
const createBare = (name: string) => `CREATE TABLE ${name} (${bareColumns.join(', ')})`
const createOurs = `CREATE TABLE cpu (${FIELDS.map((field) => `${field} DOUBLE`).join(', ')}, TAGS(${TAGS.join(', ')}))`

const bareFile = join(folder, 'bare.duckdb')
const parquet = join(folder, 'source.parquet')
const ours = join(folder, 'ours')
const empty = join(folder, 'empty')

process.stderr.write(`preparing ${rows} rows in ${folder}\n`)
run('bare', bareFile, [
  createBare('cpu'),
  `INSERT INTO cpu ${generate}`,
  `COPY cpu TO '${parquet}' (FORMAT parquet, COMPRESSION zstd)`,
  'CHECKPOINT',
])
run('ours', empty, [createOurs])
cpSync(empty, ours, { recursive: true })
run('ours', ours, [`COPY INTO cpu FROM 'file://${parquet}' FILE_FORMAT = (TYPE = 'PARQUET')`])

function sizeOf(directory: string): number {
  return readdirSync(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0)
}

const BARE_WRITE: Readonly<Record<string, string>> = {
  csv: 'FORMAT csv, HEADER',
  json: 'FORMAT json',
  parquet: 'FORMAT parquet, COMPRESSION zstd',
}
const structOf = `{${bareColumns.map((column) => `'${column.split(' ')[0]}': '${column.split(' ')[1]}'`).join(', ')}}`
const bareRead = (format: string, glob: string) =>
  format === 'parquet'
    ? `read_parquet('${glob}')`
    : format === 'csv'
      ? `read_csv('${glob}', columns = ${structOf}, header = true)`
      : `read_ndjson('${glob}', columns = ${structOf})`

interface Row {
  readonly operation: string
  readonly format: string
  readonly bare: Measured[]
  readonly ours: Measured[]
  readonly mb: number
}

const median = (numbers: readonly number[]) =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] as number
const table: Row[] = []

for (const format of flags.formats.split(',')) {
  const out = join(folder, `out-${format}`)
  const exported: Row = { operation: 'export', format, bare: [], ours: [], mb: 0 }
  const exports = flags.operations.includes('export') ? runs : 1
  for (let i = 0; i < exports; i += 1) {
    const bareOut = join(folder, 'bare-out')
    exported.bare.push(run('bare', bareFile, [`COPY cpu TO '${bareOut}' (${BARE_WRITE[format]})`]))
    rmSync(bareOut)
    rmSync(out, { recursive: true, force: true })
    exported.ours.push(
      run('ours', ours, [`COPY INTO 'file://${out}/' FROM cpu FILE_FORMAT = (TYPE = '${format.toUpperCase()}')`]),
    )
  }
  const mb = sizeOf(out) / 1e6
  table.push({ ...exported, mb })

  const load = `COPY INTO cpu FROM 'file://${out}/' FILE_FORMAT = (TYPE = '${format.toUpperCase()}')`
  for (const target of ['empty', 'disjoint', 'overlapping'].filter((name) => flags.operations.includes(name))) {
    const row: Row = { operation: `import, ${target}`, format, bare: [], ours: [], mb }
    const template = join(folder, `template-${target}`)
    rmSync(template, { recursive: true, force: true })
    cpSync(target === 'empty' ? empty : ours, template, { recursive: true })
    if (target === 'disjoint') {
      const later = join(folder, 'later.parquet')
      run('bare', bareFile, [
        `COPY (SELECT * REPLACE (time + INTERVAL 1000 DAY AS time) FROM cpu) TO '${later}' (FORMAT parquet)`,
      ])
      rmSync(template, { recursive: true, force: true })
      cpSync(empty, template, { recursive: true })
      run('ours', template, [`COPY INTO cpu FROM 'file://${later}' FILE_FORMAT = (TYPE = 'PARQUET')`])
    }
    for (let i = 0; i < runs; i += 1) {
      const work = join(folder, 'work')
      mkdirSync(work)
      const bareWork = join(work, 'bare.duckdb')
      if (target === 'empty') run('bare', bareWork, [createBare('cpu'), 'CHECKPOINT'])
      else cpSync(bareFile, bareWork)
      row.bare.push(
        run('bare', bareWork, [`INSERT INTO cpu SELECT * FROM ${bareRead(format, `${out}/*`)}`, 'CHECKPOINT']),
      )
      const oursWork = join(work, 'ours')
      cpSync(template, oursWork, { recursive: true })
      row.ours.push(run('ours', oursWork, [load]))
      rmSync(work, { recursive: true })
    }
    table.push(row)
  }
  rmSync(out, { recursive: true })
}

const seconds = (measured: readonly Measured[]) => median(measured.map((m) => m.seconds))
const cpu = (measured: readonly Measured[]) => median(measured.map((m) => m.cpuSeconds))
const peak = (measured: readonly Measured[]) => Math.max(...measured.map((m) => m.peakMiB))
console.log(
  `${rows} rows, ${runs} runs, medians; memory budget ${Number(flags.memory) / 1024 ** 2} MiB; Node ${process.version}\n`,
)
console.log('| operation | format | DuckDB alone, s | ours, s | ratio | CPU ratio | ours, MB/s | ours, peak MiB |')
console.log('| --- | --- | --- | --- | --- | --- | --- | --- |')
for (const row of table) {
  const [a, b] = [seconds(row.bare), seconds(row.ours)]
  console.log(
    `| ${row.operation} | ${row.format} | ${a.toFixed(2)} | ${b.toFixed(2)} | ${(b / a).toFixed(2)} | ${(cpu(row.ours) / cpu(row.bare)).toFixed(2)} | ${(row.mb / b).toFixed(0)} | ${peak(row.ours).toFixed(0)} |`,
  )
}
rmSync(folder, { recursive: true })
