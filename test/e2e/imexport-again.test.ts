import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, it } from 'vitest'
import { printLiteral } from '../../src/options/option-spec.ts'
import { openS3Rig } from '../fakes/store-rigs.ts'
import { type Finished, programs, type RunningServer, run, sql, startServer } from './programs.ts'

/*
 * The same command once more: what an earlier run has left is taken up only as far as it still holds.
 */

const UNITS = 6
const SECOND = 1_000_000_000n

let folder: string
let server: RunningServer | undefined
const folders: string[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'imexport-again-'))
  folders.push(folder)
  server ??= await start('source')
  await sql(server, 'DROP TABLE IF EXISTS air')
  await fill(server)
})

afterAll(async () => {
  await server?.stop('SIGKILL')
  await Promise.all(folders.map((one) => rm(one, { recursive: true, force: true })))
})

const start = (name: string, ...args: string[]) => startServer(join(folder, name), args)

async function fill(at: RunningServer, offset = 0): Promise<void> {
  await sql(at, 'CREATE TABLE air (v DOUBLE, w BIGINT, TAGS(a))')
  const rows = Array.from({ length: UNITS }, (_, i) => `(${BigInt(i) * 60n * SECOND}, 'a', ${i + offset}, ${i})`)
  await sql(at, `INSERT INTO air (time, a, v, w) VALUES ${rows.join(', ')}`)
}

const source = () => server as RunningServer
const exportArgs = () => [
  ...['export', '--src', `root:root@${source().address}`, '--path', join(folder, 'backup'), '--meta-dir', folder],
  ...['--window', '1m', '--parallel', '1', '--json'],
]
const imexport = (args: readonly string[]) => run(programs.imexport, args, { cwd: folder })

/** An export that is killed once it has moved `units` units. */
async function killedAfter(units: number): Promise<void> {
  const killed = await run(programs.imexport, exportArgs(), {
    cwd: folder,
    onLines: (lines, child) => void (lines >= 3 + units * 2 && child.kill('SIGKILL')),
  })
  expect(killed.code).toBe(null)
}

async function expectEqualRestore(of: RunningServer): Promise<void> {
  const target = await start('target')
  try {
    const args = ['--path', join(folder, 'backup'), '--meta-dir', folder]
    const verified = await imexport(['verify', ...args])
    expect(verified.code, verified.stdout).toBe(0)
    const imported = await imexport(['import', '--dst', `root:root@${target.address}`, ...args])
    expect(imported.code, imported.stdout + imported.stderr).toBe(0)
    const query = 'SELECT * FROM air ORDER BY time, a'
    expect(await sql(target, query)).toBe(await sql(of, query))
  } finally {
    await target.stop('SIGKILL')
  }
}

/** Directories below `data` that the manifest does not name. */
async function leftovers(): Promise<string[]> {
  const text = await readFile(join(folder, 'backup', 'manifest.json'), 'utf8')
  const { units } = JSON.parse(text.split('\n').slice(0, -2).join('\n')) as { units: { directory: string }[] }
  const named = new Set(units.map(({ directory }) => join(folder, 'backup', directory)))
  const entries = await readdir(join(folder, 'backup', 'data'), { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile() && !named.has(entry.parentPath)).map((entry) => entry.parentPath)
}

const changes: Readonly<Record<string, () => Promise<unknown>>> = {
  'rows were changed, and come before and after': () =>
    sql(
      source(),
      `INSERT INTO air (time, a, v) VALUES (-1, 'a', 1), (${60n * SECOND}, 'a', 999), (${500n * SECOND}, 'a', 7)`,
    ),
  'columns were added, renamed and dropped': async () => {
    for (const change of ['ADD FIELD x STRING', 'RENAME COLUMN v TO vv', 'DROP w'])
      await sql(source(), `ALTER TABLE air ${change}`)
  },
  'another cluster answers at the same address': async () => {
    const { address } = source()
    await source().stop('SIGKILL')
    server = await start('other', '--listen', address)
    await fill(server, 100)
  },
}

it.each(Object.keys(changes))('export goes on after %s: the backup is of the source as it is', async (name) => {
  await killedAfter(3)
  await changes[name]?.()
  const done = await imexport(exportArgs())
  expect(done.code, done.stdout + done.stderr).toBe(0)
  expect(await leftovers()).toEqual([])
  await expectEqualRestore(source())
})

it('of two runs of one export at once the earlier stops and says why, and the backup is whole', async () => {
  // So many units that the earlier run is still at work when the later one begins.
  const rows = Array.from({ length: 80 }, (_, i) => `(${BigInt(UNITS + i) * 60n * SECOND}, 'a', ${i}, ${i})`)
  await sql(source(), `INSERT INTO air (time, a, v, w) VALUES ${rows.join(', ')}`)
  let later: Promise<Finished> | undefined
  const earlier = await run(programs.imexport, exportArgs(), {
    cwd: folder,
    onLines: (lines) => {
      if (lines >= 6) later ??= imexport(exportArgs())
    },
  })
  const done = await later
  expect(done?.code, `${done?.stdout}${done?.stderr}`).toBe(0)
  expect(earlier.code, earlier.stdout).toBe(7)
  expect(earlier.stdout).toContain('another run of this command has taken over')
  await expectEqualRestore(source())
})

it.each(['plan.json', 'unit-'])('a damaged %s in the journal is named, and nothing is moved', async (name) => {
  await killedAfter(3)
  const journal = join(folder, 'backup', 'journal')
  const file = (await readdir(journal)).find((entry) => entry.startsWith(name)) ?? ''
  await writeFile(join(journal, file), '{"unit": "da')
  const refused = await imexport(exportArgs())
  expect(refused.code, refused.stdout).toBe(7)
  expect(refused.stdout).toContain(`journal/${file} is damaged`)
  await rm(journal, { recursive: true })
  const replaced = await imexport([...exportArgs(), '--on-conflict', 'replace'])
  expect(replaced.code, replaced.stdout).toBe(0)
  await expectEqualRestore(source())
})

it('a backup of rows that are written over all the while is restored without complaint', async () => {
  let isRunning = true
  const write = async () => {
    for (let v = 1000; isRunning; v += 1) {
      const rows = Array.from({ length: UNITS }, (_, i) => `(${BigInt(i) * 60n * SECOND}, 'a', ${v})`)
      await sql(source(), `INSERT INTO air (time, a, v) VALUES ${rows.join(', ')}`)
    }
  }
  const writer = write()
  const exported = await imexport(exportArgs())
  isRunning = false
  await writer
  expect(exported.code, exported.stdout).toBe(0)
  const target = await start('target')
  const args = ['import', '--dst', `root:root@${target.address}`, '--path', join(folder, 'backup')]
  const imported = await imexport(args)
  expect(imported.code, imported.stdout).toBe(0)
  expect(await sql(target, 'SELECT count(*) AS n FROM air')).toBe(`n\n${UNITS}\n`)
  await target.stop('SIGKILL')
})

it('an import keeps its journal in the directory where it is run, and goes on only there', async () => {
  const place = ['--path', join(folder, 'backup')]
  const exported = await imexport([...exportArgs()])
  expect(exported.code, exported.stdout).toBe(0)
  const target = await start('target')
  const args = ['import', '--dst', `root:root@${target.address}`, ...place, '--parallel', '1', '--json']
  const killed = await run(programs.imexport, args, {
    cwd: folder,
    onLines: (lines, child) => void (lines >= 8 && child.kill('SIGKILL')),
  })
  expect(killed.code).toBe(null)
  expect((await readdir(folder)).filter((name) => name.startsWith('cnosdb-import-'))).toHaveLength(1)
  const elsewhere = await run(programs.imexport, args, { cwd: join(folder, 'backup') })
  expect(elsewhere.code, elsewhere.stdout).toBe(7)
  expect(elsewhere.stdout).toContain('an import that was interrupted goes on in the directory where it was run')
  const done = await imexport(args)
  expect(done.code, done.stdout).toBe(0)
  const files = await readdir(folder, { recursive: true })
  expect(files.filter((name) => /^cnosdb-import-.*\//.test(name) || /(^|\/)probe-/.test(name))).toEqual([])
  await target.stop('SIGKILL')
})

it('a store that takes the journal and no data ends the run soon, each unit named', async () => {
  const rows = Array.from({ length: 2000 }, (_, i) => `(${BigInt(i + 1) * SECOND}, 'b', ${i})`)
  await sql(source(), `INSERT INTO air (time, a, v) VALUES ${rows.join(', ')}`)
  const rig = await openS3Rig()
  try {
    const denied = { kind: 'status', status: 403, code: 'AccessDenied' } as const
    for (const method of ['PUT', 'POST']) rig.faults.add({ method, url: /\/data\//, times: 1e9, fault: denied })
    const connection = [...rig.connection].map(([key, value]) => `${key} = ${printLiteral(value)}`).join(', ')
    const failed = await run(programs.imexport, [
      ...['export', '--src', `root:root@${source().address}`, '--path', `${rig.url}/denied`, '--conn', connection],
      ...['--meta-dir', folder, '--json'],
    ])
    expect(failed.code, failed.stdout).toBe(3)
    const last = JSON.parse(failed.stdout.trim().split('\n').at(-1) ?? '') as {
      failures: { error: { message: string } }[]
    }
    expect(last.failures.length).toBeLessThanOrEqual(16)
    expect(last.failures[0]?.error.message).toContain('AccessDenied')
    for (const secret of rig.secrets) expect(failed.stdout).not.toContain(secret)
  } finally {
    await rig.close()
  }
})
