import type { Database } from '../../database.ts'
import type { Route } from '../exchange.ts'
import type { Family } from '../metrics.ts'

/** Needs no credentials, as Prometheus expects; holds numbers only. */
export const metrics: Route = {
  methods: ['GET', 'HEAD'],
  path: '/metrics',
  async handle({ response }, context) {
    const body = Buffer.from(context.metrics.print(await familiesOf(context.database)))
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4', 'content-length': body.length })
    response.end(body)
  },
}

async function familiesOf(database: Database): Promise<Family[]> {
  const { memoryBytes, spillBytes, spoolBytes, copied } = await database.usage()
  const { budgets } = database
  const gauge = (name: string, help: string, value: number): Family => ({
    name,
    type: 'gauge',
    help,
    samples: [{ value }],
  })
  const counter = (
    name: string,
    help: string,
    amountOf: (total: (typeof copied)[number]) => number | bigint,
  ): Family => ({
    name,
    type: 'counter',
    help,
    samples: copied.map((total) => ({
      labels: { direction: total.direction, format: total.format },
      value: amountOf(total),
    })),
  })
  return [
    counter('cnosdb_copy_statements_total', 'COPY statements that succeeded.', (total) => total.statements),
    counter('cnosdb_copy_files_total', 'Files read or written by COPY.', (total) => total.files),
    counter('cnosdb_copy_rows_total', 'Rows read or written by COPY.', (total) => total.rows),
    counter('cnosdb_copy_bytes_total', 'Bytes of files read or written by COPY.', (total) => total.bytes),
    gauge('process_resident_memory_bytes', 'Resident memory of the process.', process.memoryUsage.rss()),
    gauge('cnosdb_memory_bytes', 'Memory that DuckDB uses.', memoryBytes),
    gauge('cnosdb_memory_budget_bytes', 'DuckDB’s share of the memory budget.', budgets.duckdbMemoryBytes),
    gauge('cnosdb_spool_bytes', 'Files on their way in or out of COPY.', spoolBytes),
    gauge('cnosdb_spool_budget_bytes', 'Budget of those files.', budgets.spoolBytes),
    gauge('cnosdb_spill_bytes', 'Intermediate results on disk.', spillBytes),
    gauge('cnosdb_spill_budget_bytes', 'Budget of those results.', budgets.spillBytes),
  ]
}
