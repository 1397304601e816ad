// Line protocol over HTTP into the built server, in large and in small bodies, one request after another and two at
// once: `npm run build && npx tsx bench/write.ts [--lines 500000] [--runs 3] [--url http://…]`. Without --url it starts
// a server of its own. Prints rows/s, MB/s and the server's CPU seconds; the median of the runs counts.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values: flags } = parseArgs({
  options: {
    lines: { type: 'string', default: '500000' },
    runs: { type: 'string', default: '3' },
    url: { type: 'string' },
  },
})
const lines = Number(flags.lines)
const SERIES = 1000
const SMALL_BODY = 5_000
const folder = mkdtempSync(join(tmpdir(), 'cnosdb-bench-'))
let server: ChildProcess | undefined

async function startServer(): Promise<string> {
  const program = fileURLToPath(new URL('../bin/cnosdb-lite.cjs', import.meta.url))
  const args = [program, 'serve', '--data-dir', join(folder, 'data'), '--listen', '127.0.0.1:0', '--log-level', 'warn']
  server = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  if (!server.stdout) throw new Error('the server has no stdout')
  const [line] = (await once(server.stdout, 'data')) as [Buffer]
  return line.toString().trim().split(' ').at(-1) as string
}

/** 5 tags and 10 fields a line, in time order, from line `from` on. */
function makeBody(table: string, from: number, count: number): Buffer {
  const text = Array.from({ length: count }, (_, i) => {
    const n = from + i
    const series = n % SERIES
    const tags = `region=region-${series % 7},datacenter=dc-${series % 13},rack=rack-${series % 97},os=Debian12,hostname=host_${series}`
    const fields = Array.from({ length: 10 }, (_, k) => `usage_${k}=${(Math.random() * 100).toFixed(k < 5 ? 2 : 4)}`)
    return `${table},${tags} ${fields.join(',')} ${1_700_000_000_000_000_000n + BigInt(n) * 1_000_000n}`
  })
  return Buffer.from(`${text.join('\n')}\n`)
}

const agent = new Agent({ keepAlive: true })

function post(url: string, body: Buffer): Promise<void> {
  const headers = { authorization: `Basic ${btoa('root:root')}`, 'content-length': body.length }
  return new Promise((resolve, reject) => {
    const outgoing = request(`${url}/api/v1/write`, { method: 'POST', agent, headers }, (answer) => {
      let text = ''
      answer.on('data', (chunk) => {
        text += chunk
      })
      answer.on('end', () => (answer.statusCode === 200 ? resolve() : reject(new Error(text))))
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

/** CPU seconds of the server so far; 0 where /proc is missing or the server is not ours. */
function cpuSeconds(): number {
  if (!server?.pid || process.platform !== 'linux') return 0
  const fields = readFileSync(`/proc/${server.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / 100
}

async function measure(url: string, table: string, bodyLines: number, atOnce: number) {
  const bodies: Buffer[] = []
  for (let from = 0; from < lines; from += bodyLines)
    bodies.push(makeBody(table, from, Math.min(bodyLines, lines - from)))
  await post(url, makeBody(table, lines + 1, 1))
  const bytes = bodies.reduce((sum, body) => sum + body.length, 0)
  const cpuBefore = cpuSeconds()
  const startedMs = performance.now()
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let body = bodies.shift(); body; body = bodies.shift()) await post(url, body)
    }),
  )
  const seconds = (performance.now() - startedMs) / 1000
  return { rowsPerSecond: lines / seconds, megabytesPerSecond: bytes / 1e6 / seconds, cpu: cpuSeconds() - cpuBefore }
}

const url = flags.url ?? (await startServer())
let tables = 0
try {
  for (const [bodyLines, atOnce] of [
    [lines, 1],
    [Math.ceil(lines / 4), 2],
    [SMALL_BODY, 1],
    [SMALL_BODY, 4],
  ] as const) {
    const runs = []
    for (let run = 0; run < Number(flags.runs); run += 1)
      runs.push(await measure(url, `cpu${tables++}`, bodyLines, atOnce))
    const median = runs.toSorted((a, b) => a.rowsPerSecond - b.rowsPerSecond)[Math.floor(runs.length / 2)]
    if (!median) continue
    console.log(
      `${bodyLines} lines a body, ${atOnce} at once: ${Math.round(median.rowsPerSecond / 1000)} k rows/s, ${median.megabytesPerSecond.toFixed(0)} MB/s, ${median.cpu.toFixed(2)} CPU s of the server`,
    )
  }
} finally {
  server?.kill()
  if (server) await once(server, 'close')
  rmSync(folder, { recursive: true, force: true })
}
