import { findFunction } from './function-list.ts'
import { errorAt, type RewriteContext, type RewrittenQuery, unsupported } from './select-context.ts'
import { filledTable, type GapFill, type GapQuestion, identityOf, type WindowCall } from './select-gapfill-grid.ts'
import { headingOf, namesItself } from './select-headings.ts'
import { isAbsent, isArray, isObject, type Json } from './select-json.ts'
import { findColumn, type Scope } from './select-scope.ts'
import { refuseWindowWidth } from './select-time-window.ts'
import {
  castNode,
  childrenOf,
  classOf,
  columnNode,
  integerOf,
  locationOf,
  type Node,
  selectAll,
  stringNode,
  tableNode,
  textOf,
  textsOf,
  typeOf,
} from './select-tree.ts'

/** No user can write this name, since a statement with NUL is refused. */
const FILLED = '\0filled'

/**
 * Rewrites a SELECT that calls `time_window_gapfill`; undefined when it does not. The groups are computed first; every
 * combination of the other keys is then given all windows between the bounds of the time in WHERE, or where there is
 * no bound, between the first and the last window with data.
 */
export function rewriteGapfill(
  context: RewriteContext,
  select: Node,
  scope: Scope,
  commonScope: Scope,
): RewrittenQuery | undefined {
  const call = windowCallIn(context, select)
  if (call === undefined) return undefined
  refuseClauses(context, select, call)
  const window = readWindowCall(context, call)
  const keys = keysBesideWindow(context, select, window, scope)
  const values: { node: Node; fill: GapFill }[] = []
  const replace = replacement(context, { window, keys, values }, scope)
  const select_list = childrenOf(select, 'select_list').map((item) => outerItem(context, item, scope, replace))
  const modifiers = orderedModifiers(replaceIn(select.modifiers ?? [], replace) as readonly Node[], keys)
  const filled = filledTable(context, select, { window, keys, values }, scope, commonScope)
  const outer = { ...selectAll(tableNode(FILLED, 'filled', locationOf(call))), select_list, modifiers }
  const commonTables = new Map([...commonScope.commonTables, [FILLED, filled.table]])
  const query = context.query(outer, { ...commonScope, commonTables })
  return { node: { ...query.node, cte_map: { map: filled.entries } }, columns: query.columns }
}

const isCallOf = (node: Node, ...names: readonly string[]) =>
  classOf(node) === 'FUNCTION' && names.includes(String(node.function_name))

const isWindowCall = (node: Node) => isCallOf(node, 'time_window_gapfill', 'date_bin_gapfill')

/** The one call of a SELECT, which may stand several times. */
function windowCallIn(context: RewriteContext, select: Node): Node | undefined {
  const calls: Node[] = []
  replaceIn([...childrenOf(select, 'select_list'), ...childrenOf(select, 'group_expressions')], (node) => {
    if (isWindowCall(node)) calls.push(node)
    return undefined
  })
  const [first] = calls
  const other = calls.find((call) => identityOf(call) !== identityOf(first as Node))
  if (other !== undefined) throw unsupported(context, other, 'A second time_window_gapfill in one SELECT')
  return first
}

function refuseClauses(context: RewriteContext, select: Node, call: Node): void {
  const name = textOf(call, 'function_name')
  const hint = 'Put the query into a subquery, and filter outside of it.'
  if (!isAbsent(select.having) || !isAbsent(select.qualify)) {
    throw unsupported(context, call, `${name} beside HAVING or QUALIFY`, hint)
  }
  const isPlain = select.aggregate_handling === 'STANDARD_HANDLING'
  if (!isPlain || (isArray(select.group_sets) && select.group_sets.length > 1)) {
    const names = 'Write GROUP BY with the names of the columns.'
    throw unsupported(context, call, `${name} with GROUP BY ALL, ROLLUP, CUBE or GROUPING SETS`, names)
  }
}

/** `date_bin_gapfill(width, time[, origin])` has its arguments in another order. */
function readWindowCall(context: RewriteContext, node: Node): WindowCall {
  const isBin = isCallOf(node, 'date_bin_gapfill')
  const given = childrenOf(node, 'children')
  const [first, second, third, fourth] = given
  if (first === undefined || second === undefined || given.length > (isBin ? 3 : 4)) {
    const message = `Datafusion: Error during planning: The function "${textOf(node, 'function_name')}" does not accept ${given.length} function arguments.`
    throw errorAt(context, node, 'PLANNING', message)
  }
  for (const width of isBin ? [first] : [second, third])
    refuseWindowWidth(context, textOf(node, 'function_name'), width)
  const epoch = castNode(stringNode('1970-01-01 00:00:00', locationOf(node)), 'TIMESTAMP_NS')
  if (isBin) return { node, time: second, width: first, slide: first, origin: third ?? epoch }
  return { node, time: first, width: second, slide: third ?? second, origin: fourth ?? epoch }
}

/** The columns of GROUP BY without the window, which must be among them. */
function keysBesideWindow(context: RewriteContext, select: Node, { node }: WindowCall, scope: Scope): readonly Node[] {
  const items = childrenOf(select, 'select_list')
  const groups = childrenOf(select, 'group_expressions').map((group) => meaningOf(group, items, scope))
  const keys = groups.filter((group) => identityOf(group) !== identityOf(node))
  const [star] = items.filter((item) => classOf(item) === 'STAR')
  if (star !== undefined) throw unsupported(context, star, `* beside ${textOf(node, 'function_name')}`)
  if (keys.length < groups.length) return keys
  const hint = 'Add the same call to GROUP BY, or its alias where that is not the name of a column.'
  throw unsupported(context, node, `${textOf(node, 'function_name')} that is not in GROUP BY`, hint)
}

/** GROUP BY may name an item by its position, or by its alias where no column has that name. */
function meaningOf(group: Node, items: readonly Node[], scope: Scope): Node {
  const position = integerOf(group)
  if (position !== undefined) return items[Number(position) - 1] ?? group
  const names = classOf(group) === 'COLUMN_REF' ? textsOf(group, 'column_names') : []
  if (names.length !== 1 || findColumn(names, scope).table !== undefined) return group
  return items.find((item) => item.alias === names[0]) ?? group
}

type Replace = (node: Node) => Node | undefined

/** A copy in which every expression that `replace` knows is replaced, outermost first; subqueries are left alone. */
function replaceIn(tree: Json, replace: Replace): Json {
  if (isArray(tree)) return tree.map((item) => replaceIn(item, replace))
  if (!isObject(tree) || classOf(tree) === 'SUBQUERY') return tree
  const replaced = replace(tree)
  if (replaced !== undefined) return replaced
  return Object.fromEntries(Object.entries(tree).map(([key, value]) => [key, replaceIn(value, replace)]))
}

/** Columns of the filled table in place of the window, the keys and whatever is computed per group. */
function replacement(
  context: RewriteContext,
  { window, keys, values }: GapQuestion & { readonly values: { node: Node; fill: GapFill }[] },
  scope: Scope,
): Replace {
  const byKey = new Map(keys.map((key, at) => [identityOf(key, scope), `k${at + 1}`]))
  const valueColumn = (node: Node, fill: GapFill) => {
    const known = values.findIndex((value) => value.fill === fill && identityOf(value.node) === identityOf(node))
    if (known < 0) values.push({ node, fill })
    return columnNode([`v${known < 0 ? values.length : known + 1}`], locationOf(node))
  }
  return (node) => {
    if (isAbsent(node.class)) return undefined
    if (isWindowCall(node)) return columnNode(['w'], locationOf(window.node))
    const key = byKey.get(identityOf(node, scope))
    if (key !== undefined) return columnNode([key], locationOf(node))
    if (isCallOf(node, 'locf', 'interpolate')) {
      return valueColumn(filledArgument(context, node), textOf(node, 'function_name') as GapFill)
    }
    const rule = classOf(node) === 'FUNCTION' ? findFunction(textOf(node, 'function_name')) : undefined
    return rule?.kind === 'aggregate' ? valueColumn(withoutWindow(context, node), 'none') : undefined
  }
}

function filledArgument(context: RewriteContext, node: Node): Node {
  const [argument, ...rest] = childrenOf(node, 'children')
  if (argument !== undefined && rest.length === 0) return withoutWindow(context, argument)
  const message = `Datafusion: Error during planning: ${textOf(node, 'function_name')} takes one aggregate, such as avg(temp).`
  throw errorAt(context, node, 'PLANNING', message)
}

function withoutWindow(context: RewriteContext, value: Node): Node {
  replaceIn(value, (node) => {
    if (isWindowCall(node)) throw unsupported(context, node, `${textOf(node, 'function_name')} inside another function`)
    return undefined
  })
  return value
}

function outerItem(context: RewriteContext, item: Node, scope: Scope, replace: Replace): Node {
  const names = classOf(item) === 'COLUMN_REF' ? textsOf(item, 'column_names') : []
  const own = names.length > 0 ? (names.at(-1) as string) : headingOf(item, scope)
  const alias = isAbsent(item.alias) || !namesItself(item) ? own : (item.alias as string)
  if (names.length > 0 && replace(item) === undefined && findColumn(names, scope).column !== undefined) {
    const message = `Datafusion: Error during planning: Projection references non-aggregate values: Expression ${headingOf(item, scope)} could not be resolved from available columns`
    throw errorAt(context, item, 'PLANNING', message, { column: own, hint: 'Add it to GROUP BY.' })
  }
  return { ...(replaceIn({ ...item, alias: '' }, replace) as Node), alias }
}

/** Without ORDER BY, the rows of one series stand together, in the order of time. */
function orderedModifiers(modifiers: readonly Node[], keys: readonly Node[]): readonly Node[] {
  if (modifiers.some((modifier) => typeOf(modifier) !== 'LIMIT_MODIFIER')) return modifiers
  const names = [...keys.map((_, at) => `k${at + 1}`), 'w']
  const orders = names.map((name) => ({
    type: 'ASCENDING',
    null_order: 'ORDER_DEFAULT',
    expression: columnNode([name]),
  }))
  return [{ type: 'ORDER_MODIFIER', orders }, ...modifiers]
}
