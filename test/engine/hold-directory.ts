import { openEngine } from '../../src/engine/duckdb.ts'
import { engineOptions } from './engine-fixture.ts'

/** Opens the data directory named by its argument, says so, and holds it until killed. */
await openEngine(engineOptions(process.argv[2] as string))
process.stdout.write('open\n')
setInterval(() => {}, 1000)
