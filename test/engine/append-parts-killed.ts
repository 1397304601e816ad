import { appendParts } from '../../src/engine/append.ts'
import { openEngine } from '../../src/engine/duckdb.ts'
import { CRASH_ROWS, CRASH_TABLE } from './crash-table.ts'
import { engineOptions } from './engine-fixture.ts'

/** Stores parts of new rows, more than memory holds back, and dies when the fifth is asked for. */
const engine = await openEngine(engineOptions(process.argv[2] as string))
async function* parts() {
  for (let part = 1; part < 5; part += 1) {
    yield `(SELECT make_timestamp_ns(${part} * 10000000 + range), 'h', 99::BIGINT, NULL::BIGINT FROM range(${10 * CRASH_ROWS}))`
  }
  process.kill(process.pid, 'SIGKILL')
}
await appendParts(engine, CRASH_TABLE, { columns: ['time', 'host', 'generation', 'half'], parts })
