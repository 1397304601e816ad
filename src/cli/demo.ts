import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../async/clock.ts'
import type { ClusterClient } from '../client/cluster-client.ts'
import { CnosError } from '../errors/cnos-error.ts'
import { drawTable } from '../server/result-format/table.ts'
import { type DemoServer, startDemoServer } from './demo/demo-server.ts'
import { type Leg, loadFlights, sendRound } from './demo/flights.ts'
import { exitCodeOf } from './exit-codes.ts'
import { printFailure } from './lite/failure.ts'

const FLIGHTS = fileURLToPath(new URL('../../node_modules/vega-datasets/data/flights-3m.parquet', import.meta.url))
const FORMATS = ['CSV', 'JSON', 'PARQUET'] as const

const say = (text = '') => void process.stdout.write(`${text}\n`)
const number = (value: number | bigint) => value.toLocaleString('en-US')
const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`

const NEXT = `Try next:
  node bin/cnosdb-lite.cjs serve --data-dir ./data      a server on http://127.0.0.1:8902, user root, password root
  node bin/cnosdb-lite.cjs sql                          its SQL shell; \\? for help
  node bin/cnosdb-imexport.cjs --help                   back up, restore and migrate whole clusters
  README.md                                             five minutes with both, docs/ for the rest`

/** Sends three million real flights out and back in all three formats; the exit code is 0 when all came back equal. */
export async function main(): Promise<void> {
  const startedMs = systemClock.elapsedMs()
  const directory = await mkdtemp(join(tmpdir(), 'cnosdb-demo-'))
  let server: DemoServer | undefined
  const interrupted = () => {
    server?.kill()
    rm(directory, { recursive: true, force: true }).finally(() => process.exit(130))
  }
  process.once('SIGINT', interrupted)
  process.once('SIGTERM', interrupted)
  try {
    if (!existsSync(FLIGHTS))
      throw new CnosError('USAGE', `${FLIGHTS} is missing`, { hint: 'run npm ci, which installs vega-datasets' })
    server = await startDemoServer(join(directory, 'data'))
    say(`cnosdb-lite listens on ${server.url}; everything is in ${directory}, for as long as this takes.\n`)
    const legs = await fly(server.client, directory)
    process.exitCode = legs.every((leg) => leg.isEqual) ? 0 : 1
  } catch (error) {
    printFailure(process.stderr, error)
    process.exitCode = exitCodeOf(error)
  } finally {
    await server?.stop()
    await rm(directory, { recursive: true, force: true })
  }
  say(`\nDone in ${seconds(systemClock.elapsedMs() - startedMs)}; ${directory} is removed.`)
  if (process.exitCode === 0) say(`\n${NEXT}`)
}

async function fly(client: ClusterClient, directory: string): Promise<Leg[]> {
  const { statement, answered, counted, elapsedMs } = await loadFlights(client, FLIGHTS)
  say(`${statement};`)
  say(
    `→ ${number(answered)} rows in ${seconds(elapsedMs)}, ${number(counted)} in the table: ${number(answered - counted)} flights share minute,`,
  )
  say(
    '  origin and destination with another one. Same time and same tags are the same row in CnosDB, the last values stay.\n',
  )
  const legs: Leg[] = []
  for (const format of FORMATS) {
    const leg = await sendRound(client, { format, rows: counted, directory: join(directory, format.toLowerCase()) })
    say(
      `${format.padEnd(7)} out in ${seconds(leg.outMs)}, in again in ${seconds(leg.inMs)}, compared in ${seconds(leg.compareMs)}`,
    )
    legs.push(leg)
  }
  say(`\n${drawLegs(legs)}`)
  return legs
}

function drawLegs(legs: readonly Leg[]): string {
  const rate = (rows: bigint, ms: number) => number(Math.round(Number(rows) / (ms / 1000)))
  const rows = legs.map(({ format, files, bytes, rows, outMs, inMs, isEqual }) => [
    format,
    String(files),
    `${(bytes / 1e6).toFixed(1)} MB`,
    rate(rows, outMs),
    rate(rows, inMs),
    isEqual ? 'yes, every row' : 'NO',
  ])
  return drawTable(['format', 'files', 'size', 'rows/s out', 'rows/s in', 'equal'], rows)
}
