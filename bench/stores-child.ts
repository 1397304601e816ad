// One job of bench/stores.ts in a process of its own: a test server, a statement, or the bare movement of files.
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '../src/async/clock.ts'
import { forEachLimited, Limit } from '../src/async/limit.ts'
import { uploadFile } from '../src/copy/upload.ts'
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

const [job = '', ...rest] = process.argv.slice(2)

const servers: Readonly<Record<string, () => Promise<BenchServer>>> = {
  async s3() {
    const server = await startS3Server()
    server.createBucket('bench')
    const { accessKeyId, secretAccessKey } = S3_ACCOUNT
    const keys = { access_key_id: accessKeyId, secret_key: secretAccessKey }
    return { scheme: 's3', connection: { region: 'us-east-1', endpoint_url: server.url, ...keys }, env: {} }
  },
  async gcs() {
    const server = await startGcsServer()
    server.createBucket('bench')
    return { scheme: 'gcs', connection: { gcs_base_url: server.url, disable_oauth: true }, env: {} }
  },
  async azblob() {
    const { origin, close } = await spawnAzurite()
    process.once('SIGTERM', () => close().then(() => process.exit()))
    const env = { AZURITE_BLOB_STORAGE_URL: origin }
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
  const parts = new Limit(4)
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

async function statement(dataDir: string, memoryBytes: number, sql: string, env: BenchServer['env']) {
  const database = await openDatabase({
    dataDir,
    memoryBytes,
    spoolBytes: 2 * 1024 ** 3,
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

if (job === 'server') print(await servers[rest[0] ?? '']?.())
else {
  const jobs: Readonly<Record<string, () => Promise<{ seconds: number; rows: string }>>> = {
    statement: () => statement(rest[0] ?? '', Number(rest[1]), rest[2] ?? '', parse(rest[3]).env),
    upload: () => timed(() => upload(openBench(parse(rest[0])), rest[1] ?? '', rest[2] ?? '')),
    download: () => timed(() => download(openBench(parse(rest[0])), rest[1] ?? '')),
  }
  const measured = await jobs[job]?.()
  print({ ...measured, peakMiB: process.resourceUsage().maxRSS / 1024 })
}
