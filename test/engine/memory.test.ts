import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const MIB = 1024 * 1024
const ROWS = 1_500_000
const MEMORY = 128 * MIB

it('an import that is merged stays within the memory budget and 400 MiB', { timeout: 120_000 }, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'cnosdb-memory-'))
  try {
    const program = fileURLToPath(new URL('./append-large.ts', import.meta.url))
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--import', 'tsx', program, directory, String(ROWS), String(MEMORY)],
      { env: { ...process.env, UV_THREADPOOL_SIZE: '8' } },
    )
    const { rows, maxRssBytes } = JSON.parse(stdout) as { rows: string; maxRssBytes: number }
    expect(rows).toBe(String(ROWS))
    expect(maxRssBytes).toBeLessThan(MEMORY + 400 * MIB)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
})
