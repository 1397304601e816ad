import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { shellBlocks } from './shell-blocks.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
let folder: string
let bin: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cnosdb-docs-'))
  bin = join(folder, 'bin')
  mkdirSync(bin)
  for (const program of ['cnosdb-lite', 'cnosdb-imexport']) {
    const file = join(bin, program)
    const run = `exec "${process.execPath}" "${join(root, 'bin', `${program}.cjs`)}"`
    // The pages rely on the default port; the tests run on another.
    const onFreePort = 'case "$1 $*" in "sql "*--url*) ;; "sql "*) set -- "$@" --url "$DEFAULT_URL" ;; esac'
    writeFileSync(file, `#!/bin/sh\n${program === 'cnosdb-lite' ? onFreePort : ''}\n${run} "$@"\n`)
    chmodSync(file, 0o755)
  }
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** Runs a page's commands in order in one shell, on free ports and below a temporary folder, and ends its servers. */
async function runPage(name: string, before = ''): Promise<{ status: number | null; output: string }> {
  const work = mkdtempSync(join(folder, 'page-'))
  let script = [before, ...shellBlocks(readFileSync(join(root, name), 'utf8'))].join('\n')
  const ports = new Map<string, string>()
  for (const port of ['8902', '8903', '8904']) ports.set(port, String(await freePort()))
  for (const [port, free] of ports) script = script.replaceAll(port, free)
  script = script.replaceAll('/backup', `${work}/backup`).replaceAll('/tmp/', `${work}/`)
  const { status, stdout, stderr } = spawnSync(
    'bash',
    ['-euo', 'pipefail', '-c', `trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT\n${script}`],
    {
      cwd: work,
      env: { ...process.env, PATH: `${bin}:${process.env.PATH}`, DEFAULT_URL: `http://127.0.0.1:${ports.get('8902')}` },
      encoding: 'utf8',
      timeout: 110_000,
    },
  )
  return { status, output: `${stdout}\n${stderr}` }
}

it('README: the five minutes work as printed', { timeout: 120_000 }, async () => {
  const { status, output } = await runPage('README.md')
  expect(status, output).toBe(0)
  expect(output).toContain('export complete: every unit was counted and agrees')
  expect(output).toContain('whole: ')
  expect(output.match(/\|\s+2\s+\|/g)?.length, output).toBeGreaterThanOrEqual(2)
})

const SERVERS = `
mkdir -p /backup
for port in 8902 8903 8904; do
  cnosdb-lite serve --data-dir ./data-$port --listen 127.0.0.1:$port &
  until curl -sf http://127.0.0.1:$port/api/v1/ping; do sleep 0.2; done
done
cnosdb-lite sql --url http://127.0.0.1:8902 -e 'CREATE TABLE air (temperature DOUBLE, TAGS(station))'
cnosdb-lite sql --url http://127.0.0.1:8902 -e "INSERT INTO air (time, station, temperature) VALUES ('2024-01-01T00:00:00', 'Oslo', -3.5)"
`

it('docs/imexport.md: the runbook works as printed', { timeout: 120_000 }, async () => {
  const { status, output } = await runPage('docs/imexport.md', SERVERS)
  expect(status, output).toBe(0)
})
