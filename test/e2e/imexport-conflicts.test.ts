import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { programs, type RunningServer, run, sql, startServer } from './programs.ts'

let folder: string
let source: RunningServer
let target: RunningServer

const TABLES = ['absent', 'empty', 'same_keys', 'other_keys', 'fewer_columns', 'untouched']
const OCCUPIED = ['same_keys', 'other_keys', 'fewer_columns']
const DEFINITION = '(v DOUBLE, s STRING, TAGS(a))'

/** Rows `from` … `to`, every third with a NULL field, every fourth without a tag. */
function rowsOf(from: number, to: number, mark: string): string {
  const row = (k: number) => {
    const tag = k % 4 === 0 ? 'NULL' : `'a${k % 4}'`
    return `(${k * 1_000_000}, ${tag}, ${k % 3 === 0 ? 'NULL' : k + mark.length / 8}, '${mark}${k}')`
  }
  return Array.from({ length: to - from }, (_, i) => row(from + i)).join(', ')
}

const insert = (server: RunningServer, table: string, rows: string) =>
  sql(server, `INSERT INTO ${table} (time, a, v, s) VALUES ${rows}`)

/** Rows of the target as it is before each migration; `v` is NULL elsewhere than in the source. */
async function fillTarget(database: string): Promise<void> {
  const table = (name: string, definition = DEFINITION) => sql(target, `CREATE TABLE ${database}.${name} ${definition}`)
  await table('empty')
  await table('same_keys')
  await insert(target, `${database}.same_keys`, rowsOf(100, 400, 'target'))
  await sql(target, `INSERT INTO ${database}.same_keys (time, a, v) VALUES (3000000, 'a3', 0.25), (600000000, 'a1', 7)`)
  await table('other_keys')
  await insert(target, `${database}.other_keys`, rowsOf(1000, 1200, 'target'))
  await table('fewer_columns', '(s STRING, TAGS(a))')
  await sql(
    target,
    `INSERT INTO ${database}.fewer_columns (time, a, s) VALUES (1000000, 'a1', 'mine'), (9, 'a1', 'mine')`,
  )
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'imexport-conflicts-'))
  source = await startServer(join(folder, 'source'))
  target = await startServer(join(folder, 'target'))
  await sql(target, 'CREATE DATABASE before')
  await sql(target, 'CREATE DATABASE moved')
  await fillTarget('before')
  for (const table of TABLES) {
    for (const [server, database] of [
      [source, 'public'],
      [target, 'moved'],
    ] as const) {
      await sql(server, `CREATE TABLE ${database}.${table} ${DEFINITION}`)
      if (table !== 'untouched') await insert(server, `${database}.${table}`, rowsOf(0, 300, 'source'))
    }
  }
})

beforeEach(async () => {
  for (const table of TABLES) await sql(target, `DROP TABLE IF EXISTS public.${table}`)
  await fillTarget('public')
})

afterAll(async () => {
  await source?.stop('SIGKILL')
  await target?.stop('SIGKILL')
  await rm(folder, { recursive: true, force: true })
})

const migrate = (place: string, ...more: string[]) => {
  const at = ['--path', join(folder, place), '--meta-dir', join(folder, place), '--include', 'cnosdb.public']
  const servers = ['--src', `root:root@${source.address}`, '--dst', `root:root@${target.address}`]
  return run(programs.imexport, ['migrate', ...servers, ...at, '--rows-per-unit', '150', '--json', ...more], {
    cwd: folder,
  })
}

interface Finished {
  readonly type: string
  readonly verb: string
  readonly exitCode: number
  readonly rows: string
  readonly skipped: number
  readonly notCarried: readonly string[]
}

/** The `finished` events of a run, export before import. */
const finished = (stdout: string) =>
  stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Finished)
    .filter((event) => event.type === 'finished')

/** Rows that only one of two relations of the target has. */
async function differences(columns: string, one: string, other: string): Promise<number> {
  const except = (a: string, b: string) => `(SELECT ${columns} FROM ${a} EXCEPT SELECT ${columns} FROM ${b}) AS d`
  const counts = [except(one, other), except(other, one)].map((from) =>
    sql(target, `SELECT count(*) AS n FROM ${from}`),
  )
  return (await Promise.all(counts)).reduce((sum, text) => sum + Number(text.split('\n')[1]), 0)
}

const expectEqual = async (table: string, other: string, columns = 'time, a, v, s') =>
  expect(await differences(columns, `public.${table}`, other), table).toBe(0)

const expectOccupiedUnchanged = async () => {
  for (const table of OCCUPIED)
    await expectEqual(table, `before.${table}`, table === 'fewer_columns' ? 'time, a, s' : undefined)
}

/** What CnosDB's merge makes of the rows before and the rows moved: field by field, NULL never overwrites. */
const merged = (table: string, v: string) => `(SELECT coalesce(m.time, b.time) AS time, coalesce(m.a, b.a) AS a,
  ${v} AS v, coalesce(m.s, b.s) AS s FROM before.${table} AS b
  FULL OUTER JOIN moved.${table} AS m ON m.time = b.time AND m.a IS NOT DISTINCT FROM b.a) AS expected`

it('fail: names the tables, changes nothing; the same command with another policy does not export again', async () => {
  const refused = await migrate('fail')
  expect(refused.code, refused.stdout).toBe(7)
  for (const table of OCCUPIED) expect(refused.stdout).toContain(`cnosdb.public.${table} already holds rows`)
  for (const table of ['absent', 'empty', 'untouched']) expect(refused.stdout).not.toContain(`public.${table} already`)
  expect(finished(refused.stdout).map(({ verb }) => verb)).toEqual(['export'])
  await expectOccupiedUnchanged()
  await expect(sql(target, 'SELECT * FROM public.absent')).rejects.toThrow('030019')
  const merging = await migrate('fail', '--on-conflict', 'merge')
  expect(merging.code, merging.stdout + merging.stderr).toBe(0)
  expect(finished(merging.stdout).map(({ verb }) => verb)).toEqual(['import'])
  expect(finished(merging.stdout)[0]?.notCarried.at(-1)).toMatch(/^what came to .* since 20.*: an earlier run staged/)
})

it('skip: what holds rows stays as it is and is named, the rest arrives', async () => {
  const done = await migrate('skip', '--on-conflict', 'skip')
  expect(done.code, done.stdout + done.stderr).toBe(0)
  const [, imported] = finished(done.stdout)
  expect(imported).toMatchObject({ verb: 'import', exitCode: 0, rows: '600' })
  expect(imported?.notCarried).toEqual(
    [...OCCUPIED].sort().map((table) => `rows of cnosdb.public.${table}: it holds rows already, skipped`),
  )
  await expectOccupiedUnchanged()
  for (const table of ['absent', 'empty', 'untouched']) await expectEqual(table, `moved.${table}`)
})

it('merge: same time and tags become one row, field by field; nothing else is lost', async () => {
  const done = await migrate('merge', '--on-conflict', 'merge')
  expect(done.code, done.stdout + done.stderr).toBe(0)
  expect(finished(done.stdout)[1]).toMatchObject({ exitCode: 0, rows: '1500', notCarried: [] })
  for (const table of ['absent', 'empty', 'untouched']) await expectEqual(table, `moved.${table}`)
  for (const table of ['same_keys', 'other_keys']) await expectEqual(table, merged(table, 'coalesce(m.v, b.v)'))
  await expectEqual('fewer_columns', merged('fewer_columns', 'm.v'))
})

it('replace: asks for --yes, then what was there is gone', async () => {
  expect((await migrate('replace', '--on-conflict', 'replace')).code).toBe(2)
  await expectOccupiedUnchanged()
  const done = await migrate('replace', '--on-conflict', 'replace', '--yes')
  expect(done.code, done.stdout + done.stderr).toBe(0)
  expect(finished(done.stdout)[1]).toMatchObject({ exitCode: 0, rows: '1500', notCarried: [] })
  for (const table of TABLES) await expectEqual(table, `moved.${table}`)
})

it.each(['fail', 'skip', 'merge', 'replace'])(
  '%s: a column of another type is refused by name, nothing changes',
  async (policy) => {
    await sql(target, 'CREATE TABLE public.absent (v BIGINT, s STRING, TAGS(a))')
    const args = ['import', '--dst', `root:root@${target.address}`, '--on-conflict', policy, '--yes']
    const refused = await run(programs.imexport, [...args, '--path', join(folder, 'skip')], { cwd: folder })
    expect(refused.code, refused.stdout).toBe(7)
    expect(refused.stderr).toContain('cnosdb.public.absent: column v is BIGINT on the target and DOUBLE in the backup')
    await expectOccupiedUnchanged()
  },
)

it('rows left without any field by a dropped column stay behind, and are counted by name', async () => {
  await sql(source, 'CREATE TABLE dropped (v DOUBLE, w DOUBLE, TAGS(a))')
  await sql(
    source,
    "INSERT INTO dropped (time, a, v, w) VALUES (1, 'x', 1, NULL), (2, 'x', NULL, 2), (3, 'x', NULL, 3)",
  )
  await sql(source, 'ALTER TABLE dropped DROP w')
  const args = ['export', '--src', `root:root@${source.address}`, '--include', 'cnosdb.public.dropped']
  const done = await run(programs.imexport, [...args, '--path', join(folder, 'dropped')], { cwd: folder })
  await sql(source, 'DROP TABLE dropped')
  expect(done.code, done.stderr).toBe(0)
  expect(done.stdout).toContain('not carried: 2 rows of cnosdb.public.dropped without any field')
})
