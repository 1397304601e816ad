import { parseArgs } from 'node:util'

// The pool is made at its first use: DuckDB's statements and file operations share it.
process.env.UV_THREADPOOL_SIZE ??= '16'
const { fuzz } = await import('./fuzz.ts')

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '20000' },
    seed: { type: 'string', default: '1' },
    'slow-ms': { type: 'string', default: '5000' },
  },
})
let shown = 0
const { cases, succeeded, refused, failures } = await fuzz({
  seed: Number(values.seed),
  count: Number(values.count),
  slowMs: Number(values['slow-ms']),
  onProgress(report) {
    process.stdout.write(`${report.cases} cases, ${report.succeeded} succeeded, ${report.failures.length} failed\n`)
    for (const { seed, input, reason } of report.failures.slice(shown))
      process.stdout.write(`\nseed ${seed}: ${input}\n${reason}\n`)
    shown = report.failures.length
  },
})
process.stdout.write(`${cases} cases: ${succeeded} succeeded, ${refused} refused, ${failures.length} failed\n`)
process.exitCode = failures.length > 0 ? 1 : 0
