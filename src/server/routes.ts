import type { Route } from './exchange.ts'
import { dumpDdl } from './routes/dump-ddl.ts'
import { metrics } from './routes/metrics.ts'
import { ping } from './routes/ping.ts'
import { sql } from './routes/sql.ts'
import { influxWrite, write } from './routes/write.ts'

/** Every route; what is not here is 404. */
export function routesOf(options: { readonly influxWrite: boolean }): readonly Route[] {
  return [ping, sql, write, dumpDdl, metrics, ...(options.influxWrite ? [influxWrite] : [])]
}
