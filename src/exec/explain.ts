import type { Engine, Session } from '../engine/engine.ts'
import { type ExplainedPlan, explainPlan, indentLines } from '../plan/explain.ts'
import { literalRelation } from '../plan/literal-relation.ts'
import type { Plan } from '../plan/plan.ts'
import type { ExecContext } from './context.ts'
import type { StatementResult } from './result.ts'
import { rowsResult } from './rows-result.ts'

type Explain = Extract<Plan, { readonly kind: 'explain' }>
type Execute = (plan: Plan, context: ExecContext) => Promise<StatementResult>

const COLUMNS = [
  { name: 'plan_type', type: 'VARCHAR' },
  { name: 'plan', type: 'VARCHAR' },
]

/** EXPLAIN: rows of `plan_type` and `plan`. ANALYZE runs the plan with `execute` and tells what it did. */
export async function executeExplain(
  { plan, isAnalyze }: Explain,
  context: ExecContext,
  execute: Execute,
): Promise<StatementResult> {
  const explained = explainPlan(plan)
  const rows = isAnalyze ? await analyzed(plan, explained, context, execute) : await described(explained, context)
  return rowsResult(context.engine, literalRelation(COLUMNS, rows), context.handle, { isDone: true })
}

async function described(explained: ExplainedPlan, { engine, handle }: ExecContext): Promise<string[][]> {
  const input = explained.input && (await enginePlans(engine, explained.input.select, handle.signal))
  return [
    ['logical_plan', planText(explained.logical, input?.logical)],
    ['physical_plan', planText(explained.physical, input?.physical)],
  ]
}

async function enginePlans(engine: Engine, select: string, signal: AbortSignal) {
  const explain = async (session: Session) => {
    await session.run("SET explain_output = 'all'", { signal })
    return session.all(`EXPLAIN ${select}`, { signal })
  }
  const rows = await engine.withSession(explain, { signal })
  const planOf = (key: string) => rows.find((row) => row.explain_key === key)?.explain_value
  return { logical: planOf('logical_opt') ?? planOf('logical_plan'), physical: planOf('physical_plan') }
}

async function analyzed(
  plan: Plan,
  explained: ExplainedPlan,
  context: ExecContext,
  execute: Execute,
): Promise<string[][]> {
  const { engine, handle, clock } = context
  const metrics = 'Plan with Metrics'
  if (plan.kind === 'rows') {
    const [row] = await engine.all(`EXPLAIN ANALYZE ${plan.relation.select}`, { signal: handle.signal })
    return [[metrics, String(row?.explain_value ?? '')]]
  }
  const startedMs = clock.elapsedMs()
  const result = await execute(plan, { ...context, handle: { ...handle, end() {} } })
  const [answer] = result.kind === 'rows' ? await result.all() : []
  const elapsed = `elapsed_ms=${Math.round(clock.elapsedMs() - startedMs)}`
  const [first = '', ...rest] = explained.physical
  return [[metrics, planText([`${first}, metrics=[output_rows=${answer?.rows ?? 0}, ${elapsed}]`, ...rest], undefined)]]
}

function planText(lines: readonly string[], below: unknown): string {
  const indent = '  '.repeat(lines.length)
  const input =
    typeof below === 'string'
      ? below
          .trimEnd()
          .split('\n')
          .map((line) => `${indent}${line}`)
      : []
  return [indentLines(lines), ...input].filter((text) => text !== '').join('\n')
}
