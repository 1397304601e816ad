import { findFunction, insteadOf, suggestFunction } from './function-list.ts'
import type { FunctionRule } from './functions/rule.ts'
import { valueFunction } from './select-column.ts'
import { errorAt, nowNode, type RewriteContext, type Typed, unsupported } from './select-context.ts'
import { isArray, isObject, type Json } from './select-json.ts'
import { arrowCast } from './select-literals.ts'
import { rewriteArithmetic } from './select-operator.ts'
import { rewriteOrders } from './select-order.ts'
import { regexpMatch } from './select-regexp.ts'
import { fillTemplate } from './select-template.ts'
import { textOfValue } from './select-text-cast.ts'
import { refuseWindowWidth, slidingWindow } from './select-time-window.ts'
import {
  childOf,
  childrenOf,
  classOf,
  locationOf,
  type Node,
  optionalChildOf,
  textOf,
  textsOf,
  typeOf,
} from './select-tree.ts'

type Rewrite = (child: Node) => Typed

export function rewriteFunction(context: RewriteContext, node: Node, rewrite: Rewrite): Typed {
  refuseForeignSchema(context, node)
  if (node.export_state === true) throw unsupported(context, node, 'EXPORT_STATE')
  const written = textOf(node, 'function_name')
  const children = argumentsOf(context, node, written)
  const name = isCountOfRows(written, children) ? 'count_star' : written
  if (node.is_operator === true && name === '@@') return serverVariable(context, node)
  if (node.is_operator === true) return rewriteArithmetic(context, node, children.map(rewrite))
  const special = specialFunction(context, node, name, children, rewrite)
  if (special !== undefined) return special
  const rule = knownFunction(context, node, name, children.length, false)
  const filter = optionalChildOf(node, 'filter')
  const typed = children.map(rewrite)
  const own: Node = {
    ...node,
    children: typed.map((child) => child.node),
    filter: filter === undefined ? null : rewrite(filter).node,
    order_bys: {
      ...childOf(node, 'order_bys'),
      orders: rewriteOrders(childrenOf(childOf(node, 'order_bys'), 'orders'), rewrite),
    },
  }
  if (rule.kind !== 'aggregate') refuseAggregateClauses(context, own, name)
  return applyRule(context, own, rule, typed)
}

/** `@@server_version`: what DuckDB takes for an operator before a column. */
function serverVariable(context: RewriteContext, node: Node): Typed {
  const [child] = childrenOf(node, 'children')
  const name = `@@${child !== undefined && classOf(child) === 'COLUMN_REF' ? textsOf(child, 'column_names').join('.') : ''}`
  const value = valueFunction(context, name, locationOf(node))
  if (value === undefined) throw unsupported(context, node, `The variable ${name}`)
  return value
}

/** Desugared syntax calls functions of schema `main`; nothing else may be named with a schema. */
function refuseForeignSchema(context: RewriteContext, node: Node): void {
  const { schema, catalog } = node
  const isPlain = (schema === '' || schema === 'main') && catalog === ''
  if (!isPlain)
    throw invalidFunction(context, node, `${String(catalog)}.${String(schema)}.${textOf(node, 'function_name')}`)
}

/** `exact_count(*)` and `count(*)` have no arguments in the tree; any other `*` is refused. */
function argumentsOf(context: RewriteContext, node: Node, name: string): readonly Node[] {
  const children = childrenOf(node, 'children')
  const isStarCount = name === 'exact_count' && children.length === 1 && isPlainStar(children[0] as Node)
  if (isStarCount) return []
  for (const child of children) if (classOf(child) === 'STAR') throw unsupported(context, child, `${name}(*)`)
  return children
}

const isCountOfRows = (name: string, children: readonly Node[]) =>
  children.length === 0 && (name === 'exact_count' || name === 'count')

const isPlainStar = (node: Node) => classOf(node) === 'STAR' && node.columns === false && node.relation_name === ''

function specialFunction(
  context: RewriteContext,
  node: Node,
  name: string,
  children: readonly Node[],
  rewrite: Rewrite,
): Typed | undefined {
  if (children.length === 0) {
    if (name === 'now') return nowNode(context, 'TIMESTAMP_NS', locationOf(node))
    return valueFunction(context, name, locationOf(node))
  }
  if (name === 'arrow_cast') return arrowCast(context, node, children.map(rewrite))
  if (name === 'regexp_match') return regexpMatch(context, node, children.map(rewrite))
  if (name === 'time_window') for (const width of children.slice(1, 3)) refuseWindowWidth(context, name, width)
  if (name === 'time_window' && (children.length === 3 || children.length === 4)) {
    return slidingWindow(context, node, children.map(rewrite))
  }
  if (name !== 'regexp_full_match') return undefined
  const [text, pattern] = children.map(rewrite)
  if (children.length !== 2 || text === undefined || pattern === undefined) throw invalidFunction(context, node, name)
  return regexpOperator(context, node, text, pattern)
}

/** DuckDB's parser makes one call of both `~`, which searches, and SIMILAR TO, which matches the whole text. */
function regexpOperator(context: RewriteContext, node: Node, text: Typed, pattern: Typed): Typed {
  const function_name = isSimilarTo(context, node, pattern.node) ? 'regexp_full_match' : 'regexp_matches'
  return { node: { ...node, function_name, children: [text.node, pattern.node] }, type: 'BOOLEAN' }
}

function isSimilarTo({ source }: RewriteContext, node: Node, pattern: Node): boolean {
  const start = locationOf(node) >= 0 ? locationOf(node) : locationOf(pattern)
  const text = Buffer.from(source.query.text)
  if (locationOf(node) >= 0) return /^(not\s+)?similar\s/i.test(text.subarray(start, start + 40).toString())
  return /similar\s+to\s*\(?\s*$/i.test(text.subarray(Math.max(0, start - 40), start).toString())
}

function knownFunction(context: RewriteContext, node: Node, name: string, count: number, over: boolean): FunctionRule {
  const rule = findFunction(name, over)
  if (rule === undefined) throw invalidFunction(context, node, name)
  if (count >= rule.minimum && count <= rule.maximum) return rule
  const message = `Datafusion: Error during planning: The function "${name}" does not accept ${count} function arguments.`
  throw errorAt(context, node, 'PLANNING', message)
}

const GAPFILL_FUNCTIONS = ['time_window_gapfill', 'date_bin_gapfill', 'locf', 'interpolate']

function invalidFunction(context: RewriteContext, node: Node, name: string) {
  if (GAPFILL_FUNCTIONS.includes(name)) {
    const hint = 'Write SELECT time_window_gapfill(time, INTERVAL …) AS w, locf(avg(x)) FROM … GROUP BY w.'
    return unsupported(context, node, `${name} outside of a SELECT list with time_window_gapfill`, hint)
  }
  const instead = insteadOf(name)
  if (instead !== undefined) return unsupported(context, node, `Function ${name}`, instead)
  const nearest = suggestFunction(name)
  const suggestion = nearest === undefined ? '' : `\nDid you mean '${nearest}'?`
  return errorAt(
    context,
    node,
    'PLANNING',
    `Datafusion: Error during planning: Invalid function '${name}'.${suggestion}`,
  )
}

function refuseAggregateClauses(context: RewriteContext, node: Node, name: string): void {
  const orders = childrenOf(childOf(node, 'order_bys'), 'orders')
  if (node.filter !== null || node.distinct === true || orders.length > 0) {
    const message = `Datafusion: Error during planning: ${name} is not an aggregate: DISTINCT, ORDER BY and FILTER cannot stand here.`
    throw errorAt(context, node, 'PLANNING', message)
  }
}

function applyRule(context: RewriteContext, written: Node, rule: FunctionRule, given: readonly Typed[]): Typed {
  const refusal = rule.refusal?.(given.map((child) => child.type))
  if (refusal !== undefined) {
    throw errorAt(context, written, 'PLANNING', `Datafusion: Error during planning: ${rule.name}: ${refusal}.`)
  }
  const typed = given.map((child, at) => (takesText(rule, at) ? asText(context, child) : child))
  const node: Node = { ...written, children: typed.map((child) => child.node) }
  const types = typed.map((child) => child.type)
  const result = { type: rule.type?.(types), clientType: rule.clientType?.(types) }
  const template = rule.template?.(types)
  if (template === undefined) return { node: { ...node, function_name: rule.call ?? rule.name }, ...result }
  if (node.distinct === true) throw unsupported(context, node, `${rule.name}(DISTINCT …)`)
  const filled = fillTemplate(
    context,
    template,
    typed.map((child) => child.node),
    locationOf(node),
  )
  return { node: node.filter === null ? filled : withFilter(filled, node.filter as Node), ...result }
}

const takesText = ({ text = [] }: FunctionRule, at: number) => text === 'all' || text.includes(at)

const asText = (context: RewriteContext, child: Typed): Typed => ({
  node: textOfValue(context, child),
  type: child.type && 'VARCHAR',
})

/** Hands FILTER down to the aggregate calls of a template. */
function withFilter(tree: Node, filter: Node): Node {
  const visit = (value: Json): Json => {
    if (isArray(value)) return value.map(visit)
    if (!isObject(value)) return value
    if (classOf(value) === 'FUNCTION' && AGGREGATE_CALLS.has(String(value.function_name))) {
      return { ...value, filter: bothOf(value.filter, filter) }
    }
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, visit(member)]))
  }
  return visit(tree) as Node
}

const AGGREGATE_CALLS: ReadonlySet<string> = new Set([
  'arg_min',
  'arg_max',
  'list',
  'approx_quantile',
  'quantile_disc',
  'count',
  'count_star',
  'sum',
  'max',
  'fsum',
  'favg',
  'var_pop',
  'covar_pop',
])

/** Printed and parsed again, `(a AND b) AND c` has three parts. */
function bothOf(own: Json | undefined, added: Node): Node {
  if (!isObject(own)) return added
  const children = [own, added].flatMap((part) => (typeOf(part) === AND ? childrenOf(part, 'children') : [part]))
  return { class: 'CONJUNCTION', type: AND, alias: '', query_location: locationOf(added), children }
}

const AND = 'CONJUNCTION_AND'

const FRAME_MEMBERS = ['start_expr', 'end_expr', 'offset_expr', 'default_expr', 'filter_expr']

/** `f(…) OVER (…)`. */
export function rewriteWindow(context: RewriteContext, node: Node, rewrite: Rewrite): Typed {
  refuseForeignSchema(context, node)
  const name = textOf(node, 'function_name')
  const children = argumentsOf(context, node, name)
  const extra = ['offset_expr', 'default_expr'].filter((key) => optionalChildOf(node, key) !== undefined).length
  const rule = knownFunction(context, node, name, children.length + extra, true)
  const typed = children.map(rewrite)
  const types = typed.map((child) => child.type)
  if (rule.template?.(types) !== undefined) {
    throw unsupported(context, node, `${name}(…) OVER (…)`)
  }
  const frame = FRAME_MEMBERS.map((key) => {
    const member = optionalChildOf(node, key)
    return [key, member === undefined ? null : rewrite(member).node] as const
  })
  return {
    node: {
      ...node,
      ...Object.fromEntries(frame),
      function_name: rule.call ?? rule.name,
      children: typed.map((child) => child.node),
      partitions: childrenOf(node, 'partitions').map((child) => rewrite(child).node),
      orders: rewriteOrders(childrenOf(node, 'orders'), rewrite),
      arg_orders: rewriteOrders(childrenOf(node, 'arg_orders'), rewrite),
    },
    type: rule.type?.(types),
    clientType: rule.clientType?.(types),
  }
}
