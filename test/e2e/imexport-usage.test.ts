import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { programs, type RunningServer, run, sql, startServer } from './programs.ts'

let folder: string
let server: RunningServer

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'imexport-usage-'))
  server = await startServer(join(folder, 'server'))
  await sql(server, 'CREATE TABLE logs (error_code STRING, v BIGINT)')
  await sql(server, "INSERT INTO logs (time, error_code, v) VALUES (1, 'E1', 1), (2, 'E2', 2)")
})

afterAll(async () => {
  await server?.stop('SIGKILL')
  await rm(folder, { recursive: true, force: true })
})

const imexport = (...args: string[]) => run(programs.imexport, args, { cwd: folder })

it.each([
  ['a password file that is not there', ['--src-password-file', '/nope'], 2, '--src-password-file /nope: ENOENT'],
  ['a file of options that is not there', ['--conn-file', '/nope'], 2, '--conn-file /nope: ENOENT'],
  ['a path that is no URL', ['--path', 'file:///backup/50%'], 2, '--path file:///backup/50%: not a URL'],
  ['a path with a query', ['--path', 's3://bucket/a?b'], 2, 'write %25 for %, %3F for ?'],
  ['a place for metadata that cannot be', ['--meta-dir', '/dev/null/x'], 5, 'must be a directory is a file'],
  ['a place for metadata in /proc', ['--meta-dir', '/proc/nope'], 5, '/proc/nope/meta_data.src: not found'],
])('names %s', async (_what, flags, code, message) => {
  const user = flags[0] === '--src-password-file' ? 'root' : 'root:root'
  const path = flags[0] === '--path' ? [] : ['--path', join(folder, 'refused')]
  const refused = await imexport('export', '--src', `${user}@${server.address}`, ...path, ...flags)
  expect(refused.stderr).toContain(message)
  expect(refused.code, refused.stderr).toBe(code)
})

it('repeats no password: of an address without a host, of a flag that is misspelt', async () => {
  for (const args of [['--src', 'root:hunter2'], ['--src-pasword=hunter2']]) {
    const refused = await imexport('export', ...args, '--path', join(folder, 'refused'))
    expect(refused.code).toBe(2)
    expect(refused.stdout + refused.stderr).not.toContain('hunter2')
  }
})

it('tells https:// to a port of plain HTTP', async () => {
  const refused = await imexport('plan', '--src', `https://root:root@${server.address}`, '--path', join(folder, 'p'))
  expect(refused.code, refused.stdout).toBe(6)
  expect(refused.stderr).toContain('write the address without https://')
})

it('plan tells its units as JSON', async () => {
  const planned = await imexport('plan', '--src', `root:root@${server.address}`, '--path', join(folder, 'p'), '--json')
  expect(planned.code, planned.stderr).toBe(0)
  const events = planned.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(events.at(-1)).toMatchObject({ v: 1, type: 'plan', verb: 'export', exitCode: 0, failures: [] })
  expect(events.at(-1).units).toMatchObject([
    { table: 'logs', estimatedRows: '2', directory: 'data/cnosdb/public/logs/all' },
  ])
})

it('a backup of a part says so in list and info', async () => {
  const path = ['--path', join(folder, 'part'), '--meta-dir', folder]
  const args = [
    '--src',
    `root:root@${server.address}`,
    '--include',
    'cnosdb.public.logs',
    '--from',
    '1970-01-01',
    ...path,
  ]
  const exported = await imexport('export', ...args)
  expect(exported.code, exported.stderr).toBe(0)
  expect((await imexport('list', ...path)).stdout).toContain('.       complete, a part  ')
  const info = await imexport('info', ...path)
  expect(info.stdout).toContain(
    'only      --include cnosdb.public.logs\nonly      --from 1970-01-01T00:00:00.000000000\n',
  )
})

it('a column called error_code passes through the tool', async () => {
  const args = ['--mode', 'client', '--path', join(folder, 'codes'), '--meta-dir', folder]
  const exported = await imexport('export', '--src', `root:root@${server.address}`, ...args)
  expect(exported.code, exported.stdout + exported.stderr).toBe(0)
  expect(exported.stdout).toContain('1 units, 2 rows')
})

it('a reader that has gone does not end the run', async () => {
  const args = ['export', '--src', `root:root@${server.address}`, '--path', join(folder, 'deaf'), '--meta-dir', folder]
  const child = spawn(process.execPath, [programs.imexport, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  child.stdout.destroy()
  child.stderr.destroy()
  const [code] = (await once(child, 'close')) as [number | null]
  expect(code).toBe(0)
  expect((await imexport('verify', '--path', join(folder, 'deaf'))).code).toBe(0)
})

it('reads the password and the options of a store from files', async () => {
  await writeFile(join(folder, 'password'), 'root\n')
  const args = [
    '--src-password-file',
    join(folder, 'password'),
    '--path',
    join(folder, 'by-file'),
    '--meta-dir',
    folder,
  ]
  const exported = await imexport('export', '--src', `root@${server.address}`, ...args)
  expect(exported.code, exported.stderr).toBe(0)
})
