import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { dump, programs, type RunningServer, run, sql, startServer } from './programs.ts'

/** Moments per verb and victim; `KILL_MOMENTS=50 npx vitest run test/e2e/imexport-kill.test.ts` for the whole matrix. */
const MOMENTS = Number(process.env.KILL_MOMENTS ?? '2')

let folder: string
let source: RunningServer
let sourcePort: string

async function freePort(): Promise<string> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return String(port)
}

const on = (dataDir: string, port: string) => startServer(join(folder, dataDir), ['--listen', `127.0.0.1:${port}`])

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'imexport-kill-'))
  sourcePort = await freePort()
  source = await on('source', sourcePort)
  for (let i = 0; i < 4; i += 1) {
    await sql(source, `CREATE TABLE t${i} (v DOUBLE, s STRING, TAGS(a))`)
    const rows = Array.from(
      { length: 2000 },
      (_, k) => `(${1_700_000_000_000_000_000 + k * 1e9}, 'a${k % 5}', ${k / 4}, 'x${k}')`,
    )
    await sql(source, `INSERT INTO t${i} (time, a, v, s) VALUES ${rows.join(', ')}`)
  }
})

afterAll(async () => {
  await source?.stop('SIGKILL')
  await rm(folder, { recursive: true, force: true })
})

const contentOf = (server: RunningServer) =>
  Promise.all([0, 1, 2, 3].map((i) => sql(server, `SELECT * FROM t${i} ORDER BY time, a`))).then((parts) =>
    parts.join('\n'),
  )

/** A whole number from 0 to `below`, the same for the same seed. */
const seeded = (seed: number, below: number) => (Math.imul(seed + 1, 2_654_435_761) >>> 0) % below

/** Directories of units that the progress events say were moved. */
function moved(stdout: string): string[] {
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as { type: string; unit?: { directory: string } })
    .flatMap((event) => (event.type === 'unit-finished' && event.unit ? [event.unit.directory] : []))
}

it.each(['export', 'import', 'migrate'])(
  '%s, the tool killed at any moment: the same command ends it, no finished unit moves twice',
  { timeout: 1_800_000 },
  async (verb) => {
    for (let seed = 0; seed < MOMENTS; seed += 1) {
      const work = `${verb}-${seed}`
      const target = await on(`${work}-target`, await freePort())
      const path = join(folder, `${work}-backup`)
      const at = { cwd: folder }
      const from = [
        '--src',
        `root:root@127.0.0.1:${sourcePort}`,
        '--rows-per-unit',
        '500',
        '--include',
        'cnosdb.public.t*',
      ]
      const into = ['--dst', `root:root@${target.address}`]
      const common = ['--path', path, '--meta-dir', join(folder, `${work}-meta`), '--json', '--parallel', '1']
      if (verb === 'import') expect((await run(programs.imexport, ['export', ...from, ...common], at)).code).toBe(0)
      const args =
        verb === 'export'
          ? [verb, ...from, ...common]
          : verb === 'import'
            ? [verb, ...into, ...common]
            : [verb, ...from, ...into, ...common]
      const killed = await run(programs.imexport, args, { ...at, killAfterMs: 300 + seeded(seed, 1500) })
      const ended = await run(programs.imexport, args, at)
      expect(ended.code, ended.stdout + ended.stderr).toBe(0)
      // A unit whose end was reported was recorded before: it is not moved again by the same verb.
      const twice =
        verb === 'migrate' ? [] : moved(killed.stdout).filter((directory) => moved(ended.stdout).includes(directory))
      expect(twice).toEqual([])
      if (verb === 'export') expect((await run(programs.imexport, ['import', ...into, ...common], at)).code).toBe(0)
      expect(await contentOf(target)).toBe(await contentOf(source))
      await target.stop('SIGKILL')
    }
  },
)

it('import, the target killed at any moment and started again: the same command ends it', {
  timeout: 1_800_000,
}, async () => {
  const path = join(folder, 'backup')
  const common = ['--path', path, '--meta-dir', join(folder, 'meta'), '--parallel', '2', '--quiet']
  const exported = await run(
    programs.imexport,
    ['export', '--src', `root:root@127.0.0.1:${sourcePort}`, '--rows-per-unit', '500', ...common],
    { cwd: folder },
  )
  expect(exported.code, exported.stderr).toBe(0)
  for (let seed = 0; seed < MOMENTS; seed += 1) {
    const port = await freePort()
    let target = await on(`server-${seed}`, port)
    const args = ['import', '--dst', `root:root@127.0.0.1:${port}`, ...common]
    setTimeout(() => target.child.kill('SIGKILL'), 400 + seeded(seed + 77, 1500))
    const first = await run(programs.imexport, args, { cwd: folder })
    await target.stop('SIGKILL')
    target = await on(`server-${seed}`, port)
    if (first.code !== 0) {
      expect([3, 6]).toContain(first.code)
      const again = await run(programs.imexport, args, { cwd: folder })
      expect(again.code, again.stdout + again.stderr).toBe(0)
    }
    expect(await contentOf(target)).toBe(await contentOf(source))
    expect(await dump(target)).toBe(await dump(source))
    await target.stop('SIGKILL')
  }
})

it('export, the source killed and started again: the same command ends it', { timeout: 1_800_000 }, async () => {
  for (let seed = 0; seed < MOMENTS; seed += 1) {
    const path = join(folder, `source-${seed}`)
    const args = [
      'export',
      '--src',
      `root:root@127.0.0.1:${sourcePort}`,
      '--path',
      path,
      '--meta-dir',
      path,
      '--rows-per-unit',
      '500',
      '--quiet',
    ]
    setTimeout(() => source.child.kill('SIGKILL'), 400 + seeded(seed + 500, 1500))
    const first = await run(programs.imexport, args, { cwd: folder })
    await source.stop('SIGKILL')
    source = await on('source', sourcePort)
    if (first.code !== 0) {
      expect([3, 6]).toContain(first.code)
      const again = await run(programs.imexport, args, { cwd: folder })
      expect(again.code, again.stdout + again.stderr).toBe(0)
    }
    const manifest = JSON.parse(
      (await readFile(join(path, 'manifest.json'), 'utf8')).split('\n').slice(0, -2).join('\n'),
    ) as { units: { rows: string }[] }
    expect(manifest.units.reduce((sum, unit) => sum + Number(unit.rows), 0)).toBe(8000)
    expect((await run(programs.imexport, ['verify', '--path', path], { cwd: folder })).code).toBe(0)
  }
})
