import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { programs, type RunningServer, run, sql, startServer } from './programs.ts'

let folder: string
let source: RunningServer

/** The first and last rows are the ends of what the precision holds; the others lie centuries apart. */
const TIMES: Readonly<Record<string, readonly string[]>> = {
  ns: ['-9223286400000000000', '0', '1700000000000000000', '1700086400000000000', '9223372036854775806'],
  us: ['-9223372022400000000', '-62135596800000001', '0', '1700000000000000', '1700000000000000000'],
  ms: ['-9223372022400000', '-62135596800001', '0', '1700000000000', '1700000000000000', '9223372036854775'],
}
const LAST_US = '9223372036854775806'

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'imexport-times-'))
  source = await startServer(join(folder, 'source'))
  for (const [precision, ticks] of Object.entries(TIMES)) {
    await sql(source, `CREATE DATABASE ${precision} WITH PRECISION '${precision}'`)
    await sql(source, `CREATE TABLE ${precision}.t (v BIGINT, TAGS(a))`)
    const all = precision === 'us' ? [...ticks, LAST_US] : ticks
    const rows = all.map((tick, i) => `(${tick}, 'a${i}', ${i})`)
    await sql(source, `INSERT INTO ${precision}.t (time, a, v) VALUES ${rows.join(', ')}`)
  }
})

afterAll(async () => {
  await source?.stop('SIGKILL')
  await rm(folder, { recursive: true, force: true })
})

const contentOf = async (server: RunningServer) =>
  (await Promise.all(Object.keys(TIMES).map((db) => sql(server, `SELECT * FROM ${db}.t ORDER BY v`)))).join('\n')

const imexport = (args: readonly string[], place: string) =>
  run(programs.imexport, [...args, '--path', join(folder, place), '--meta-dir', join(folder, `${place}-meta`)])

it.each([[[]], [['--window', '1d']], [['--rows-per-unit', '1']]])(
  'rows at the ends of time and centuries apart come back, all of them, with %s',
  async (options) => {
    const place = `all-${options.join('')}`
    const exported = await imexport(['export', '--src', `root:root@${source.address}`, ...options], place)
    expect(exported.code, exported.stderr + exported.stdout).toBe(0)
    const target = await startServer(join(folder, `${place}-target`))
    try {
      const imported = await imexport(['import', '--dst', `root:root@${target.address}`], place)
      expect(imported.code, imported.stderr + imported.stdout).toBe(0)
      expect(await contentOf(target)).toBe(await contentOf(source))
    } finally {
      await target.stop('SIGKILL')
    }
  },
)

it('takes rows beyond the year 9999 by --from, and names those that a format of text could not give back', async () => {
  const args = ['export', '--src', `root:root@${source.address}`, '--include', 'cnosdb.ms', '--from', '2100-01-01']
  const exported = await imexport(args, 'far')
  expect(exported.code, exported.stderr).toBe(0)
  expect(exported.stdout).toContain(' 2 rows')
  for (const format of ['csv', 'json']) {
    const refused = await imexport([...args, '--format', format], `far-${format}`)
    expect(refused.code).toBe(3)
    expect(refused.stdout).toContain('cnosdb.ms.t: a row has the time 55840-')
  }
})
