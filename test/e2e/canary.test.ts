import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { openHistory } from '../../src/cli/lite/history.ts'
import { type Azurite, startAzurite } from '../fakes/azurite.ts'
import { FaultPlan } from '../fakes/faults.ts'
import { type GcsServer, makeGcsAccount, startGcsServer } from '../fakes/gcs-server.ts'
import { type FakeServer, startFakeServer } from '../fakes/http-server.ts'
import { type S3Server, startS3Server } from '../fakes/s3-server.ts'
import { programs, type RunningServer, run, startServer } from './programs.ts'

const PASSWORD = 'canary-root-password'
const S3 = {
  accessKeyId: 'AKIACANARYKEYID',
  secretAccessKey: 'canary/secret+key',
  sessionToken: 'canary-session-token',
}
const GCS = makeGcsAccount('canary-account@test-project.iam.gserviceaccount.com')
const AZURE_KEY = Buffer.from('canary-azure-access-key').toString('base64')
/** The middle of the key: no text has reason to hold 40 characters of it. */
const KEY_BODY = GCS.privateKey.split('\n')[3] as string
const CANARIES = [
  /canary/i,
  /AKIACANARY/i,
  new RegExp(KEY_BODY.slice(4, 44).replace(/[+/]/g, '\\$&')),
  new RegExp(AZURE_KEY),
]

let folder: string
let server: RunningServer
let s3: S3Server
let gcs: GcsServer
let azure: Azurite
/** A store that refuses everything and repeats what it was sent. */
let echo: FakeServer
/** Everything that came out, and where. */
const seen: { readonly where: string; readonly text: string }[] = []
const see = (where: string, text: string) => {
  seen.push({ where, text })
  return text
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cnosdb-secrets-'))
  s3 = await startS3Server({ accounts: [S3] })
  gcs = await startGcsServer({ accounts: [GCS] })
  vi.stubEnv(
    'AZURITE_ACCOUNTS',
    `planted:${AZURE_KEY};devstoreaccount1:Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==`,
  )
  azure = await startAzurite()
  echo = await startFakeServer({
    faults: new FaultPlan(),
    answer: ({ headers, body }) => ({ status: 403, body: Buffer.from(`${JSON.stringify(headers)} ${body}`) }),
    refusal: (status) => ({ status }),
  })
  s3.createBucket('bucket')
  gcs.createBucket('bucket')
  const env = { CNOSDB_ROOT_PASSWORD: PASSWORD, AZURITE_BLOB_STORAGE_URL: azure.url }
  const flags = ['--log-level', 'trace', '--influx-write', '--spool-dir', join(folder, 'spool')]
  server = await startServer(join(folder, 'data'), flags, env)
})
afterAll(async () => {
  vi.unstubAllEnvs()
  await server.stop()
  await Promise.all([s3.close(), gcs.close(), azure.close(), echo.close()])
  await rm(folder, { recursive: true, force: true })
})

const basic = (user: string, password: string) => `Basic ${btoa(`${user}:${password}`)}`

async function ask(statement: string, { accept = 'text/csv', authorization = basic('root', PASSWORD) } = {}) {
  const url = new URL('/api/v1/sql', server.url)
  const answer = await fetch(url, { method: 'POST', headers: { authorization, accept }, body: statement })
  return see(`answer to ${statement}`, `${[...answer.headers].join('\n')}\n${await answer.text()}`)
}

const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`
const connections = () => ({
  s3: `region = 'us-east-1', endpoint_url = '${s3.url}', access_key_id = ${quoted(S3.accessKeyId)}, secret_key = ${quoted(S3.secretAccessKey)}, token = ${quoted(S3.sessionToken)}`,
  gcs: `gcs_base_url = '${gcs.url}', client_email = ${quoted(GCS.email)}, private_key = ${quoted(GCS.privateKey)}`,
  azblob: `use_emulator = true, account = 'planted', access_key = ${quoted(AZURE_KEY)}, bearer_token = 'canary-bearer'`,
})

it('shows no secret anywhere', async () => {
  await ask('CREATE TABLE air (v BIGINT, TAGS(station))')
  expect(await ask("INSERT INTO air (time, station, v) VALUES (1, 's', 2), (2, 's', 3)")).toContain('rows\n2')
  for (const [store, connection] of Object.entries(connections())) {
    if (store === 'azblob') await createContainer()
    const out = `COPY INTO '${store}://bucket/x/' FROM air CONNECTION = (${connection}) FILE_FORMAT = (TYPE = 'CSV')`
    const into = `COPY INTO air FROM '${store}://bucket/x/' CONNECTION = (${connection})`
    for (const statement of [out, into]) {
      expect(await ask(statement), statement).toMatch(/rows\n\d/)
      for (const accept of ['text/table', 'application/json']) await ask(`EXPLAIN ${statement}`, { accept })
      await ask(`EXPLAIN ANALYZE ${statement}`)
      await askBroken(statement)
    }
    await askCancelled(store, store === 's3' ? out : into)
  }
  await askAboutUsers()
  await useShell(connections().s3)
  await lookAround()
  const leaks = seen.filter(({ text }) => CANARIES.some((canary) => canary.test(text)))
  expect(leaks).toEqual([])
})

async function createContainer() {
  const { BlobServiceClient, StorageSharedKeyCredential } = await import('@azure/storage-blob')
  const owner = new StorageSharedKeyCredential('planted', AZURE_KEY)
  await new BlobServiceClient(`${azure.url}/planted`, owner).createContainer('bucket')
}

/** The statement with its credentials wrong, damaged, misspelt, misplaced, cut off, or followed by a mistake. */
async function askBroken(statement: string) {
  const secrets = /(secret_key|token|private_key|access_key|bearer_token|access_key_id|client_email) = ('[^']*')/g
  for (const [whole, name, value = ''] of statement.matchAll(secrets)) {
    const swap = (text: string) => ask(statement.replace(whole, () => text))
    await swap(`${name} = ${value.slice(0, -1)}Canary'`)
    await swap(`${name} = ${value.replaceAll("'", '"')}`)
    await swap(`${name} = ${value.replaceAll("'", '')}`)
    await swap(`${name}2 = ${value}`)
    await swap(`'${name}' ${value} ${value}`)
    await swap(`${name} = ${value}, bad_option = 1`)
    await swap(`${name} = ${value}, virtual_hosted_style = 'x', use_emulator = 7, disable_oauth = 'no'`)
    await swap(`${name} = ${value} -- ${name} = ${value}`)
    await swap(`${name} = ${value}) nonsense (${name} = ${value}`)
    await ask(statement.slice(0, statement.indexOf(value) + value.length - 2))
  }
  await ask(statement.replace('bucket/x', 'user:canary-in-url@bucket/x'))
  await ask(statement.replace('bucket/x', 'missing/x?sig=canary-signature'))
  await ask(statement.replace('bucket/x', 'bucket/x?sig=canary-signature'))
  await ask(statement.replace(/http:\/\/127/, 'http://user:canary-in-endpoint@127'))
  await ask(statement.replace(/'\w+:\/\/bucket/, "'file://user:canary-in-url@bucket"))
  await ask(statement.replace(/http:\/\/[^']*/, echo.url))
  await ask(`${statement}; ${statement}`)
}

/** A statement that hangs, seen by others while it runs, then killed. */
async function askCancelled(store: string, statement: string) {
  const server = { s3, gcs, azblob: azure }[store]
  server?.faults.add({ times: 100, fault: { kind: 'stall', bytes: -1 } })
  const answer = ask(statement)
  const list = "SELECT query_id FROM information_schema.queries WHERE query_text LIKE 'COPY%'"
  const id = await vi.waitUntil(async () => /^\d+$/m.exec(await ask(list))?.[0], { timeout: 30_000, interval: 50 })
  await ask('SHOW QUERIES')
  await ask('SELECT * FROM information_schema.queries', { accept: 'application/json' })
  await lookAround()
  await ask(`KILL QUERY ${id}`)
  server?.faults.clear()
  expect(await answer).toContain('010014')
}

async function askAboutUsers() {
  await ask("CREATE USER anna WITH password = 'canary-anna', comment = 'ops'")
  await ask("CREATE USER anna WITH password = 'canary-anna', comment = 'twice'")
  await ask("CREATE USER berta WITH password = 'canary-berta")
  await ask("CREATE USER berta WITH password = 'canary-berta' nonsense")
  await ask("CREATE USER berta WITH password = true, passwort = 'canary-berta'")
  await ask(`CREATE USER berta WITH password = '${'canary'.repeat(20)}'`)
  await ask("CREATE USER berta WITH hash_password = '$2b$31$canarycanarycanarycanarycanarycanarycanarycanarycanar'")
  await ask("ALTER USER anna SET password = 'canary-anna-2'")
  await ask("ALTER USER nobody SET password = 'canary-nobody'")
  await ask('SELECT * FROM cluster_schema.users')
  for (const authorization of [
    basic('anna', 'canary-wrong'),
    basic('nobody', 'canary-wrong'),
    `Bearer canary-token`,
    `basic ${btoa('root:canary')}`,
    `Basic canary!`,
    'canary',
  ]) {
    await ask('SELECT 1', { authorization })
  }
  const urls = ['/write?db=public&u=root&p=canary-wrong', `/write?db=public&u=root&p=${PASSWORD}`, '/nothing?p=canary']
  for (const path of urls) {
    const answer = await fetch(new URL(path, server.url), { method: 'POST', body: 'air,station=s v=1i 3' })
    see(path.split('?')[0] as string, await answer.text())
  }
}

/** The shell, and what it remembers; the statement fails. */
async function useShell(connection: string) {
  const passwordFile = join(folder, 'password')
  await writeFile(passwordFile, PASSWORD)
  const statement = `COPY INTO air FROM 's3://missing/x/' CONNECTION = (${connection})`
  const login = ['sql', '--url', server.url, '--password-file', passwordFile]
  for (const input of [`${statement};`, `${statement} nonsense;`, `\\nonsense ${statement}`]) {
    const { stdout, stderr } = await run(programs.lite, login, { input })
    see('stdout of the shell', stdout)
    expect(see('stderr of the shell', stderr)).toContain('error')
  }
  const history = await openHistory({ CNOSDB_LITE_HISTORY: join(folder, 'history') })
  for (const text of [statement, `${statement} nonsense`, "ALTER USER u SET password = 'canary-typed'"]) {
    await history.add(`${text};`)
  }
  see('the history', await readFile(join(folder, 'history'), 'utf8'))
}

/** What an operator or another user of the machine can look at. */
async function lookAround() {
  see('/metrics', await (await fetch(new URL('/metrics', server.url))).text())
  const dump = await fetch(new URL('/api/v1/dump/sql/ddl', server.url), {
    headers: { authorization: basic('root', PASSWORD) },
  })
  expect(see('the dump', await dump.text())).toContain('-- Dump Global Object')
  see('the log', server.stderr())
  for (const directory of ['data', 'spool']) {
    for (const entry of await readdir(join(folder, directory), { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name)
      see('file names', path)
      if (entry.isFile() && directory === 'spool') see(path, await readFile(path, 'latin1').catch(() => ''))
    }
  }
  for (const file of ['cmdline', 'comm']) {
    see(`/proc/…/${file}`, await readFile(`/proc/${server.child.pid}/${file}`, 'latin1').catch(() => ''))
  }
}
