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

/** COPY INTO a table: answers the rows that were read. It waits for the spool before it takes a turn. */
export async function executeCopyIntoTable(
  { target, columns, location }: Extract<Plan, { kind: 'copy-into-table' }>,
  { engine, handle, spoolDir, spool, slots, budgets, copied }: ExecContext,
): Promise<StatementResult> {
  const loadTarget = { id: target.id, name: target.stored.name, schema: target.stored.schema, columns }
  const { signal } = handle
  const loadWith = (spoolBytes: number) =>
    slots.run(
      () =>
        load(engine, loadTarget, location, {
          signal,
          spoolDir,
          spoolBytes,
          minTimeNs: target.minTimeNs,
          parallelDownloads: budgets.partsInFlight,
          onProgress: (progress) => handle.setProgress(progress),
        }),
      { signal },
    )
  const isLocal = location.store.files !== undefined
  const stats = await (isLocal ? loadWith(budgets.spoolBytes) : spool.run(loadWith, { signal }))
  copied.add('load', location.format.names[0], stats)
  return rowCountResult(engine, stats.rows, handle)
}

/** COPY INTO a location: answers the rows that were written. It waits for the spool before it takes a turn. */
export async function executeCopyIntoLocation(
  { input, table, location }: Extract<Plan, { kind: 'copy-into-location' }>,
  { engine, handle, clock, spoolDir, spool, slots, budgets, targetFileBytes, copied }: ExecContext,
): Promise<StatementResult> {
  const { signal } = handle
  const unloadWith = (spoolBytes: number) =>
    slots.run(
      () =>
        unload(engine, input, location, {
          signal,
          queryId: handle.id,
          taskId: randomId(clock),
          spoolDir,
          spoolBytes,
          targetFileBytes,
          parallelUploads: budgets.partsInFlight,
          table: table && { id: table.id, schema: table.stored.schema },
          onProgress: (progress) => handle.setProgress(progress),
        }),
      { signal },
    )
  const isLocal = location.store.files !== undefined
  const stats = await (isLocal ? unloadWith(budgets.spoolBytes) : spool.run(unloadWith, { signal }))
  copied.add('unload', location.format.names[0], stats)
  return rowCountResult(engine, stats.rows, handle)
}
