import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { programs, type RunningServer, run, sql, startServer } from './programs.ts'

/*
 * A target that is in use: what an import must not change there, and what it must not overlook.
 */

let folder: string
let source: RunningServer
let target: RunningServer

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'imexport-target-'))
  source = await startServer(join(folder, 'source'))
  target = await startServer(join(folder, 'target'))
  await sql(source, "CREATE DATABASE plant WITH TTL '36500d'")
  await sql(source, 'CREATE TABLE plant.air (v DOUBLE, TAGS(a))')
  await sql(source, 'CREATE TABLE plant.empty (v DOUBLE, w BIGINT, TAGS(a))')
  await sql(
    source,
    "INSERT INTO plant.air (time, a, v) VALUES ('2024-01-01T00:00:00', 'x', 1), ('2024-01-01T00:00:01.123456789', 'x', 2), ('2024-01-01T00:00:02', 'x', 3)",
  )
  await sql(source, "CREATE USER anna WITH password = 'in the backup', granted_admin = true")
  await sql(source, 'CREATE ROLE reader')
  await sql(source, 'GRANT READ ON DATABASE plant TO reader')
  await sql(source, 'ALTER TENANT cnosdb ADD USER anna AS reader')
  const done = await run(programs.imexport, ['export', '--src', `root:root@${source.address}`, ...at('backup')])
  expect(done.code, done.stderr).toBe(0)
})

beforeEach(async () => {
  for (const name of ['plant', 'other']) await sql(target, `DROP DATABASE IF EXISTS ${name}`)
  await sql(target, 'DROP USER IF EXISTS anna')
  await sql(target, 'DROP ROLE IF EXISTS reader')
})

afterAll(async () => {
  await source?.stop('SIGKILL')
  await target?.stop('SIGKILL')
  await rm(folder, { recursive: true, force: true })
})

const at = (place: string) => ['--path', join(folder, place), '--meta-dir', join(folder, `${place}-meta`)]
const restore = (...more: string[]) =>
  run(programs.imexport, ['import', '--dst', `root:root@${target.address}`, ...at('backup'), ...more])

it('a database of a coarser precision is refused: it would cut digits off the times', async () => {
  await sql(target, "CREATE DATABASE plant WITH PRECISION 'ms'")
  const refused = await restore()
  expect(refused.code, refused.stdout).toBe(7)
  expect(refused.stderr).toContain("cnosdb.plant has PRECISION 'MS', which would cut digits")
  expect(await sql(target, 'SHOW TABLES ON plant')).toBe('table_name\n')
})

it('a table without rows in the backup is judged and completed as any other', async () => {
  await sql(target, 'CREATE DATABASE plant')
  await sql(target, 'CREATE TABLE plant.empty (v STRING, TAGS(a))')
  const refused = await restore()
  expect(refused.code, refused.stdout).toBe(7)
  expect(refused.stderr).toContain('cnosdb.plant.empty: column v is STRING on the target and DOUBLE in the backup')
  await sql(target, 'DROP TABLE plant.empty')
  await sql(target, 'CREATE TABLE plant.empty (v DOUBLE, TAGS(a))')
  const done = await restore('--schema-only')
  expect(done.code, done.stderr).toBe(0)
  expect(await sql(target, 'DESCRIBE TABLE plant.empty')).toContain('\nw,BIGINT,FIELD,')
})

it('users, roles, grants, members and options that were there stay as they are, and are named', async () => {
  await sql(target, "CREATE DATABASE plant WITH TTL '36600d' SHARD 3")
  await sql(target, 'CREATE TABLE plant.mine (v DOUBLE)')
  await sql(target, "CREATE USER anna WITH password = 'of the target'")
  await sql(target, 'CREATE ROLE reader INHERIT member')
  await sql(target, 'GRANT ALL ON DATABASE plant TO reader')
  await sql(target, 'ALTER TENANT cnosdb ADD USER anna AS member')
  const before = await Promise.all(STATE.map((query) => sql(target, query)))
  const done = await restore('--json')
  expect(done.code, done.stdout + done.stderr).toBe(0)
  expect(await Promise.all(STATE.map((query) => sql(target, query)))).toEqual(before)
  expect(await passwordOfAnna()).toBe('of the target')
  const last = done.stdout.trim().split('\n').at(-1) ?? ''
  const { notCarried } = JSON.parse(last) as { notCarried: readonly string[] }
  expect(notCarried.map((text) => text.split(':')[0])).toEqual([
    'user anna',
    'database plant of tenant cnosdb',
    'role reader of tenant cnosdb',
    'member anna of tenant cnosdb',
  ])
  expect(notCarried[1]).toContain('SHARD 1')

  const replaced = await restore('--on-conflict', 'replace', '--yes')
  expect(replaced.code, replaced.stdout + replaced.stderr).toBe(0)
  expect(replaced.stdout).not.toContain('not carried')
  expect(await passwordOfAnna()).toBe('in the backup')
  expect(await sql(target, STATE[0] as string)).toBe(await sql(source, STATE[0] as string))
  expect(await sql(target, STATE[1] as string)).toBe('user_name,role_name\nanna,reader\nroot,owner\n')
  expect(await sql(target, STATE[2] as string)).toContain('plant,Read,reader')
})

const STATE = [
  "SELECT ttl, shard FROM information_schema.databases WHERE database_name = 'plant'",
  'SELECT user_name, role_name FROM information_schema.members ORDER BY user_name',
  'SELECT database_name, privilege_type, role_name FROM information_schema.database_privileges ORDER BY role_name',
]

async function passwordOfAnna(): Promise<string | undefined> {
  for (const password of ['of the target', 'in the backup']) {
    const answer = await fetch(new URL('/api/v1/sql', target.url), {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`anna:${password}`)}` },
      body: 'SELECT 1 AS x',
    })
    await answer.text()
    if (answer.status === 200) return password
  }
  return undefined
}

it('rows older than the TTL that comes back are named', async () => {
  await sql(source, 'CREATE DATABASE past')
  await sql(source, 'CREATE TABLE past.air (v DOUBLE)')
  await sql(source, "INSERT INTO past.air (time, v) VALUES ('2024-01-01T00:00:00', 1)")
  await sql(source, "ALTER DATABASE past SET TTL '30d'")
  const args = ['export', '--src', `root:root@${source.address}`, '--include', 'cnosdb.past', ...at('past')]
  const exported = await run(programs.imexport, args)
  expect(exported.code, exported.stderr).toBe(0)
  const done = await run(programs.imexport, ['import', '--dst', `root:root@${target.address}`, ...at('past')])
  expect(done.code, done.stderr).toBe(0)
  expect(done.stdout).toContain(
    "not carried: rows older than TTL '30days' of database past of tenant cnosdb, in 1 units",
  )
})

it('a name that is in no backup is refused: --include, --rename; and so are two tables renamed into one', async () => {
  const wrong = [
    [['--include', 'cnosdb.plannt'], '--include cnosdb.plannt matches nothing in file://'],
    [['--rename', 'plannt=other'], '--rename plannt=other: nothing that is to be imported has this name'],
    [['--rename', 'plant.empty=plant.air'], '--rename makes one table cnosdb.plant.air of plant.'],
  ] as const
  for (const [flags, message] of wrong) {
    const refused = await restore(...flags)
    expect(refused.code, refused.stdout).toBe(2)
    expect(refused.stderr).toContain(message)
  }
  const nothing = await run(programs.imexport, [
    ...['export', '--src', `root:root@${source.address}`, '--include', 'cnosdb.plannt'],
    ...at('nothing'),
  ])
  expect(nothing.code, nothing.stdout).toBe(2)
  expect(nothing.stderr).toContain(`--include cnosdb.plannt matches nothing in ${source.address}`)
})

it('a table renamed into a database that is not there gets one like its own', async () => {
  const done = await restore('--include', 'cnosdb.plant.air', '--rename', 'plant.air=other.air')
  expect(done.code, done.stdout + done.stderr).toBe(0)
  expect(await sql(target, 'SELECT count(*) AS n FROM other.air')).toBe('n\n3\n')
})
