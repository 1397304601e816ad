import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openEngine } from '../../src/engine/duckdb.ts'
import { engineOptions } from './engine-fixture.ts'

let directory: string
let data: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cnosdb-data-'))
  data = join(directory, 'data')
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const open = () => openEngine(engineOptions(directory))
const refusal = (message: RegExp) => ({
  errorName: 'DATA_DIRECTORY',
  message: expect.stringMatching(message),
  hint: expect.stringMatching(/another data directory/),
})

it('makes the directory, says which format it has, and opens it again', async () => {
  const engine = await open()
  await engine.run('CREATE TABLE kept AS SELECT 42 AS answer')
  await engine.close()
  expect(JSON.parse(await readFile(join(data, 'format.json'), 'utf8'))).toEqual({ format: 'cnosdb-lite', version: 1 })
  const again = await open()
  expect(await again.all('SELECT answer FROM kept')).toEqual([{ answer: 42 }])
  await again.close()
})

it('makes a directory that was there before private, and leaves the permissions of a data directory alone', async () => {
  await mkdir(data, { mode: 0o755 })
  await (await open()).close()
  expect((await stat(data)).mode & 0o777).toBe(0o700)
  await chmod(data, 0o750)
  await (await open()).close()
  expect((await stat(data)).mode & 0o777).toBe(0o750)
})

it('refuses a directory that this process has open, and takes it once it is closed', async () => {
  const engine = await open()
  await expect(open()).rejects.toMatchObject(refusal(/already open in this process/))
  expect(await engine.all('SELECT 1 AS one')).toEqual([{ one: 1 }])
  await engine.close()
  await (await open()).close()
})

it('refuses a directory that another process has open, and names that process', async () => {
  const holder = spawn(process.execPath, [
    '--import',
    'tsx',
    fileURLToPath(new URL('./hold-directory.ts', import.meta.url)),
    directory,
  ])
  await once(holder.stdout, 'data')
  await expect(open()).rejects.toMatchObject(refusal(new RegExp(`in use by another process \\(PID ${holder.pid}\\)`)))
  holder.kill('SIGKILL')
  await once(holder, 'exit')
  await (await open()).close()
})

it.each([
  ['a newer version', '{"format":"cnosdb-lite","version":2}', /newer version \(format 2/],
  ['another program', '{"format":"grafana","version":1}', /did not write/],
  ['nobody', 'not JSON', /did not write/],
])('refuses a directory written by %s, and leaves it as it is', async (_, text, message) => {
  await mkdir(data)
  await writeFile(join(data, 'format.json'), text)
  await expect(open()).rejects.toMatchObject(refusal(message))
  expect(await readdir(data)).toEqual(['format.json'])
  expect(await readFile(join(data, 'format.json'), 'utf8')).toBe(text)
})

it('refuses a database without format.json', async () => {
  await mkdir(data)
  await writeFile(join(data, 'cnosdb.duckdb'), 'something')
  await expect(open()).rejects.toMatchObject(refusal(/no format.json/))
  expect(await readdir(data)).toEqual(['cnosdb.duckdb'])
})

it('refuses a database file that is not one', async () => {
  await (await open()).close()
  await writeFile(join(data, 'cnosdb.duckdb'), 'not a database at all '.repeat(1000))
  await expect(open()).rejects.toMatchObject(refusal(/cannot be opened/))
})

it('refuses a path that cannot be a directory', async () => {
  await writeFile(data, 'a file')
  await expect(open()).rejects.toMatchObject(refusal(/cannot be used/))
})

it('removes what a killed process left behind, and nothing else', async () => {
  await (await open()).close()
  await mkdir(join(data, 'staging'), { recursive: true })
  await writeFile(join(data, 'staging', 'rows-9.parquet'), 'left')
  await writeFile(join(data, 'spill', 'duckdb_temp_storage_DEFAULT-0.tmp'), 'left')
  await writeFile(join(data, 'spill', 'mine.txt'), 'kept')
  await (await open()).close()
  expect(await readdir(join(data, 'staging'))).toEqual([])
  expect(await readdir(join(data, 'spill'))).toEqual(['mine.txt'])
  await chmod(data, 0o700)
})
