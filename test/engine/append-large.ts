import { append } from '../../src/engine/append.ts'
import { openEngine } from '../../src/engine/duckdb.ts'
import { createTableSql, type RowSource, tableReference } from '../../src/engine/table.ts'
import { engineOptions, storedTable } from './engine-fixture.ts'

/** Imports the same rows twice, so that all of them are merged, and tells the most memory the process ever had. */
const [directory, rows, memoryBytes] = process.argv.slice(2) as [string, string, string]
const names = Array.from({ length: 6 }, (_, index) => `f${index}`)
const table = storedTable('t1', ['host', 'dc'], Object.fromEntries(names.map((name) => [name, 'DOUBLE'])))
const source: RowSource = {
  from:
    "(SELECT make_timestamp_ns(range // 100), 'host' || (range % 100), 'dc' || (range % 7), " +
    `${names.map((_, index) => `sqrt(range + ${index})`).join(', ')} FROM range(${rows}))`,
  columns: ['time', 'host', 'dc', ...names],
  cheapToReread: false,
}
const engine = await openEngine(engineOptions(directory, { memoryBytes: Number(memoryBytes), sliceRows: 250_000 }))
await engine.run(createTableSql(table))
await append(engine, table, source)
await append(engine, table, source)
const [found] = await engine.all(`SELECT count(*) AS rows FROM ${tableReference(table)}`)
await engine.close()
process.stdout.write(JSON.stringify({ rows: String(found?.rows), maxRssBytes: process.resourceUsage().maxRSS * 1024 }))
