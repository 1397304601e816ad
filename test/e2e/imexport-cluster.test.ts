import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { fingerprints, generateCluster } from './generated-cluster.ts'
import { dump, programs, type RunningServer, run, startServer } from './programs.ts'

const TABLES = 100
/** Half a minute on a quiet machine. */
const LONG = { timeout: 600_000 }

let folder: string
let source: RunningServer
let target: RunningServer

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'imexport-cluster-'))
  source = await startServer(join(folder, 'source'))
  target = await startServer(join(folder, 'target'))
  await generateCluster(source, folder, 20_240_131, TABLES)
}, LONG.timeout)

afterAll(async () => {
  await source?.stop('SIGKILL')
  await target?.stop('SIGKILL')
  await rm(folder, { recursive: true, force: true })
})

const imexport = async (...args: string[]) => {
  const done = await run(programs.imexport, [...args, '--path', join(folder, 'backup')], { cwd: folder })
  expect(done.code, done.stdout + done.stderr).toBe(0)
  return done.stdout
}

it(
  'a cluster of a hundred tables and three million flights comes back equal: metadata and every row',
  LONG,
  async () => {
    await imexport('export', '--src', `root:root@${source.address}`, '--rows-per-unit', '1000000')
    await imexport('verify')
    await imexport('import', '--dst', `root:root@${target.address}`)
    expect(await dump(target)).toBe(await dump(source))
    const before = await fingerprints(source)
    expect(before).toHaveLength(TABLES + 2)
    expect(before).toContainEqual(expect.stringMatching(/^cnosdb public flights 2992108,[0-9a-f]{64}$/))
    expect(before.filter((line) => / 0,$/.test(line)).length).toBeGreaterThanOrEqual(TABLES / 5)
    expect(await fingerprints(target)).toEqual(before)
  },
)
