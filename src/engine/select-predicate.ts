import type { Abortable } from '../async/abort.ts'
import { CnosError } from '../errors/cnos-error.ts'
import type { Session } from './engine.ts'
import { quoteIdentifier } from './quote.ts'
import type { RelationColumn } from './relation.ts'
import { describeOrExplain } from './select-bind.ts'
import type { RewriteContext } from './select-context.ts'
import { type SelectText, type SourceText, selectError, unknownField } from './select-errors.ts'
import { rewriteExpression } from './select-expression.ts'
import { isAbsent } from './select-json.ts'
import { type ParsedSelect, parseFromItem, parseSelect, printSelect } from './select-parse.ts'
import { RewritePasses } from './select-passes.ts'
import { EMPTY_SCOPE, type Scope } from './select-scope.ts'
import {
  childOf,
  childrenOf,
  classOf,
  locationOf,
  mapNodes,
  type Node,
  selectAll,
  textsOf,
  typeOf,
} from './select-tree.ts'

export interface ExpressionPlan {
  /** DuckDB text of the expression; columns are unqualified. */
  readonly sql: string
  /** The columns it mentions, by their stored names, without repeats. */
  readonly columns: readonly string[]
  /** DuckDB's type of its value. */
  readonly type: string
}

export interface PlanExpressionOptions extends Abortable {
  /** Columns beyond these are refused with UNSUPPORTED. Default: all. */
  readonly allowedColumns?: readonly string[]
  /** What may qualify a column: the table's name. */
  readonly table?: string
}

/** See `planExpression`. */
export async function planPredicate(
  session: Session,
  expression: SelectText,
  columns: readonly RelationColumn[],
  options: PlanExpressionOptions = {},
): Promise<ExpressionPlan> {
  const parsed = await parseSelect(session, expression, { ...options, before: 'SELECT (', after: '\n)' })
  const item = onlyExpression(parsed)
  const mentioned = new Set<string>()
  const scope: Scope = { ...EMPTY_SCOPE, tables: [{ alias: options.table ?? '', path: [], columns }] }
  const pass = new RewritePasses(session, parsed, { table: refuseSubquery })
  const rewritten = await pass.run((context) => {
    const own: RewriteContext = {
      ...context,
      query: refuseSubquery,
      onColumn: (names, node) => mentioned.add(requireColumn(names, node, parsed.source, columns, options)),
    }
    return rewriteExpression(own, item, scope).node
  }, options)
  const bare = unqualified(rewritten)
  const printed = await printSelect(session, { ...selectAll(EMPTY_FROM), select_list: [bare] }, options)
  const type = await typeOfExpression(session, bare, parsed.source, columns, options)
  return { sql: printed.sql.slice('SELECT '.length), columns: [...mentioned], type }
}

const EMPTY_FROM: Node = { type: 'EMPTY', alias: '', sample: null, query_location: -1 }

/** The one expression that was parsed as `SELECT (…)`; a text that closes the parenthesis itself is refused. */
function onlyExpression({ tree, source }: ParsedSelect): Node {
  const items = typeOf(tree) === 'SELECT_NODE' ? childrenOf(tree, 'select_list') : []
  const rest = ['modifiers', 'where_clause', 'group_expressions', 'group_sets', 'having', 'sample', 'qualify']
  const isBare = items.length === 1 && rest.every((key) => isAbsent(tree[key])) && hasNoTables(tree)
  const [item] = items
  if (!isBare || item === undefined || !isAbsent(item.alias)) {
    throw selectError('SQL_SYNTAX', 'sql parser error: Expected one expression', source, 0)
  }
  return item
}

const hasNoTables = (tree: Node) =>
  typeOf(childOf(tree, 'from_table')) === 'EMPTY' && isAbsent(childOf(tree, 'cte_map').map)

function refuseSubquery(): never {
  throw new CnosError('UNSUPPORTED', 'A subquery cannot stand here.', {
    hint: 'Run the subquery first, and write its values into the condition.',
  })
}

function requireColumn(
  names: readonly string[],
  node: Node,
  source: SourceText,
  columns: readonly RelationColumn[],
  { allowedColumns }: PlanExpressionOptions,
): string {
  const found = columns.find((column) => names.length === 1 && column.name === names[0])
  const fields = (allowedColumns ?? columns.map((column) => column.name)).map(String)
  if (found === undefined) throw unknownField(textsOf(node, 'column_names').join('.'), fields, source, locationOf(node))
  if (allowedColumns === undefined || allowedColumns.includes(found.name)) return found.name
  const hint = `Use only ${allowedColumns.join(', ')}.`
  const message = `Column ${found.name} cannot be used here.`
  throw selectError('UNSUPPORTED', message, source, locationOf(node), { column: found.name, hint })
}

const unqualified = (tree: Node): Node =>
  mapNodes(tree, (node) =>
    classOf(node) === 'COLUMN_REF' ? { ...node, column_names: [textsOf(node, 'column_names').at(-1) as string] } : node,
  ) as Node

/** As a condition over no rows, so that DuckDB refuses aggregates and windows, and tells the type. */
async function typeOfExpression(
  session: Session,
  bare: Node,
  source: SourceText,
  columns: readonly RelationColumn[],
  options: Abortable,
): Promise<string> {
  const typed = columns.map(({ name, type }) => `CAST(NULL AS ${type}) AS ${quoteIdentifier(name)}`)
  const from = await parseFromItem(session, `(SELECT ${typed.join(', ')}) AS t`, options)
  const isNull = { class: 'OPERATOR', type: 'OPERATOR_IS_NULL', alias: '', query_location: -1, children: [bare] }
  const tree = { ...selectAll(from), select_list: [bare], where_clause: isNull }
  const printed = await printSelect(session, tree, options)
  const fields = columns.map((column) => column.name)
  const [described] = await describeOrExplain(session, printed, tree, source, fields, options)
  return described?.type ?? 'VARCHAR'
}
