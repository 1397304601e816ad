import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { printLiteral } from '../../src/options/option-spec.ts'
import { openAzureRig, openGcsRig, openS3Rig, type StoreRig } from '../fakes/store-rigs.ts'
import { dump, programs, type RunningServer, run, sql, startServer } from './programs.ts'

let folder: string
const rigs: StoreRig[] = []
const servers: RunningServer[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'imexport-stores-'))
})

afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop('SIGKILL')))
  await Promise.all(rigs.map((rig) => rig.close()))
  await rm(folder, { recursive: true, force: true })
})

const OPENERS = { s3: openS3Rig, gcs: openGcsRig, azblob: openAzureRig } as const

it.each(Object.keys(OPENERS) as (keyof typeof OPENERS)[])('a cluster goes to %s and comes back equal', async (name) => {
  const rig = await OPENERS[name]()
  rigs.push(rig)
  const env = Object.fromEntries(
    Object.entries(rig.env).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  )
  const start = async (place: string) => {
    const server = await startServer(join(folder, `${name}-${place}`), [], env)
    servers.push(server)
    return server
  }
  const source = await start('source')
  await sql(source, 'CREATE TABLE air (v DOUBLE, n BIGINT UNSIGNED, TAGS(station))')
  const rows = Array.from(
    { length: 3000 },
    (_, i) => `(${1_700_000_000_000_000_000 + i * 1e9}, ${i % 3 === 0 ? 'NULL' : `'s${i % 7}'`}, ${i / 8}, ${i})`,
  )
  await sql(source, `INSERT INTO air (time, station, v, n) VALUES ${rows.join(', ')}`)

  const connFile = join(folder, `${name}.conn`)
  await writeFile(connFile, [...rig.connection].map(([key, value]) => `${key} = ${printLiteral(value)}`).join(', '), {
    mode: 0o600,
  })
  const imexport = (...args: string[]) =>
    run(
      programs.imexport,
      [...args, '--path', `${rig.url}/nightly/monday`, '--conn-file', connFile, '--meta-dir', folder],
      { cwd: folder, env },
    )
  const exported = await imexport('export', '--src', `root:root@${source.address}`, '--rows-per-unit', '1000')
  expect(exported.code, exported.stderr + exported.stdout).toBe(0)
  const verified = await imexport('verify')
  expect(verified.code, verified.stdout).toBe(0)
  const target = await start('target')
  const imported = await imexport('import', '--dst', `root:root@${target.address}`)
  expect(imported.code, imported.stderr + imported.stdout).toBe(0)
  const query = 'SELECT * FROM air ORDER BY time'
  expect(await sql(target, query)).toBe(await sql(source, query))
  expect(await dump(target)).toBe(await dump(source))
  const shown =
    [exported, verified, imported].map(({ stdout, stderr }) => stdout + stderr).join() +
    source.stderr() +
    target.stderr()
  for (const secret of rig.secrets) expect(shown).not.toContain(secret)
})
