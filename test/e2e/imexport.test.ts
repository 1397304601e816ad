import { appendFile, cp, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dump, programs, type RunningServer, run, sql, startServer } from './programs.ts'

let folder: string
let source: RunningServer
const targets: RunningServer[] = []

const imexport = (...args: string[]) => run(programs.imexport, args, { cwd: folder })

async function freshTarget(): Promise<RunningServer> {
  const server = await startServer(await mkdtemp(join(folder, 'target-')))
  targets.push(server)
  return server
}

/** Every kind of object, every type, odd names, absent tags, empty tables. */
async function fill(server: RunningServer): Promise<void> {
  const cnosdb = { db: 'public' }
  const acme = { tenant: 'acme', db: 'plant "one"' }
  await sql(server, `CREATE TENANT acme WITH comment = 'it''s a test', drop_after = '7d'`)
  await sql(server, `CREATE USER anna WITH password = 'secret-of-anna', comment = 'ops; and "more"'`)
  await sql(
    server,
    `CREATE USER "bob smith" WITH hash_password = '$2b$12$abcdefghijklmnopqrstuuY6hC9X1Zbyz0Qm5rjLzv8T1pZ9XyQy6', granted_admin = true`,
  )
  await sql(server, `CREATE DATABASE "plant ""one""" WITH TTL '36500d' SHARD 2 PRECISION 'ms'`, acme)
  await sql(server, `CREATE DATABASE empty`, acme)
  await sql(server, `CREATE ROLE lead INHERIT member`, acme)
  await sql(server, `CREATE ROLE reader`, acme)
  await sql(server, `GRANT READ ON DATABASE "plant ""one""" TO reader`, acme)
  await sql(server, `ALTER TENANT acme ADD USER anna AS reader`, acme)
  await sql(server, `CREATE TABLE "Ünïcode tab/le".x (a BIGINT)`, acme).catch(() => undefined)
  await sql(
    server,
    `CREATE TABLE kinds (d DOUBLE CODEC(GORILLA), i BIGINT, u BIGINT UNSIGNED CODEC(DELTA), b BOOLEAN, s STRING CODEC(GZIP), g GEOMETRY(POINT, 0), TAGS(t1, "Tag two"))`,
    acme,
  )
  await sql(
    server,
    `INSERT INTO kinds (time, t1, "Tag two", d, i, u, b, s, g) VALUES
      ('2024-01-01T00:00:00.001', 'a', 'x', 1.5, -9223372036854775808, 18446744073709551615, true, 'plain', 'POINT(1 2)'),
      ('2024-01-01T00:00:00.002', NULL, '', 0.1, 9223372036854775807, 0, false, '', NULL),
      ('2024-01-01T00:00:00.002', '', NULL, NULL, 1, NULL, NULL, 'quote " comma, newline
 end', NULL),
      ('1970-01-01T00:00:00', 'é漢', 'x', -0.5, NULL, 1, NULL, NULL, NULL)`,
    acme,
  )
  await sql(server, `CREATE TABLE nothing (v DOUBLE, TAGS(t))`, acme)
  await sql(server, 'CREATE TABLE air (temperature DOUBLE, visibility BIGINT, TAGS(station))', cnosdb)
  const rows = Array.from(
    { length: 5000 },
    (_, i) => `(${1_700_000_000_000_000_000n + BigInt(i) * 60_000_000_000n}, 's${i % 7}', ${i / 8}, ${i})`,
  )
  await sql(server, `INSERT INTO air (time, station, temperature, visibility) VALUES ${rows.join(', ')}`, cnosdb)
  await sql(
    server,
    `CREATE STREAM TABLE air_stream (time TIMESTAMP, station STRING, temperature DOUBLE) WITH (db = 'public', table = 'air', event_time_column = 'time') ENGINE = tskv`,
    cnosdb,
  )
}

const QUERIES: readonly { readonly sql: string; readonly tenant?: string; readonly db: string }[] = [
  { sql: 'SELECT * FROM air ORDER BY time, station', db: 'public' },
  { sql: 'SELECT * FROM kinds ORDER BY time, t1, "Tag two"', tenant: 'acme', db: 'plant "one"' },
  { sql: 'SELECT count(t1) AS a, count("Tag two") AS b, count(*) AS n FROM kinds', tenant: 'acme', db: 'plant "one"' },
]

async function contentOf(server: RunningServer): Promise<string[]> {
  return Promise.all(QUERIES.map(({ sql: text, ...scope }) => sql(server, text, scope)))
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'imexport-'))
  source = await startServer(join(folder, 'source'))
  await fill(source)
})

afterAll(async () => {
  await Promise.all([source, ...targets].map((server) => server?.stop('SIGKILL')))
  await rm(folder, { recursive: true, force: true })
})

describe('a whole cluster', () => {
  it.each(['parquet', 'csv', 'json'])('goes out as %s and comes back equal: metadata and rows', async (format) => {
    const path = join(folder, `backup-${format}`)
    const exported = await imexport(
      'export',
      '--src',
      `root:root@${source.address}`,
      '--path',
      path,
      '--format',
      format,
      '--rows-per-unit',
      '1000',
    )
    expect(exported.code, exported.stderr + exported.stdout).toBe(0)
    expect(exported.stdout).toContain('export complete')
    const target = await freshTarget()
    const imported = await imexport('import', '--dst', `root:root@${target.address}`, '--path', path)
    expect(imported.code, imported.stderr + imported.stdout).toBe(0)
    expect(await contentOf(target)).toEqual(await contentOf(source))
    expect(await dump(target)).toBe(await dump(source))
  })

  it('keeps the password of a user', async () => {
    const target = targets[0] as RunningServer
    const answer = await fetch(new URL('/api/v1/sql?tenant=acme', target.url), {
      method: 'POST',
      headers: { authorization: `Basic ${btoa('anna:secret-of-anna')}` },
      body: 'SELECT 1 AS x',
    })
    expect(answer.status, await answer.text()).toBe(200)
  })

  it('writes the metadata files for their owner only, and no secret to the output', async () => {
    for (const name of ['meta_data.src', 'schema_data.src'])
      expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600)
    expect(await readFile(join(folder, 'meta_data.src'), 'utf8')).toMatch(/^-- cnosdb-imexport format 1\n/)
  })

  it('migrates, with the stray -- of old documentation', async () => {
    const target = await freshTarget()
    const done = await imexport(
      '--',
      'migrate',
      '--src',
      `root:root@${source.address}`,
      '--dst',
      `root:root@${target.address}`,
      '--path',
      join(folder, 'staging'),
      '--json',
    )
    expect(done.code, done.stderr + done.stdout).toBe(0)
    const events = done.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(events.every((event) => event.v === 1)).toBe(true)
    expect(events.filter((event) => event.type === 'finished').map((event) => event.verb)).toEqual(['export', 'import'])
    expect(await contentOf(target)).toEqual(await contentOf(source))
  })
})

describe('conflicts', () => {
  it('fails by default, names the tables, and changes nothing', async () => {
    const target = targets[0] as RunningServer
    await sql(target, "INSERT INTO air (time, station, temperature) VALUES ('2030-01-01T00:00:00', 'mine', 1)", {
      db: 'public',
    })
    const before = await contentOf(target)
    const refused = await imexport(
      'import',
      '--dst',
      `root:root@${target.address}`,
      '--path',
      join(folder, 'backup-parquet'),
    )
    expect(refused.code).toBe(7)
    expect(refused.stderr).toContain('cnosdb.public.air already holds rows')
    expect(await contentOf(target)).toEqual(before)
  })

  it('refuses to export over a finished backup', async () => {
    const again = await imexport(
      'export',
      '--src',
      `root:root@${source.address}`,
      '--path',
      join(folder, 'backup-parquet'),
    )
    expect(again.code).toBe(7)
    expect(again.stderr).toContain('holds a finished backup')
  })
})

describe('a part of a cluster', () => {
  it('is chosen by name and time, and renamed on the way in', async () => {
    const path = join(folder, 'part')
    const exported = await imexport(
      'export',
      '--src',
      `root:root@${source.address}`,
      '--path',
      path,
      '--include',
      'cnosdb.public.a*',
      '--exclude',
      'acme',
      '--from',
      '2023-11-15',
      '--to',
      '2023-11-16',
      '--window',
      '6h',
    )
    expect(exported.code, exported.stderr + exported.stdout).toBe(0)
    const target = await freshTarget()
    const imported = await imexport(
      'import',
      '--dst',
      `root:root@${target.address}`,
      '--path',
      path,
      '--rename',
      'public.air=public.air_2023',
    )
    expect(imported.code, imported.stderr + imported.stdout).toBe(0)
    const where = "time >= '2023-11-15T00:00:00' AND time < '2023-11-16T00:00:00'"
    expect(await sql(target, 'SELECT * FROM air_2023 ORDER BY time', { db: 'public' })).toBe(
      await sql(source, `SELECT * FROM air WHERE ${where} ORDER BY time`, { db: 'public' }),
    )

    const into = ['--dst', `root:root@${target.address}`, '--path', path, '--rename', 'public.air=public.air_noon']
    const cut = await imexport('import', ...into, '--from', '2023-11-15T06:00:00', '--to', '2023-11-15T17:30:00')
    expect(cut.code, cut.stdout).toBe(2)
    expect(cut.stderr).toContain('--from and --to cut through 1 of 2 units of the backup')
    const noon = await imexport('import', ...into, '--from', '2023-11-15T06:00:00', '--to', '2023-11-15T18:00:00')
    expect(noon.code, noon.stderr + noon.stdout).toBe(0)
    const whereNoon = "time >= '2023-11-15T06:00:00' AND time < '2023-11-15T18:00:00'"
    expect(await sql(target, 'SELECT * FROM air_noon ORDER BY time', { db: 'public' })).toBe(
      await sql(source, `SELECT * FROM air WHERE ${whereNoon} ORDER BY time`, { db: 'public' }),
    )
  })

  it('is replaced in a range of time, and nothing beside it', async () => {
    const target = targets.at(-1) as RunningServer
    const scope = { db: 'public' }
    for (const hour of ['05', '07', '19'])
      await sql(
        target,
        `INSERT INTO air_noon (time, station, temperature) VALUES ('2023-11-15T${hour}:00:00', 'mine', 1)`,
        scope,
      )
    const replaced = await imexport(
      'import',
      '--dst',
      `root:root@${target.address}`,
      '--path',
      join(folder, 'part'),
      '--rename',
      'public.air=public.air_noon',
      '--from',
      '2023-11-15T06:00:00',
      '--to',
      '2023-11-15T18:00:00',
      '--on-conflict',
      'replace',
      '--yes',
    )
    expect(replaced.code, replaced.stderr + replaced.stdout).toBe(0)
    const mine = await sql(target, "SELECT time FROM air_noon WHERE station = 'mine' ORDER BY time", scope)
    expect(mine).toBe('time\n2023-11-15T05:00:00.000000000\n2023-11-15T19:00:00.000000000\n')
  })
})

describe('damage', () => {
  async function copyOfBackup(name: string): Promise<string> {
    const path = join(folder, name)
    await cp(join(folder, 'backup-parquet'), path, { recursive: true })
    return path
  }

  const dataFiles = async (path: string) =>
    (await readdir(path, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile() && entry.name.startsWith('queryId'))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()

  const damages: Readonly<Record<string, (path: string) => Promise<void>>> = {
    'one flipped byte': async (path) => {
      const [file = ''] = await dataFiles(path)
      const bytes = await readFile(file)
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1
      await writeFile(file, bytes)
    },
    'a missing file': async (path) => rm((await dataFiles(path))[0] ?? ''),
    'a file too many': async (path) => writeFile(`${(await dataFiles(path))[0]}-copy`, 'x'),
    'two windows swapped': async (path) => {
      const [a = '', b = ''] = await dataFiles(path)
      const [first, second] = [await readFile(a), await readFile(b)]
      await writeFile(a, second)
      await writeFile(b, first)
    },
    'a manifest cut short': async (path) => truncate(join(path, 'manifest.json'), 200),
    'a manifest edited': async (path) => {
      const file = join(path, 'manifest.json')
      await writeFile(file, (await readFile(file, 'utf8')).replace('"rows": "', '"rows": "1'))
    },
    'metadata changed': async (path) => appendFile(join(path, 'meta_data.src'), 'drop database "public";\n'),
  }

  it.each(Object.keys(damages))(
    '%s is found by verify, and import refuses before touching the target',
    async (name) => {
      const path = await copyOfBackup(`damaged-${name.replaceAll(' ', '-')}`)
      expect((await imexport('verify', '--path', path)).code).toBe(0)
      await damages[name]?.(path)
      const verified = await imexport('verify', '--path', path)
      expect(verified.code, verified.stdout).toBe(7)
      const target = targets.at(-1) as RunningServer
      const before = await dump(target)
      const refused = await imexport('import', '--dst', `root:root@${target.address}`, '--path', path)
      expect(refused.code, refused.stderr).toBe(7)
      expect(await dump(target)).toBe(before)
    },
  )
})

describe('what goes wrong', () => {
  it('says so, with the exit code of its kind and no password', async () => {
    const wrong = await imexport('export', '--src', `root:hunter2@${source.address}`, '--path', join(folder, 'w'))
    expect(wrong.code).toBe(4)
    expect(wrong.stderr + wrong.stdout).not.toContain('hunter2')
    const nobody = await imexport('export', '--src', 'root:root@127.0.0.1:1', '--path', join(folder, 'w'))
    expect(nobody.code).toBe(6)
    const flags = await imexport('export', '--path', join(folder, 'w'))
    expect(flags.code).toBe(2)
    const none = await imexport(
      'import',
      '--dst',
      `root:root@${source.address}`,
      '--path',
      join(folder, 'no-backup'),
      '--meta-dir',
      join(folder, 'no-backup'),
    )
    expect(none.code).toBe(7)
  })
})
