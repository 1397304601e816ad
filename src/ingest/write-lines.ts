import type { Abortable } from '../async/abort.ts'
import type { Clock } from '../async/clock.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { durationOf } from '../catalog/database-settings.ts'
import { requireDatabasePrivilege, resolvePrincipal } from '../catalog/privileges.ts'
import { type DatabaseSettings, requireDatabase, requireTable } from '../catalog/state.ts'
import { appendColumns } from '../engine/append-columns.ts'
import type { Engine } from '../engine/engine.ts'
import { CnosError, isCnosError } from '../errors/cnos-error.ts'
import type { Precision } from '../model/schema.ts'
import { columnBatchOf } from './column-batch.ts'
import { currentTable, ensureTable } from './ensure-table.ts'
import type { LineBatch } from './line-batch.ts'
import { convertTicks } from './line-time.ts'
import { parseBody } from './parse-body.ts'
import type { ParseThread } from './parse-thread.ts'
import { missingColumns, refuseExpired, refuseMissing } from './target-columns.ts'

const MAX_TRIES = 12
const FIRST_PAUSE_MS = 2

/** Who writes, where to, and with what. */
export interface WriteContext {
  readonly engine: Engine
  readonly catalog: Catalog
  readonly clock: Clock
  readonly thread: ParseThread
  /** Whether no other statement is under way. */
  readonly isAlone: boolean
  readonly user: string
  readonly tenant: string
  readonly database: string
}

export interface WriteLinesOptions extends Abortable {
  /** The unit of the times in the body; default NS. */
  readonly precision?: Precision | undefined
}

/**
 * Writes line protocol into a database: tables and columns that are missing are made, unless it has strict_write.
 * Everything is parsed and checked before a row is stored; then each table's rows are stored, all or none of them, one
 * table after another. The rows are durable when it resolves. Throws what `parseLines` throws, DATABASE_NOT_FOUND,
 * INSUFFICIENT_PRIVILEGES, COLUMN_TYPE_CONFLICT, OPERATION_NOT_SUPPORTED (older than the TTL), TABLE_NOT_FOUND and
 * COLUMN_NOT_FOUND (strict_write), UNSUPPORTED (names that differ only in case).
 */
export async function writeLines(
  context: WriteContext,
  body: Uint8Array,
  { precision = 'NS', signal }: WriteLinesOptions = {},
): Promise<{ readonly rows: number }> {
  const { engine, catalog, clock, thread, isAlone, tenant, database } = context
  requireDatabasePrivilege(resolvePrincipal(catalog.state, context.user, tenant), database, 'Write')
  const { settings } = requireDatabase(catalog.state, tenant, database)
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const nowNs = clock.nowNs()
  const options = { precision, timeUnit: settings.precision, nowNs }
  const batches = await parseBody(bytes, options, { thread, isAlone, signal })
  const minTimeNs = oldestKept(settings, nowNs)
  for (const batch of batches) {
    checkBatch(context, settings, bytes, batch)
    refuseExpired(batch, minTimeNs && convertTicks(minTimeNs, 'NS', settings.precision))
  }
  const tableOf = (batch: LineBatch) => ensureTable(catalog, { tenant, database, name: batch.table }, bytes, batch)
  for (const batch of batches) await retryConflicts(clock, { signal }, () => tableOf(batch))
  for (const batch of batches) {
    await retryConflicts(clock, { signal }, async () => {
      const { stored, schema } = await tableOf(batch)
      try {
        await appendColumns(engine, { name: stored, schema }, columnBatchOf(batch), { signal, minTimeNs })
      } catch (error) {
        signal?.throwIfAborted()
        const now = currentTable(catalog.state, { tenant, database, name: batch.table })
        throw now?.stored === stored ? error : droppedMeanwhile(batch.table, error)
      }
    })
  }
  return { rows: batches.reduce((sum, batch) => sum + batch.rows, 0) }
}

/** Another request may add columns to a table while rows are stored in it: then nothing was stored, and it goes again. */
async function retryConflicts<T>(clock: Clock, { signal }: Abortable, store: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await store()
    } catch (error) {
      if (!isCnosError(error, 'META_CONFLICT') || tries === MAX_TRIES) throw error
      await clock.sleep(FIRST_PAUSE_MS * 2 ** tries * clock.random(), { signal })
    }
  }
}

/** The rows go into the table of that name that is there now, or that is made for them. */
const droppedMeanwhile = (table: string, cause: unknown) =>
  new CnosError('META_CONFLICT', `Table ${table} was dropped while rows were stored in it. Please try again`, { cause })

function oldestKept(settings: DatabaseSettings, nowNs: bigint): bigint | undefined {
  const kept = durationOf(settings.ttl)
  return kept === 'INF' ? undefined : nowNs - kept
}

function checkBatch(context: WriteContext, settings: DatabaseSettings, body: Buffer, batch: LineBatch): void {
  const { catalog, tenant, database } = context
  const table = currentTable(catalog.state, { tenant, database, name: batch.table })
  const missing = missingColumns(body, batch, table?.schema)
  if (!settings.strictWrite) return
  if (!table) requireTable(catalog.state, tenant, database, batch.table)
  refuseMissing(body, batch, missing)
}
