// One job of bench/stores.ts in a process of its own: a test server, a statement, or the bare movement of files.
import { readdir, stat } from 'node:fs/promises'
import { type AddressInfo, connect, createServer } from 'node:net'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { systemClock } from '../src/async/clock.ts'
import { forEachLimited } from '../src/async/limit.ts'
import { PartSlots, uploadFile } from '../src/copy/upload.ts'
import { openDatabase } from '../src/database.ts'
import type { OptionLiteral } from '../src/options/option-spec.ts'
import { readResuming } from '../src/store/layers/resume.ts'
import type { ObjectStore } from '../src/store/object-store.ts'
import { openStore } from '../src/store/registry.ts'
import { spawnAzurite } from '../test/fakes/azurite.ts'
import { startGcsServer } from '../test/fakes/gcs-server.ts'
import { S3_ACCOUNT, startS3Server } from '../test/fakes/s3-server.ts'

/** Where a test server listens, as a statement names it. */
export interface BenchServer {
  readonly scheme: string
  readonly connection: Readonly<Record<string, OptionLiteral>>
  readonly env: Readonly<Record<string, string>>
}

/** A port that passes everything on to `url`, at so many bytes a second each way over all connections. */
async function startNetwork(url: string, bytesPerSecond: number): Promise<string> {
  const { hostname, port } = new URL(url)
  const directions = [pace(bytesPerSecond), pace(bytesPerSecond)] as const
  const network = createServer((near) => {
    const far = connect(Number(port), hostname)
    const end = () => {
      near.destroy()
      far.destroy()
    }
    pipeline(near, directions[0], far).then(end, end)
    pipeline(far, directions[1], near).then(end, end)
  })
  await new Promise<void>((resolve) => network.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(network.address() as AddressInfo).port}`
}

/** Passes bytes on when their turn has come; all streams that pass through share one line. */
function pace(bytesPerSecond: number): (bytes: AsyncIterable<Buffer>) => AsyncIterable<Buffer> {
  let freeAtMs = 0
  return async function* (bytes) {
    for await (const chunk of bytes) {
      freeAtMs = Math.max(performance.now(), freeAtMs) + (chunk.length / bytesPerSecond) * 1000
      const waitMs = freeAtMs - performance.now()
      if (waitMs > 1) await systemClock.sleep(waitMs)
      yield chunk
    }
  }
}

const [job = '', ...rest] = process.argv.slice(2)

/** Megabytes a second each way that the network takes; no network when undefined. */
type Rate = number | undefined
const throughNetwork = async (url: string, rate: Rate) => (rate === undefined ? url : startNetwork(url, rate * 1e6))

const servers: Readonly<Record<string, (rate: Rate) => Promise<BenchServer>>> = {
  async s3(rate) {
    const server = await startS3Server()
    server.createBucket('bench')
    const { accessKeyId, secretAccessKey } = S3_ACCOUNT
    const keys = { access_key_id: accessKeyId, secret_key: secretAccessKey }
    const endpoint = await throughNetwork(server.url, rate)
    return { scheme: 's3', connection: { region: 'us-east-1', endpoint_url: endpoint, ...keys }, env: {} }
  },
  async gcs(rate) {
    const server = await startGcsServer()
    server.createBucket('bench')
    const base = await throughNetwork(server.url, rate)
    return { scheme: 'gcs', connection: { gcs_base_url: base, disable_oauth: true }, env: {} }
  },
  async azblob(rate) {
    const { origin, close } = await spawnAzurite()
    process.once('SIGTERM', () => close().then(() => process.exit()))
    const env = { AZURITE_BLOB_STORAGE_URL: await throughNetwork(origin, rate) }
    const { BlobServiceClient, StorageSharedKeyCredential } = await import('@azure/storage-blob')
    const { AZURITE_ACCOUNT, AZURITE_KEY } = await import('../test/fakes/azurite.ts')
    const owner = new StorageSharedKeyCredential(AZURITE_ACCOUNT, AZURITE_KEY)
    await new BlobServiceClient(`${origin}/${AZURITE_ACCOUNT}`, owner).createContainer('bench')
    return { scheme: 'azblob', connection: { use_emulator: true }, env }
  },
}

function openBench({ scheme, connection, env }: BenchServer): ObjectStore {
  const context = { clock: systemClock, env, ambientCredentials: false, checkEndpoint: () => {}, warn: () => {} }
  return openStore({ scheme, bucket: 'bench', path: '' }, new Map(Object.entries(connection)), context)
}

/** The upload of COPY INTO without the encoder. */
async function upload(store: ObjectStore, directory: string, prefix: string): Promise<void> {
  const parts = new PartSlots(4)
  await forEachLimited(await readdir(directory), 4, async (name, { signal }) => {
    const path = join(directory, name)
    const file = { path, sizeBytes: (await stat(path)).size }
    await uploadFile(store, `${prefix}/${name}`, file, { parts, signal, onBytes: () => {} })
  })
}

/** Every byte below a prefix, four files at once, and nothing done with them. */
async function download(store: ObjectStore, prefix: string): Promise<void> {
  await forEachLimited(store.list(`${prefix}/`), 4, async ({ path }, { signal }) => {
    const { body } = await readResuming(store, path, { signal })
    for await (const _chunk of body);
  })
}

interface Budgets {
  readonly memoryBytes: number
  readonly spoolBytes: number
}

async function statement(dataDir: string, budgets: Budgets, sql: string, env: BenchServer['env']) {
  const database = await openDatabase({
    dataDir,
    ...budgets,
    copyRoots: [],
    allowEndpoints: [],
    ambientCredentials: false,
    env,
    clock: systemClock,
    warn: () => {},
  })
  const session = await database.authenticate({ user: 'root', password: 'root' })
  const began = performance.now()
  const result = await database.execute(session, sql)
  const rows = result.kind === 'rows' ? await result.all() : []
  const seconds = (performance.now() - began) / 1000
  await database.close()
  return { seconds, rows: String(rows[0]?.rows ?? '') }
}

async function timed(work: () => Promise<void>) {
  const began = performance.now()
  await work()
  return { seconds: (performance.now() - began) / 1000, rows: '' }
}

const print = (value: unknown) => process.stdout.write(`${JSON.stringify(value)}\n`)
const parse = (text = '{}') => JSON.parse(text) as BenchServer

if (job === 'server') print(await servers[rest[0] ?? '']?.(Number(rest[1]) || undefined))
else {
  const jobs: Readonly<Record<string, () => Promise<{ seconds: number; rows: string }>>> = {
    statement: () =>
      statement(rest[0] ?? '', JSON.parse(rest[1] ?? '{}') as Budgets, rest[2] ?? '', parse(rest[3]).env),
    upload: () => timed(() => upload(openBench(parse(rest[0])), rest[1] ?? '', rest[2] ?? '')),
    download: () => timed(() => download(openBench(parse(rest[0])), rest[1] ?? '')),
  }
  const measured = await jobs[job]?.()
  const { user, system } = process.cpuUsage()
  print({ ...measured, cpuSeconds: (user + system) / 1e6, peakMiB: process.resourceUsage().maxRSS / 1024 })
}
