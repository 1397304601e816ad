import { append } from '../../src/engine/append.ts'
import { openEngine } from '../../src/engine/duckdb.ts'
import { CRASH_ROWS, CRASH_TABLE, generationSource } from './crash-table.ts'
import { engineOptions } from './engine-fixture.ts'

/**
 * Overwrites every row with the next generation, again and again, and says so after each, until killed: by itself when
 * its progress reaches `killAtPercent`.
 */
const [directory, sliceRows, first, killAtPercent] = process.argv.slice(2) as [string, string, string, string]
const engine = await openEngine(engineOptions(directory, { sliceRows: Number(sliceRows) }))
process.stdout.write('open\n')
for (let generation = Number(first); ; generation += 1) {
  const { rows } = await append(engine, CRASH_TABLE, generationSource(generation), {
    onProgress: ({ percent }) => {
      if (percent >= Number(killAtPercent)) process.kill(process.pid, 'SIGKILL')
    },
  })
  if (rows !== BigInt(CRASH_ROWS)) throw new Error(`${rows} rows`)
  process.stdout.write(`${generation}\n`)
}
