import { readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { run } from './programs.ts'

const demo = fileURLToPath(new URL('../../bin/demo.cjs', import.meta.url))

it('the demo brings every flight back in every format, and cleans up', { timeout: 300_000 }, async () => {
  const leftovers = async () => (await readdir(tmpdir())).filter((name) => name.startsWith('cnosdb-demo-'))
  const before = await leftovers()
  const { code, stdout, stderr } = await run(demo, [])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toContain('→ 3,000,000 rows')
  expect(stdout).toContain('2,992,108 in the table: 7,892 flights share minute')
  for (const format of ['CSV', 'JSON', 'PARQUET'])
    expect(stdout).toMatch(new RegExp(`^\\| ${format} .*\\| yes, every row \\|$`, 'm'))
  expect(stdout).toContain('Try next:')
  expect((await leftovers()).filter((name) => !before.includes(name))).toEqual([])
})
