import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type ReferenceServer, startReferenceServer } from '../fakes/reference-server.ts'
import { dump, programs, type RunningServer, run, sql, startServer } from './programs.ts'

let folder: string
let backends: RunningServer[]
let source: ReferenceServer
let target: ReferenceServer

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reference-'))
  backends = [
    await startServer(join(folder, 'a')),
    await startServer(join(folder, 'b')),
    await startServer(join(folder, 'c')),
  ]
  source = await startReferenceServer(backends[0] as RunningServer)
  target = await startReferenceServer(backends[1] as RunningServer)
  const server = backends[0] as RunningServer
  await sql(server, "CREATE TENANT acme WITH comment = 'x', object_config max_databases = 3 max_users_number = 2")
  await sql(server, "CREATE USER anna WITH password = 'pw'")
  await sql(server, "CREATE DATABASE d WITH TTL '36500d'", { tenant: 'acme' })
  await sql(server, 'CREATE TABLE places (at GEOMETRY(POINT, 0), v DOUBLE, TAGS(name))', { tenant: 'acme', db: 'd' })
  await sql(
    server,
    "INSERT INTO places (time, name, at, v) VALUES ('2024-01-01T00:00:00', 'home', 'POINT(1 2)', 1), ('2024-01-02T00:00:00', NULL, NULL, 2)",
    {
      tenant: 'acme',
      db: 'd',
    },
  )
})

afterAll(async () => {
  await source?.close()
  await target?.close()
  await Promise.all((backends ?? []).map((server) => server.stop('SIGKILL')))
  await rm(folder, { recursive: true, force: true })
})

const imexport = (...args: string[]) => run(programs.imexport, args, { cwd: folder })

it('moves a cluster that behaves as CnosDB 2.4.3 to another, with nothing refused', async () => {
  const path = join(folder, 'backup')
  const exported = await imexport('export', '--src', `root:root@${source.address}`, '--path', path)
  expect(exported.code, exported.stderr + exported.stdout).toBe(0)
  const names = (await readdir(path, { recursive: true })).filter((name) => /queryId-/.test(name))
  expect(names.length).toBeGreaterThan(0)
  expect(names.some((name) => name.endsWith('.parquet'))).toBe(false)
  const imported = await imexport('import', '--dst', `root:root@${target.address}`, '--path', path)
  expect(imported.code, imported.stderr + imported.stdout).toBe(0)
  expect([...source.refusals, ...target.refusals]).toEqual([])
  expect(await dump(backends[1] as RunningServer)).toBe(await dump(backends[0] as RunningServer))
  const all = { tenant: 'acme', db: 'd' }
  const query = 'SELECT * FROM places ORDER BY time'
  expect(await sql(backends[1] as RunningServer, query, all)).toBe(await sql(backends[0] as RunningServer, query, all))
})

it('imports a backup of the old tool: two .src files and a folder per table, no manifest', async () => {
  const old = join(folder, 'old')
  await mkdir(old)
  await sql(
    backends[0] as RunningServer,
    `COPY INTO 'file://${old}/data/acme_d_places/' FROM places FILE_FORMAT = (TYPE = 'PARQUET')`,
    { tenant: 'acme', db: 'd' },
  )
  for (const name of await readdir(join(old, 'data/acme_d_places'))) {
    await rename(join(old, 'data/acme_d_places', name), join(old, 'data/acme_d_places', name.replace('.parquet', '')))
  }
  await writeFile(
    join(old, 'meta_data.src'),
    `-- Dump Global Object\ncreate tenant if not exists "acme" with comment='x', _limiter='{"object_config":{"max_users_number":2,"max_databases":3,"max_shard_number":null,"max_replicate_number":null,"max_retention_time":null},"request_config":null}';\n-- Dump Tenant acme Object\n\\change_tenant acme\ncreate database if not exists "d" with precision 'NS' ttl '36500d' shard 1 replica 1 vnode_duration '1year';\n`,
  )
  await writeFile(
    join(old, 'schema_data.src'),
    `\\change_tenant acme\ncreate table "d"."places" ("at" GEOMETRY(POINT, 0), "v" DOUBLE, tags ("name"));\ncreate table "d"."without_rows" ("v" DOUBLE, tags ());\n`,
  )
  const into = backends[2] as RunningServer
  const imported = await imexport(
    'import',
    '--dst',
    `root:root@${into.address}`,
    '--path',
    join(old, 'data'),
    '--meta-dir',
    old,
  )
  expect(imported.code, imported.stderr + imported.stdout).toBe(0)
  expect(await sql(into, 'SELECT count(*) AS n FROM places', { tenant: 'acme', db: 'd' })).toBe('n\n2\n')
  expect(imported.stdout).toContain('not carried: rows of acme.d.without_rows: acme_d_without_rows/ holds no files')
  expect(await dump(into)).toContain('object_config max_users_number = 2 max_databases = 3')
})
