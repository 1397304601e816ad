import { load } from '../copy/load.ts'
import { unload } from '../copy/unload.ts'
import { append } from '../engine/append.ts'
import { appendColumns } from '../engine/append-columns.ts'
import type { Plan } from '../plan/plan.ts'
import type { ExecContext } from './context.ts'
import { randomId } from './query-registry.ts'
import type { StatementResult } from './result.ts'
import { rowCountResult } from './rows-result.ts'

/** INSERT: answers the rows that came in. */
export async function executeInsert(
  { target, source }: Extract<Plan, { kind: 'insert' }>,
  { engine, handle }: ExecContext,
): Promise<StatementResult> {
  const { rows } = await append(engine, target.stored, source, {
    signal: handle.signal,
    minTimeNs: target.minTimeNs,
    onProgress: (progress) => handle.setProgress(progress),
  })
  return rowCountResult(engine, rows, handle)
}

/** INSERT … VALUES of literals: answers the rows that came in. */
export async function executeInsertLiterals(
  { target, batch }: Extract<Plan, { kind: 'insert-literals' }>,
  { engine, handle }: ExecContext,
): Promise<StatementResult> {
  const { rows } = await appendColumns(engine, target.stored, batch, {
    signal: handle.signal,
    minTimeNs: target.minTimeNs,
  })
  return rowCountResult(engine, rows, handle)
}

/** COPY INTO a table: answers the rows that were read. */
export async function executeCopyIntoTable(
  { target, columns, location }: Extract<Plan, { kind: 'copy-into-table' }>,
  { engine, handle, spoolDir, budgets, copied }: ExecContext,
): Promise<StatementResult> {
  const loadTarget = { id: target.id, name: target.stored.name, schema: target.stored.schema, columns }
  const stats = await load(engine, loadTarget, location, {
    signal: handle.signal,
    spoolDir,
    spoolBytes: budgets.spoolBytes,
    minTimeNs: target.minTimeNs,
    parallelDownloads: budgets.partsInFlight,
    onProgress: (progress) => handle.setProgress(progress),
  })
  copied.add('load', location.format.names[0], stats)
  return rowCountResult(engine, stats.rows, handle)
}

/** COPY INTO a location: answers the rows that were written. */
export async function executeCopyIntoLocation(
  { input, table, location }: Extract<Plan, { kind: 'copy-into-location' }>,
  { engine, handle, clock, spoolDir, budgets, targetFileBytes, copied }: ExecContext,
): Promise<StatementResult> {
  const stats = await unload(engine, input, location, {
    signal: handle.signal,
    queryId: handle.id,
    taskId: randomId(clock),
    spoolDir,
    spoolBytes: budgets.spoolBytes,
    targetFileBytes,
    parallelUploads: budgets.partsInFlight,
    table: table && { id: table.id, schema: table.stored.schema },
    onProgress: (progress) => handle.setProgress(progress),
  })
  copied.add('unload', location.format.names[0], stats)
  return rowCountResult(engine, stats.rows, handle)
}
