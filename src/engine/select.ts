import type { Abortable } from '../async/abort.ts'
import type { Engine, Session } from './engine.ts'
import type { Relation, RelationColumn } from './relation.ts'
import { describeOrExplain } from './select-bind.ts'
import type { RewrittenQuery } from './select-context.ts'
import type { SelectText } from './select-errors.ts'
import { valueNames, valuesWidth } from './select-from.ts'
import { parseSelect, printSelect } from './select-parse.ts'
import { RewritePasses, type SelectResolver, type TableReference } from './select-passes.ts'
import { type ExpressionPlan, type PlanExpressionOptions, planPredicate } from './select-predicate.ts'
import { rewriteQuery } from './select-query.ts'
import { normaliseResult } from './select-result.ts'
import { mostRows } from './select-row-bound.ts'
import { EMPTY_SCOPE } from './select-scope.ts'
import type { Node } from './select-tree.ts'

export type { SelectText } from './select-errors.ts'
export type { ResolvedTable, SelectResolver } from './select-passes.ts'
export type { ExpressionPlan, PlanExpressionOptions } from './select-predicate.ts'

/** A checked, rewritten SELECT with result types and column names as a CnosDB client expects them. */
export interface SelectPlan extends Relation {
  readonly tables: readonly TableReference[]
}

/**
 * Parses, checks and rewrites one SELECT. Throws SQL_SYNTAX, MULTI_STATEMENT, PLANNING, UNSUPPORTED, and whatever the
 * resolver throws. Nothing runs but the parser and the binder.
 */
export function planSelect(
  session: Session,
  query: SelectText,
  resolver: SelectResolver,
  options: Abortable = {},
): Promise<SelectPlan> {
  return onOneConnection(session, (own) => planOn(own, query, resolver, options), options)
}

async function planOn(
  session: Session,
  query: SelectText,
  resolver: SelectResolver,
  options: Abortable,
): Promise<SelectPlan> {
  const parsed = await parseSelect(session, query, options)
  const passes = new RewritePasses(session, parsed, resolver)
  const rewritten = await passes.run((context) => rewriteQuery(context, parsed.tree, EMPTY_SCOPE), options)
  const printed = await printSelect(session, rewritten.node, options)
  const fields = passes.validFields()
  const described = await describeOrExplain(session, printed, rewritten.node, parsed.source, fields, options)
  const { select, columns } = normaliseResult(printed.sql, described, resultsOf(parsed.tree, rewritten, described))
  return { select, columns, tables: passes.tables(), maxRows: mostRows(parsed.tree) }
}

/** Several short questions are cheaper on one connection than on one each. */
function onOneConnection<T>(
  session: Session | Engine,
  work: (session: Session) => Promise<T>,
  options: Abortable,
): Promise<T> {
  return 'withSession' in session ? session.withSession(work, options) : work(session)
}

function resultsOf(tree: Node, rewritten: RewrittenQuery, described: readonly RelationColumn[]) {
  const width = valuesWidth(tree)
  if (width !== undefined) return valueNames(width).map((name) => ({ name }))
  const { columns } = rewritten
  const isAligned =
    columns?.length === described.length &&
    columns.every((column, at) => column.name.toLowerCase() === described[at]?.name.toLowerCase())
  return described.map(({ name }, at) => ({ name, wanted: isAligned ? columns[at]?.clientType : undefined }))
}

/**
 * The same checks for one expression over one table's columns (DELETE, UPDATE, SHOW SERIES). Aggregates, window
 * functions and subqueries are refused.
 */
export function planExpression(
  session: Session,
  expression: SelectText,
  columns: readonly RelationColumn[],
  options: PlanExpressionOptions = {},
): Promise<ExpressionPlan> {
  return onOneConnection(session, (own) => planPredicate(own, expression, columns, options), options)
}
