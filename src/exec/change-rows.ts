import type { Abortable } from '../async/abort.ts'
import type { Engine } from '../engine/engine.ts'
import { badGeometrySql, geometryMessage, geometryTypeOf } from '../engine/geometry-check.ts'
import { quoteIdentifier } from '../engine/quote.ts'
import { tableReference } from '../engine/table.ts'
import { withTableLock } from '../engine/table-lock.ts'
import { CnosError } from '../errors/cnos-error.ts'
import { tagsOf } from '../model/schema.ts'
import type { Plan, PlannedTable } from '../plan/plan.ts'
import type { ExecContext } from './context.ts'
import type { StatementResult } from './result.ts'
import { rowCountResult } from './rows-result.ts'

/** DELETE: answers nothing. */
export async function executeDelete(
  { target, where }: Extract<Plan, { kind: 'delete' }>,
  { engine, handle }: ExecContext,
): Promise<StatementResult> {
  const condition = where === undefined ? '' : ` WHERE ${where}`
  const sql = `DELETE FROM ${tableReference(target.stored)}${condition}`
  const { signal } = handle
  await withTableLock(engine, target.stored, () => engine.run(sql, { signal }), { signal })
  return { kind: 'none' }
}

/**
 * UPDATE: answers the number of rows that matched. A field set to NULL keeps its value, as CnosDB has no way to unset
 * one. Tags move a series; one that would meet another series at the same time is refused.
 */
export async function executeUpdate(
  plan: Extract<Plan, { kind: 'update' }>,
  { engine, handle }: ExecContext,
): Promise<StatementResult> {
  const { signal } = handle
  const sql = updateSql(plan)
  const update = async () => {
    if (plan.movesSeries) return moveSeries(engine, plan.target, sql, { signal })
    await checkGeometries(engine, plan, { signal })
    return engine.run(sql, { signal })
  }
  const rows = await withTableLock(engine, plan.target.stored, update, { signal })
  return rowCountResult(engine, rows, handle)
}

function moveSeries(engine: Engine, target: PlannedTable, sql: string, { signal }: Abortable): Promise<bigint> {
  return engine.transaction(
    async (session) => {
      const changed = await session.run(sql, { signal })
      const clash = await session.all(duplicateKeySql(target), { signal })
      if (clash.length > 0) throw seriesExists(target)
      return changed
    },
    { signal },
  )
}

function updateSql({ target, assignments, where, movesSeries }: Extract<Plan, { kind: 'update' }>): string {
  const sets = assignments.map(({ column, value }) => {
    const name = quoteIdentifier(column)
    return `${name} = ${movesSeries ? value : `coalesce(${value}, ${name})`}`
  })
  return `UPDATE ${tableReference(target.stored)} SET ${sets.join(', ')} WHERE ${where}`
}

async function checkGeometries(
  engine: Engine,
  { target, assignments, where }: Extract<Plan, { kind: 'update' }>,
  options: Abortable,
): Promise<void> {
  for (const { column, value } of assignments) {
    const type = target.stored.schema.columns.find(({ name }) => name === column)?.type
    const kind = type && geometryTypeOf(type)
    if (kind === undefined) continue
    const values = `SELECT ${value} AS value FROM ${tableReference(target.stored)} WHERE ${where}`
    const [bad] = await engine.all(`FROM (${values}) WHERE ${badGeometrySql('value', kind)} LIMIT 1`, options)
    if (!bad) continue
    throw new CnosError('QUERIED_INVALID_GEOMETRY', geometryMessage(kind, String(bad.value)), {
      context: { column },
      hint: `nothing was changed: column ${column} takes WKT such as ${kind} (…)`,
    })
  }
}

/** One row when two rows of the table have the same time and tags. */
function duplicateKeySql({ stored }: PlannedTable): string {
  const key = ['time', ...tagsOf(stored.schema).map((tag) => tag.name)].map(quoteIdentifier).join(', ')
  return `SELECT 1 AS clash FROM ${tableReference(stored)} GROUP BY ${key} HAVING count(*) > 1 LIMIT 1`
}

function seriesExists({ id }: PlannedTable): CnosError {
  return new CnosError(
    'OPERATION_NOT_SUPPORTED',
    `Operation not support: a series of ${id.table} with these tags has rows at the same time`,
    {
      hint: 'nothing was changed; delete one of the two series first, or choose tags no series has',
    },
  )
}
