import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { programs, run, sql, startServer } from './programs.ts'

let folder: string
let names = 0
const fresh = () => join(folder, `data-${names++}`)
const serve = (...args: string[]) => run(programs.lite, ['serve', ...args], { cwd: folder, killAfterMs: 20_000 })

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cnosdb-serve-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function write(url: string, lines: string): Promise<number> {
  const headers = { authorization: `Basic ${btoa('root:root')}` }
  const answer = await fetch(`${url}/api/v1/write`, { method: 'POST', headers, body: lines })
  return answer.status
}

describe('cnosdb-lite', () => {
  it('helps and tells its version without the engine', async () => {
    const help = await run(programs.lite, ['--help'], { cwd: folder })
    expect([help.code, help.stderr]).toEqual([0, ''])
    expect(help.stdout).toContain('cnosdb-lite serve --data-dir ./data')
    const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'))
    expect((await run(programs.lite, ['--version'])).stdout).toBe(`${version}\n`)
    for (const command of ['serve', 'sql']) {
      const { code, stdout } = await run(programs.lite, [command, '--help'])
      expect([code, stdout]).toEqual([0, expect.stringContaining('Examples:')])
    }
  })

  it.each([
    [[], 2],
    [['nothing'], 2],
    [['serve'], 2],
    [['serve', '--data-dir', 'x', '--listen', 'here'], 2],
    [['serve', '--data-dir', 'x', '--memory', 'much'], 2],
    [['serve', '--data-dir', 'x', '--log-level', 'loud'], 2],
    [['serve', '--data-dir', 'x', '--root-password-file', 'missing'], 2],
    [['sql', '--url', 'http://root:secret@127.0.0.1:1'], 2],
    [['sql', '-e', 'SELECT 1', '--data-dir', 'x', '--url', 'http://127.0.0.1:1'], 2],
    [['sql', '-e', 'SELECT 1', '--url', 'http://127.0.0.1:1'], 6],
  ])('refuses %j with exit code %d', async (args, code) => {
    const finished = await run(programs.lite, args, { cwd: folder, killAfterMs: 20_000 })
    expect(finished).toMatchObject({ code, stdout: '' })
    expect(finished.stderr).not.toBe('')
    expect(finished.stderr).not.toContain('secret')
    expect(finished.stderr).not.toMatch(/^\s+at /m)
  })
})

describe('serve', () => {
  it('prints one line, logs to stderr, and ends cleanly on SIGTERM and SIGINT', async () => {
    const dataDir = fresh()
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const child = spawn(process.execPath, [programs.lite, 'serve', '--data-dir', dataDir, '--listen', '127.0.0.1:0'])
      let stdout = ''
      let stderr = ''
      child.stdout.on('data', (chunk) => {
        stdout += chunk
      })
      child.stderr.on('data', (chunk) => {
        stderr += chunk
      })
      await once(child.stdout, 'data')
      child.kill(signal)
      const [code] = await once(child, 'close')
      expect(code).toBe(0)
      expect(stdout).toMatch(/^cnosdb-lite listening on http:\/\/127\.0\.0\.1:\d+\n$/)
      expect(stderr).toContain('"duckdbMemory"')
      for (const line of stderr.trim().split('\n')) JSON.parse(line)
    }
  })

  it('cancels what runs, within ten seconds; a second signal ends it at once', async () => {
    const slow = 'SELECT count(*) AS n FROM range(300000) AS a(x), range(300000) AS b(y) WHERE x * y % 7 = 3'
    const server = await startServer(fresh())
    const answer = sql(server, slow).catch((error: Error) => error.message)
    await delay(1_000)
    const startedMs = performance.now()
    expect(await server.stop()).toBe(0)
    expect(performance.now() - startedMs).toBeLessThan(10_000)
    expect(await answer).toMatch(/010015|fetch failed|other side closed/)

    const second = await startServer(fresh())
    const running = sql(second, slow).catch(() => undefined)
    await delay(1_000)
    second.child.kill('SIGINT')
    await delay(300)
    const secondStartedMs = performance.now()
    second.child.kill('SIGINT')
    await once(second.child, 'close')
    expect(performance.now() - secondStartedMs).toBeLessThan(1_500)
    await running
  })

  it('keeps what was acknowledged before kill -9', async () => {
    const dataDir = fresh()
    const large = (first: number, tag: string) =>
      Array.from({ length: 10_000 }, (_, i) => `large,t=${tag} f=${i} ${first + i}`).join('\n')
    for (let round = 0; round < 3; round += 1) {
      const server = await startServer(dataDir)
      for (let i = 0; i < 20; i += 1) expect(await write(server.url, `m,t=a f=${i} ${round * 100 + i + 1}`)).toBe(200)
      const clients = ['a', 'b', 'c'].map((tag) => write(server.url, large(round * 1e6, tag)))
      expect(await Promise.all(clients)).toEqual([200, 200, 200])
      await server.stop('SIGKILL')
    }
    const server = await startServer(dataDir)
    expect(await sql(server, 'SELECT count(*) AS n, sum(f) AS s FROM m')).toBe('n,s\n60,570.0\n')
    expect(await sql(server, 'SELECT count(*) AS n FROM large')).toBe('n\n90000\n')
    expect(await write(server.url, large(1e7, 'd'))).toBe(200)
    expect(await server.stop()).toBe(0)
  })

  it('ends when the database file cannot be written, and has everything acknowledged when it starts again', async () => {
    const dataDir = fresh()
    const limited = ['sh', '-c', 'trap "" XFSZ; ulimit -f 65536; exec "$@"', 'sh', process.execPath] as const
    const server = await startServer(dataDir, ['--memory', '128MiB'], {}, limited)
    const ended = once(server.child, 'close')
    const lines = (from: number) =>
      Array.from({ length: 256 }, (_, i) => `m v="${randomBytes(3000).toString('base64')}" ${from + i}`).join('\n')
    let stored = 0
    for (;;) {
      const status = await write(server.url, lines(stored + 1)).catch(() => 0)
      if (status !== 200) break
      stored += 256
    }
    expect((await ended)[0]).not.toBe(0)
    expect(server.stderr()).toContain('the database gave up')
    const again = await startServer(dataDir)
    const [, count] = (await sql(again, 'SELECT count(*) AS n FROM m')).split('\n')
    expect([stored, stored + 256]).toContain(Number(count))
    expect(await write(again.url, lines(stored + 1000))).toBe(200)
    await again.stop()
  })

  it('refuses a data directory in use, a file, and one it may not write; and changes nothing', async () => {
    const dataDir = fresh()
    const server = await startServer(dataDir)
    const inUse = await serve('--data-dir', dataDir, '--listen', '127.0.0.1:0')
    expect(inUse).toMatchObject({ code: 2, stdout: '' })
    expect(inUse.stderr).toMatch(/error 900003: .*in use/)
    expect(await sql(server, 'SELECT 1 AS a')).toBe('a\n1\n')
    await server.stop()
    const file = join(folder, 'file')
    await writeFile(file, 'not a directory')
    const notDirectory = await serve('--data-dir', file, '--listen', '127.0.0.1:0')
    expect(notDirectory).toMatchObject({ code: 2, stdout: '' })
    expect(notDirectory.stderr).toContain('error 900003')
    expect(await readFile(file, 'utf8')).toBe('not a directory')
  })

  it('refuses a port in use', async () => {
    const server = await startServer(fresh())
    const second = await serve('--data-dir', fresh(), '--listen', server.address)
    expect(second).toMatchObject({ code: 2, stdout: '' })
    expect(second.stderr).toContain('the port is in use')
    await server.stop()
  })

  it('refuses to listen beyond this machine while root has the initial password', async () => {
    const dataDir = fresh()
    const refused = await serve('--data-dir', dataDir, '--listen', '0.0.0.0:0')
    expect(refused).toMatchObject({ code: 2, stdout: '' })
    expect(refused.stderr).toContain('initial password')

    const insecure = await startAnywhere(dataDir, ['--insecure'])
    await insecure.end()
    const passwordFile = join(folder, 'password')
    await writeFile(passwordFile, 'much better\n')
    const secure = await startAnywhere(fresh(), ['--root-password-file', passwordFile])
    const login = { user: 'root', passwordFile }
    const asked = await run(programs.lite, [
      'sql',
      '--url',
      secure.url,
      '-u',
      login.user,
      '--password-file',
      login.passwordFile,
      '-e',
      'SELECT 1 AS a',
    ])
    expect(asked).toMatchObject({ code: 0, stdout: expect.stringContaining('| 1 |') })
    await secure.end()
  })
})

/** Serves on every address; resolves with the URL of this machine. */
async function startAnywhere(dataDir: string, args: readonly string[]) {
  const child = spawn(process.execPath, [
    programs.lite,
    'serve',
    '--data-dir',
    dataDir,
    '--listen',
    '0.0.0.0:0',
    ...args,
  ])
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  const port = /:(\d+)\n$/.exec(line.toString())?.[1]
  return {
    url: `http://127.0.0.1:${port}`,
    async end() {
      child.kill()
      await once(child, 'close')
    },
  }
}
