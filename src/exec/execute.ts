import type { Plan, PlannedTable } from '../plan/plan.ts'
import { alteredMeanwhile } from './altered-meanwhile.ts'
import { errorOnTable } from './change-catalog.ts'
import { executeDelete, executeUpdate } from './change-rows.ts'
import type { ExecContext } from './context.ts'
import { executeCopyIntoLocation, executeCopyIntoTable, executeInsert, executeInsertLiterals } from './copy-rows.ts'
import { executeExplain } from './explain.ts'
import { executeMetadata } from './metadata.ts'
import type { StatementResult } from './result.ts'
import { rowsResult } from './rows-result.ts'

type PlanKind = Plan['kind']
type Executor<K extends PlanKind> = (
  plan: Extract<Plan, { readonly kind: K }>,
  context: ExecContext,
) => Promise<StatementResult>

const EXECUTORS: { readonly [K in PlanKind]: Executor<K> } = {
  rows: async ({ relation, isLight }, { engine, handle, slots }) =>
    rowsResult(engine, relation, handle, { slots: isLight ? undefined : slots }),
  insert: onTable(inTurn(executeInsert)),
  'insert-literals': onTable(inTurn(executeInsertLiterals)),
  delete: onTable(inTurn(executeDelete)),
  update: onTable(inTurn(executeUpdate)),
  'copy-into-table': onTable(executeCopyIntoTable),
  'copy-into-location': executeCopyIntoLocation,
  explain: (plan, context) => executeExplain(plan, context, execute),
  'kill-query': async ({ queryId }, context) => {
    context.queries.kill(queryId, context.principal)
    return { kind: 'none' }
  },
  metadata: executeMetadata,
}

function inTurn<K extends PlanKind>(executor: Executor<K>): Executor<K> {
  return (plan, context) => context.slots.run(() => executor(plan, context), { signal: context.handle.signal })
}

type ChangingKind = Extract<Plan, { readonly target: PlannedTable }>['kind']

function onTable<K extends ChangingKind>(executor: Executor<K>): Executor<K> {
  return async (plan, context) => {
    try {
      return await executor(plan, context)
    } catch (error) {
      context.handle.signal.throwIfAborted()
      const { target } = plan as { readonly target: PlannedTable }
      throw errorOnTable(context.catalog.state, target, error)
    }
  }
}

/** Runs a plan. Whatever it changes has been changed, durably, when the promise resolves. */
export async function execute(plan: Plan, context: ExecContext): Promise<StatementResult> {
  const executor = EXECUTORS[plan.kind] as Executor<PlanKind>
  try {
    return await executor(plan, context)
  } catch (error) {
    throw alteredMeanwhile(error)
  }
}
