// Line protocol over HTTP: 5 tags and 10 fields, to a server in a process of its own, in bodies of 160 MiB and of 5000
// lines, one after another and by two or four clients at once. Prints a table:
// `npx tsx bench/line-protocol.ts [--large 2] [--small 200] [--runs 1] [--memory BYTES]`.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values: flags } = parseArgs({
  options: {
    large: { type: 'string', default: '2' },
    small: { type: 'string', default: '200' },
    runs: { type: 'string', default: '1' },
    memory: { type: 'string', default: String(2 * 1024 ** 3) },
  },
})

const LARGE_BYTES = 160 * 1024 ** 2
const SMALL_LINES = 5_000
const SERIES = 1_000
const FIRST_NS = 1_704_067_200_000_000_000n

interface Body {
  readonly bytes: Buffer
  readonly rows: number
}

/** 1000 series, one row each per 10 s, in time order; every row is a new point. */
function* lines(): Generator<string, never> {
  for (let i = 0; ; i += 1) {
    const series = i % SERIES
    const tags = `region=region-${series % 7},datacenter=dc-${series % 13},rack=rack-${series % 97},os=Ubuntu16.10,hostname=host_${series}`
    const fields = Array.from({ length: 10 }, (_, k) => `usage_${k}=${((i * 7919 + k * 104_729) % 10_000) / 100}`)
    yield `cpu,${tags} ${fields.join(',')} ${FIRST_NS + BigInt(Math.floor(i / SERIES)) * 10_000_000_000n}\n`
  }
}

function bodyOf(source: Generator<string, never>, isFull: (rows: number, bytes: number) => boolean): Body {
  const parts: Buffer[] = []
  let [rows, bytes] = [0, 0]
  let text = ''
  while (!isFull(rows, bytes + text.length + 400)) {
    text += source.next().value
    rows += 1
    if (text.length < 1024 ** 2) continue
    parts.push(Buffer.from(text))
    bytes += text.length
    text = ''
  }
  parts.push(Buffer.from(text))
  return { bytes: Buffer.concat(parts), rows }
}

const agent = new Agent({ keepAlive: true })
const authorization = `Basic ${Buffer.from('root:root').toString('base64')}`

function write(url: string, { bytes }: Body): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { authorization, 'content-length': bytes.length }
    const outgoing = request(`${url}/api/v1/write?db=public`, { method: 'POST', agent, headers }, (answer) => {
      answer.resume()
      answer.on('end', () => (answer.statusCode === 200 ? resolve() : reject(new Error(`status ${answer.statusCode}`))))
    })
    outgoing.on('error', reject)
    outgoing.end(bytes)
  })
}

async function usageOf(child: ChildProcess): Promise<{ cpuSeconds: number; rssMiB: number }> {
  child.send({})
  const [usage] = await once(child, 'message')
  return usage
}

async function measure(name: string, bodies: readonly Body[], clients: number): Promise<Record<string, unknown>> {
  const folder = mkdtempSync(join(tmpdir(), 'cnosdb-bench-'))
  const file = fileURLToPath(new URL('line-protocol-server.ts', import.meta.url))
  const child = fork(file, [join(folder, 'data'), flags.memory], {
    execArgv: ['--import', 'tsx'],
    env: { ...process.env, UV_THREADPOOL_SIZE: '16' },
  })
  try {
    const [{ url }] = await once(child, 'message')
    await write(url, { bytes: Buffer.from('warm,a=b c=1 1'), rows: 1 })
    const before = await usageOf(child)
    const start = performance.now()
    const left = [...bodies]
    const client = async () => {
      for (let body = left.shift(); body; body = left.shift()) await write(url, body)
    }
    await Promise.all(Array.from({ length: clients }, client))
    const seconds = (performance.now() - start) / 1000
    const { cpuSeconds, rssMiB } = await usageOf(child)
    const rows = bodies.reduce((sum, body) => sum + body.rows, 0)
    const mib = bodies.reduce((sum, body) => sum + body.bytes.length, 0) / 1024 ** 2
    const cpu = cpuSeconds - before.cpuSeconds
    return {
      bodies: name,
      clients,
      rows,
      MiB: Math.round(mib),
      seconds: seconds.toFixed(2),
      'rows/s': Math.round(rows / seconds),
      'server CPU s': cpu.toFixed(2),
      'rows/CPU s': Math.round(rows / cpu),
      'RSS MiB': Math.round(rssMiB),
      load: (loadavg()[0] ?? 0).toFixed(1),
    }
  } finally {
    child.disconnect()
    await once(child, 'exit')
    rmSync(folder, { recursive: true, force: true })
  }
}

const results: Record<string, unknown>[] = []
for (let run = 0; run < Number(flags.runs); run += 1) {
  const source = lines()
  const many = (count: string, isFull: (rows: number, bytes: number) => boolean) =>
    Array.from({ length: Number(count) }, () => bodyOf(source, isFull))
  const small = many(flags.small, (rows) => rows === SMALL_LINES)
  results.push(await measure('5000 lines', small, 1), await measure('5000 lines', small, 4))
  const large = many(flags.large, (_, bytes) => bytes >= LARGE_BYTES)
  results.push(await measure('160 MiB', large, 1), await measure('160 MiB', large, 2))
}
console.table(results)
