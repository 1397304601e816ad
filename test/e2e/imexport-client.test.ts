import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type ReferenceServer, startReferenceServer } from '../fakes/reference-server.ts'
import { fingerprints } from './generated-cluster.ts'
import { dump, programs, type RunningServer, run, sql, startServer } from './programs.ts'

let folder: string
let source: RunningServer
const targets: RunningServer[] = []
const facades: ReferenceServer[] = []

async function freshTarget(): Promise<RunningServer> {
  const server = await startServer(join(folder, `target-${targets.length}`))
  targets.push(server)
  return server
}

/** A 2.4.3 that does not see the directories of this machine: COPY INTO is of no use there. */
async function facadeOf(server: RunningServer): Promise<ReferenceServer> {
  const facade = await startReferenceServer(server, { seesPlaces: false })
  facades.push(facade)
  return facade
}

/** Every column type at the ends of its range, NULL and '' apart, and characters that mean something on the way. */
async function fill(): Promise<void> {
  await sql(source, "CREATE DATABASE ms WITH PRECISION 'ms'")
  for (const db of ['public', 'ms']) {
    await sql(
      source,
      `CREATE TABLE kinds (d DOUBLE, "Int 64" BIGINT, u BIGINT UNSIGNED, b BOOLEAN, "s=1,2" STRING, g GEOMETRY(POINT, 0), TAGS(t, "Tag two"))`,
      { db },
    )
    await sql(
      source,
      `INSERT INTO kinds (time, t, "Tag two", d, "Int 64", u, b, "s=1,2", g) VALUES
      ('2024-01-01T00:00:00.001', 'a', 'x', 1.5, -9223372036854775808, 18446744073709551615, true, 'plain', 'POINT(1 2)'),
      ('2024-01-01T00:00:00.002', NULL, '', 0.1, 9223372036854775807, 0, false, '', NULL),
      ('2024-01-01T00:00:00.002', '', NULL, 5e-324, 1, NULL, NULL, 'quote " and '' comma, back\\slash \\" \\\\ newline
 end, tab	, # {"a":1}', NULL),
      ('2024-01-01T00:00:00.003', 'a b,c=d', 'tab	nbsp "quote" ''s', -0.0, NULL, 1, NULL, NULL, NULL),
      ('2024-01-01T00:00:00.003', '#1', '{"error_code": "000000"}', 1e300, NULL, 1, NULL, 'NULL', NULL),
      ('1969-12-31T23:59:59.999', 'é漢🛫', 'x', -1.7976931348623157e308, NULL, 1, NULL, '{"error_code": "1"}', NULL)`,
      { db },
    )
  }
  await sql(source, 'CREATE TABLE "with space, comma=x" (v DOUBLE, TAGS(a))')
  await sql(source, `INSERT INTO "with space, comma=x" (time, a, v) VALUES (-1, NULL, 1), (1, NULL, 2)`)
  await sql(source, 'CREATE TABLE nothing (v DOUBLE, TAGS(a))')
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'imexport-client-'))
  source = await startServer(join(folder, 'source'))
  await fill()
})

afterAll(async () => {
  await Promise.all(facades.map((facade) => facade.close()))
  await Promise.all([source, ...targets].map((server) => server?.stop('SIGKILL')))
  await rm(folder, { recursive: true, force: true })
})

const imexport = (verb: string, path: string, ...args: string[]) =>
  run(programs.imexport, [verb, '--path', join(folder, path), '--meta-dir', join(folder, path), ...args], {
    cwd: folder,
  })

async function expectPassage(place: string, from: { address: string }, into: { address: string }) {
  const [src, dst] = [`root:root@${from.address}`, `root:root@${into.address}`]
  const exported = await imexport('export', place, '--src', src, '--mode', 'client', '--rows-per-unit', '4')
  expect(exported.code, exported.stdout + exported.stderr).toBe(0)
  const files = await readdir(join(folder, place, 'data'), { recursive: true, withFileTypes: true })
  expect(new Set(files.filter((entry) => entry.isFile()).map(({ name }) => name))).toEqual(new Set(['rows.json']))
  expect((await imexport('verify', place)).code).toBe(0)
  const imported = await imexport('import', place, '--dst', dst, '--mode', 'client')
  expect(imported.code, imported.stdout + imported.stderr).toBe(0)
}

async function expectEqual(target: RunningServer) {
  expect(await fingerprints(target, ['cnosdb'])).toEqual(await fingerprints(source, ['cnosdb']))
  expect(await dump(target)).toBe(await dump(source))
}

it('every value passes through the tool', async () => {
  const target = await freshTarget()
  await expectPassage('through', source, target)
  await expectEqual(target)
})

it('every value passes through the tool from a CnosDB 2.4.3 to another, where COPY INTO cannot', async () => {
  const target = await freshTarget()
  const [from, into] = [await facadeOf(source), await facadeOf(target)]
  const copied = await imexport('export', 'copied', '--src', `root:root@${from.address}`)
  expect(copied.code).toBe(6)
  expect(copied.stderr).toContain('--mode client')
  const before = from.refusals.length
  await expectPassage('through-reference', from, into)
  expect(from.refusals.slice(before)).toEqual([])
  expect(into.refusals).toEqual([])
  await expectEqual(target)
})

it('refuses by name what JSON or line protocol cannot carry, and carries the rest', async () => {
  const db = { db: 'odd' }
  await sql(source, 'CREATE DATABASE odd')
  for (const name of ['fine', 'holds_nan', 'slashes', '"#comment"'])
    await sql(source, `CREATE TABLE ${name} (v DOUBLE, TAGS(a))`, db)
  await sql(source, "INSERT INTO fine (time, a, v) VALUES (1, 'x', 1)", db)
  await sql(source, `INSERT INTO "#comment" (time, a, v) VALUES (1, 'x', 1)`, db)
  await sql(source, "INSERT INTO holds_nan (time, a, v) VALUES (1, 'x', 1), (2, 'x', sqrt(-1))", db)
  await sql(source, "INSERT INTO slashes (time, a, v) VALUES (1, 'x', 1), (2, 'back\\slash', 2)", db)
  const flags = ['--mode', 'client', '--include', 'cnosdb.odd']
  const exported = await imexport('export', 'odd', '--src', `root:root@${source.address}`, ...flags)
  expect(exported.code, exported.stdout + exported.stderr).toBe(3)
  expect(exported.stdout).toContain('cnosdb.odd.holds_nan: column v holds NaN or infinity, which JSON cannot carry')
  expect(exported.stdout).toContain('export INCOMPLETE: 1 failed')

  await rm(join(folder, 'odd'), { recursive: true })
  const rest = [...flags, '--exclude', 'cnosdb.odd.holds_nan']
  expect((await imexport('export', 'odd', '--src', `root:root@${source.address}`, ...rest)).code).toBe(0)
  const target = await freshTarget()
  const imported = await imexport('import', 'odd', '--dst', `root:root@${target.address}`, '--mode', 'client')
  expect(imported.code, imported.stdout + imported.stderr).toBe(3)
  expect(imported.stdout).toContain('cnosdb.odd.slashes: tag a holds a backslash or line end')
  expect(imported.stdout).toContain('cnosdb.odd.#comment: line protocol cannot say the name "#comment"')
  expect(imported.stdout).toContain('import INCOMPLETE: 2 failed')
  expect(await sql(target, 'SELECT * FROM fine', db)).toBe(await sql(source, 'SELECT * FROM fine', db))
})

it('writes no other format than JSON, and says so', async () => {
  const flags = ['--src', `root:root@${source.address}`, '--mode', 'client', '--format', 'csv']
  const refused = await imexport('export', 'csv', ...flags)
  expect(refused.code).toBe(2)
  expect(refused.stderr).toContain('--mode client cannot write csv')
})
