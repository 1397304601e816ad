import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { openDatabaseTarget } from './database-target.ts'
import { openHttpTarget } from './http-target.ts'
import { runSlt } from './run-slt.ts'
import { parseSltFile, ROOT } from './slt-file.ts'

const folder = fileURLToPath(new URL('../sql', import.meta.url))
const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.slt'))
  .sort()

describe.each([
  ['in this process', openDatabaseTarget],
  ['over HTTP', openHttpTarget],
] as const)('test/sql %s', (_, openTarget) => {
  it.each(paths)('%s', async (path) => {
    const records = parseSltFile(`test/sql/${path}`, readFileSync(join(folder, path), 'utf8'))
    expect(records).not.toEqual([])
    const directory = mkdtempSync(join(tmpdir(), 'cnosdb-slt-'))
    try {
      await using target = await openTarget(directory)
      await runSlt(target, records, ROOT, { path: `test/sql/${path}`, directory: target.files })
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  })
})
