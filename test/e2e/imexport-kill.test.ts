import type { ChildProcess } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { dump, programs, type RunningServer, type RunOptions, run, sql, startServer } from './programs.ts'

/** Moments per verb and victim; `KILL_MOMENTS=50 npx vitest run test/e2e/imexport-kill.test.ts` for the whole matrix. */
const MOMENTS = Number(process.env.KILL_MOMENTS ?? '2')
/** The first of them: the matrix may be run in pieces. */
const FIRST = Number(process.env.KILL_FIRST ?? '0')
const SEEDS = Array.from({ length: MOMENTS }, (_, i) => FIRST + i)
const LONG = { timeout: 120_000 + MOMENTS * 30_000 }

const TABLES = ['t0', 't1', 't2']
const ROWS = 1500
const UNITS = 9

let folder: string
let source: RunningServer
let sourcePort: string
let target: RunningServer
let targetPort: string

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
  targetPort = await freePort()
  source = await on('source', sourcePort)
  target = await on('target', targetPort)
  for (const name of TABLES) {
    await sql(source, `CREATE TABLE ${name} (v DOUBLE, s STRING, TAGS(a))`)
    const rows = Array.from(
      { length: ROWS },
      (_, k) => `(${1_700_000_000_000_000_000 + k * 1e9}, 'a${k % 5}', ${k / 4}, 'x${k}')`,
    )
    await sql(source, `INSERT INTO ${name} (time, a, v, s) VALUES ${rows.join(', ')}`)
  }
})

afterAll(async () => {
  await source?.stop('SIGKILL')
  await target?.stop('SIGKILL')
  await rm(folder, { recursive: true, force: true })
})

const contentOf = async (server: RunningServer) =>
  (await Promise.all(TABLES.map((name) => sql(server, `SELECT * FROM ${name} ORDER BY time, a`)))).join('\n')

/** The target took everything; emptied for the next moment. */
async function expectEqualAndClear(): Promise<void> {
  expect(await contentOf(target)).toBe(await contentOf(source))
  expect(await dump(target)).toBe(await dump(source))
  for (const name of TABLES) await sql(target, `DROP TABLE ${name}`)
}

/** A whole number from 0 to `below`, the same for the same seed. */
const seeded = (seed: number, below: number) => (Math.imul(seed + 1, 2_654_435_761) >>> 0) % below

/** Options of `run` that act once, when the program has printed `lines` lines and `thenMs` more have passed. */
function atMoment(lines: number, thenMs: number, act: (program: ChildProcess) => void): RunOptions {
  let isSet = false
  return {
    cwd: folder,
    onLines(seen, program) {
      if (isSet || seen < lines) return
      isSet = true
      setTimeout(() => act(program), thenMs)
    },
  }
}

/** Any moment of a run that prints about `lines` events, from its `first` on; the 0th is its start. */
function seededMoment(seed: number, first: number, lines: number, act: (program: ChildProcess) => void): RunOptions {
  const line = first + seeded(seed, lines - first)
  return atMoment(line, line === 0 ? seeded(seed + 1000, 400) : seeded(seed + 1000, 40), act)
}

interface Event {
  readonly type: string
  readonly verb?: string
  readonly unit?: { readonly directory: string }
}

/** `verb directory` of the units that the progress events say were moved. */
function moved(stdout: string): string[] {
  let verb = ''
  const events = stdout.split('\n').filter((line) => /^\{.*\}$/.test(line))
  return events.flatMap((line) => {
    const event = JSON.parse(line) as Event
    if (event.type === 'planned') verb = event.verb ?? ''
    return event.type === 'unit-finished' ? [`${verb} ${event.unit?.directory}`] : []
  })
}

/** The arguments of one run; every moment has a place and a journal of its own. */
function argumentsOf(work: string) {
  const common = ['--path', join(folder, work), '--meta-dir', join(folder, `${work}-meta`), '--json', '--parallel', '1']
  const from = ['--src', `root:root@127.0.0.1:${sourcePort}`, '--rows-per-unit', '500']
  const into = ['--dst', `root:root@127.0.0.1:${targetPort}`]
  return {
    export: ['export', ...from, ...common],
    import: ['import', ...into, ...common],
    migrate: ['migrate', ...from, ...into, ...common],
  }
}

async function expectDone(args: readonly string[]) {
  const done = await run(programs.imexport, args, { cwd: folder })
  expect(done.code, done.stdout + done.stderr).toBe(0)
  return done
}

const EVENTS = { export: 4 + UNITS * 2, import: 6 + UNITS * 2, migrate: 10 + UNITS * 4 } as const

it.each(['export', 'import', 'migrate'] as const)(
  '%s, the tool killed at any moment: the same command ends it, no finished unit moves twice',
  LONG,
  async (verb) => {
    for (const seed of SEEDS) {
      const args = argumentsOf(`${verb}-${seed}`)
      if (verb === 'import') await expectDone(args.export)
      const moment = seededMoment(seed, 0, EVENTS[verb], (program) => program.kill('SIGKILL'))
      const killed = await run(programs.imexport, args[verb], moment)
      if (killed.code === null) {
        const ended = await run(programs.imexport, args[verb], { cwd: folder })
        // Killed after all was done and the journal gone, before the result was printed: the place is as it should be.
        const isAlreadyDone = ended.code === 7 && moved(killed.stdout).length === EXPECTED_MOVES[verb]
        if (!isAlreadyDone) expect(ended.code, `seed ${seed}: ${ended.stdout}${ended.stderr}`).toBe(0)
        // A unit whose end was reported was recorded before: it is not moved again.
        const again = new Set(moved(ended.stdout))
        expect(moved(killed.stdout).filter((unit) => again.has(unit))).toEqual([])
      } else expect(killed.code, `seed ${seed}: ${killed.stdout}${killed.stderr}`).toBe(0)
      if (verb === 'export') await expectDone(args.import)
      await expectEqualAndClear()
    }
  },
)

const EXPECTED_MOVES = { export: UNITS, import: UNITS, migrate: UNITS * 2 } as const

async function restartSource(): Promise<void> {
  await source.stop('SIGKILL')
  source = await on('source', sourcePort)
}

async function restartTarget(): Promise<void> {
  await target.stop('SIGKILL')
  target = await on('target', targetPort)
}

/**
 * Kills a server while the tool works. With an even seed it is started again at once, as by a supervisor: the tool
 * waits and goes on. With an odd one it stays away until the tool has given up: the same command ends it.
 */
async function expectSurvival(
  seed: number,
  args: readonly string[],
  lines: number,
  restart: () => Promise<void>,
  victim: () => RunningServer,
) {
  const isBackAtOnce = seed % 2 === 0
  let back: Promise<void> | undefined
  // Once anything is printed the servers have answered: a tool that never reached one gives up sooner.
  const moment = seededMoment(seed, 1, lines, (program) => {
    if (program.exitCode !== null) return
    if (isBackAtOnce) back = restart()
    else victim().child.kill('SIGKILL')
  })
  const first = await run(programs.imexport, [...args, '--wait', isBackAtOnce ? '60' : '1'], moment)
  await (back ?? (victim().child.killed ? restart() : undefined))
  if (isBackAtOnce || first.code === 0) expect(first.code, `seed ${seed}: ${first.stdout}${first.stderr}`).toBe(0)
  else {
    expect([3, 6], `seed ${seed}: ${first.stdout}${first.stderr}`).toContain(first.code)
    await expectDone(args)
  }
}

it(
  'import, the target killed at any moment and started again: the tool goes on, or the same command does',
  LONG,
  async () => {
    await expectDone(argumentsOf('backup').export)
    for (const seed of SEEDS) {
      const args = [...argumentsOf('backup').import, '--meta-dir', join(folder, `target-${seed}`)]
      await expectSurvival(seed, args, EVENTS.import, restartTarget, () => target)
      await expectEqualAndClear()
    }
  },
)

it(
  'export, the source killed at any moment and started again: the tool goes on, or the same command does',
  LONG,
  async () => {
    for (const seed of SEEDS) {
      const args = argumentsOf(`source-${seed}`).export
      await expectSurvival(seed, args, EVENTS.export, restartSource, () => source)
      const text = await readFile(join(folder, `source-${seed}`, 'manifest.json'), 'utf8')
      const manifest = JSON.parse(text.split('\n').slice(0, -2).join('\n')) as { units: { rows: string }[] }
      expect(manifest.units.reduce((sum, unit) => sum + Number(unit.rows), 0)).toBe(ROWS * TABLES.length)
      await expectDone(['verify', '--path', join(folder, `source-${seed}`)])
    }
  },
)

it(
  'migrate, a server killed at any moment and started again: the tool goes on, or the same command does',
  LONG,
  async () => {
    for (const seed of SEEDS) {
      const args = argumentsOf(`servers-${seed}`).migrate
      if (seed % 4 < 2) await expectSurvival(seed, args, EVENTS.migrate, restartSource, () => source)
      else await expectSurvival(seed, args, EVENTS.migrate, restartTarget, () => target)
      await expectEqualAndClear()
    }
  },
)
