import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { append } from '../../src/engine/append.ts'
import { openEngine } from '../../src/engine/duckdb.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { createTableSql, tableReference } from '../../src/engine/table.ts'
import { CRASH_KEYS, CRASH_TABLE, generationSource } from './crash-table.ts'
import { engineOptions } from './engine-fixture.ts'

const program = fileURLToPath(new URL('./append-forever.ts', import.meta.url))
const killedProgram = fileURLToPath(new URL('./append-parts-killed.ts', import.meta.url))
const SLICE_ROWS = 2_500
const NEVER = 1000

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cnosdb-crash-'))
  const engine = await openEngine(engineOptions(directory))
  await engine.run(createTableSql(CRASH_TABLE))
  await engine.close()
})
afterEach(() => rm(directory, { recursive: true, force: true }))

interface Crash {
  readonly sliceRows: number
  readonly first: number
  readonly killAtPercent?: number
  readonly killAfterMs?: number
}

/** Runs the appending process until it dies; resolves with the last generation it told of. */
async function appendUntilKilled({ sliceRows, first, killAtPercent = NEVER, killAfterMs }: Crash): Promise<number> {
  const parameters = [directory, sliceRows, first, killAtPercent].map(String)
  const child = spawn(process.execPath, ['--import', 'tsx', program, ...parameters], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, UV_THREADPOOL_SIZE: '8' },
  })
  let told = ''
  child.stdout.on('data', (text) => {
    told += text
  })
  const ended = once(child, 'exit')
  await once(child.stdout, 'data')
  if (killAfterMs !== undefined) setTimeout(() => child.kill('SIGKILL'), killAfterMs)
  const [, signal] = await ended
  expect(signal).toBe('SIGKILL')
  return Math.max(first - 1, ...told.split('\n').filter(Boolean).map(Number).filter(Number.isInteger))
}

/** The one generation all rows have; 0 for an empty table. Nothing may be left to do. */
async function generationOf(engine: Engine): Promise<number> {
  const rows = await engine.all(
    `SELECT generation, count(*) AS rows FROM ${tableReference(CRASH_TABLE)} GROUP BY generation`,
  )
  expect(rows.length).toBeLessThanOrEqual(1)
  if (rows[0]) expect(rows[0].rows).toBe(CRASH_KEYS)
  await expectNothingLeft(engine)
  return Number(rows[0]?.generation ?? 0)
}

async function expectNothingLeft(engine: Engine): Promise<void> {
  expect(await engine.all('SELECT * FROM journal.merges')).toEqual([])
  expect(await readdir(engine.bulk.stagingDirectory).catch(() => [])).toEqual([])
}

/** Changes the database behind the engine's back, before it is opened again. */
async function meddle(sql: string): Promise<void> {
  const instance = await DuckDBInstance.create(engineOptions(directory).path)
  const connection = await instance.connect()
  await connection.run(sql)
  connection.disconnectSync()
  instance.closeSync()
}

it.each([
  { way: 'one transaction', sliceRows: 1_000_000, seed: 1 },
  { way: 'slices', sliceRows: SLICE_ROWS, seed: 2 },
])('kill -9 while appending in $way leaves the old rows or the new', async ({ sliceRows, seed }) => {
  let last = 0
  for (let round = 0; round < 5; round += 1) {
    const killAfterMs = ((seed * 7919 + round * 104_729) % 613) + 20
    const told = await appendUntilKilled({ sliceRows, first: last + 1, killAfterMs })
    const reopened = await openEngine(engineOptions(directory))
    last = await generationOf(reopened)
    expect([told, told + 1]).toContain(last)
    await reopened.close()
  }
  expect(last).toBeGreaterThan(0)
})

it('kill -9 while parts are on their way leaves the old rows', async () => {
  const engine = await openEngine(engineOptions(directory))
  await append(engine, CRASH_TABLE, generationSource(1))
  await engine.close()
  const child = spawn(process.execPath, ['--import', 'tsx', killedProgram, directory], { stdio: 'inherit' })
  const [, signal] = await once(child, 'exit')
  expect(signal).toBe('SIGKILL')
  const reopened = await openEngine(engineOptions(directory))
  expect(await generationOf(reopened)).toBe(1)
  await reopened.close()
})

describe('kill -9 between two slices', () => {
  const killedAt = (killAtPercent: number) => appendUntilKilled({ sliceRows: SLICE_ROWS, first: 1, killAtPercent })

  it.each([51, 75, 100])('at %d %: the rest is merged at the next open', async (percent) => {
    expect(await killedAt(percent)).toBe(0)
    expect(await readdir(join(directory, 'data', 'staging'))).toHaveLength(1)
    const reopened = await openEngine(engineOptions(directory))
    expect(await generationOf(reopened)).toBe(1)
    await reopened.close()
  })

  it('the rest goes without a column that was dropped meanwhile', async () => {
    await killedAt(75)
    await meddle(`ALTER TABLE ${tableReference(CRASH_TABLE)} DROP COLUMN half`)
    const reopened = await openEngine(engineOptions(directory))
    expect(await generationOf(reopened)).toBe(1)
    await reopened.close()
  })

  it('the rest is forgotten when the table was dropped', async () => {
    await killedAt(75)
    await meddle(`DROP TABLE ${tableReference(CRASH_TABLE)}`)
    const reopened = await openEngine(engineOptions(directory))
    await expectNothingLeft(reopened)
    await reopened.close()
  })

  it('the directory is refused when the staged file is gone', async () => {
    await killedAt(75)
    await rm(join(directory, 'data', 'staging'), { recursive: true })
    await expect(openEngine(engineOptions(directory))).rejects.toMatchObject({
      errorName: 'DATA_DIRECTORY',
      message: expect.stringMatching(/rows-\d+\.parquet, which an interrupted import needs/),
    })
  })
})
