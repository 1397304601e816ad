import { isTimeType, type KnownType } from './functions/rule.ts'
import { FIRST_WINDOW, LAST_WINDOW, WINDOW_STARTS } from './functions/time-window.ts'
import { errorAt, type RewriteContext } from './select-context.ts'
import { rewriteExpression } from './select-expression.ts'
import { isArray, isObject, type Json, NO_LOCATION, printTree } from './select-json.ts'
import { type CommonTable, findColumn, type Scope, type ScopeColumn } from './select-scope.ts'
import { fillTemplate } from './select-template.ts'
import {
  childOf,
  childrenOf,
  classOf,
  columnNode,
  functionNode,
  INTEGER_TYPES,
  integerNode,
  joinItem,
  locationOf,
  mapNodes,
  type Node,
  optionalChildOf,
  selectAll,
  stringNode,
  subqueryItem,
  TRUE,
  tableNode,
  textsOf,
  typeOf,
} from './select-tree.ts'

/** How the gaps of a column are filled; `none` leaves NULL. */
export type GapFill = 'none' | 'locf' | 'interpolate'

/** The arguments of `time_window_gapfill`, with those left out in place. */
export interface WindowCall {
  readonly node: Node
  readonly time: Node
  readonly width: Node
  readonly slide: Node
  readonly origin: Node
}

/** What a SELECT with `time_window_gapfill` asks for. */
export interface GapQuestion {
  readonly window: WindowCall
  /** What else it groups by. */
  readonly keys: readonly Node[]
  /** Every value that is computed per group, with what fills its gaps. */
  readonly values: readonly { readonly node: Node; readonly fill: GapFill }[]
}

interface FilledTable {
  /** Entries of WITH, in the order they need. */
  readonly entries: readonly Node[]
  /** Columns `k1`…, `w`, `v1`…: keys, window, values. */
  readonly table: CommonTable
}

/** The groups of `select`, with a row for every window of every combination of keys. */
export function filledTable(
  context: RewriteContext,
  select: Node,
  question: GapQuestion,
  scope: Scope,
  commonScope: Scope,
): FilledTable {
  const { window, keys, values } = question
  const source = context.query(sourceQuery(select, question), commonScope)
  const names = { source: context.nextName(), keys: context.nextName(), windows: context.nextName() }
  const table = context.nextName()
  const types = source.columns ?? []
  const bounds = boundsOf(context, select, window.time, scope)
  const columns = filledColumns(context, question, types)
  return {
    entries: [
      entry(names.source, source.node),
      entry(names.keys, keysQuery(names.source, keys.length)),
      entry(names.windows, windowsQuery(context, names.source, window, bounds, scope)),
      entry(table, filledQuery(context, names, question, types)),
    ],
    table: { name: table, columns: columns.slice(0, keys.length + 1 + values.length) },
  }
}

const ONE = integerNode(1)

const entry = (key: string, node: Node): Node => ({
  key,
  value: {
    aliases: [],
    query: { node, named_param_map: [] },
    materialized: 'CTE_MATERIALIZE_DEFAULT',
    key_targets: [],
  },
})

/** The user's own groups: `k1`… and `w`, and what is computed for each as `v1`…. */
function sourceQuery(select: Node, { window, keys, values }: GapQuestion): Node {
  const start = windowStart(window)
  return {
    ...select,
    cte_map: { map: [] },
    modifiers: [],
    select_list: [
      ...keys.map((key, at) => ({ ...key, alias: `k${at + 1}` })),
      { ...start, alias: 'w' },
      ...values.map(({ node }, at) => ({ ...node, alias: `v${at + 1}` })),
    ],
    group_expressions: [...keys.map((key) => ({ ...key, alias: '' })), start],
    group_sets: [[...keys, start].map((_, at) => at)],
  }
}

const keyNames = (count: number) => Array.from({ length: count }, (_, at) => `k${at + 1}`)

/** One row for every series; where there are no keys, one row if there is any data. */
function keysQuery(source: string, count: number): Node {
  const names = count === 0 ? ['w'] : keyNames(count)
  const select = { ...selectAll(tableNode(source, '')), select_list: names.map((name) => columnNode([name])) }
  if (count > 0) return { ...select, modifiers: [{ type: 'DISTINCT_MODIFIER', distinct_on_targets: [] }] }
  return { ...select, modifiers: [{ type: 'LIMIT_MODIFIER', limit: ONE, offset: null }] }
}

/** The starts of all windows: from the bounds in WHERE, or where there is none, from the data. */
function windowsQuery(
  context: RewriteContext,
  source: string,
  { node, width, slide, origin }: WindowCall,
  bounds: Bounds,
  scope: Scope,
): Node {
  const location = locationOf(node)
  const step = [width, slide, origin].map((part) => rewriteExpression(context, part, scope).node)
  const end = (nodes: readonly Node[], choose: string, template: string, ofData: string) => {
    if (nodes.length === 0) return fillTemplate(context, `epoch_ns(${ofData}($1))`, [columnNode(['w'])], location)
    const bound = nodes.length === 1 ? (nodes[0] as Node) : functionNode(choose, nodes, location)
    return fillTemplate(context, `max(${template})`, [bound, ...step], location)
  }
  const ends = {
    ...selectAll(tableNode(source, '')),
    select_list: [
      { ...end(bounds.lower, 'greatest', FIRST_WINDOW, 'min'), alias: 'lo' },
      { ...end(bounds.upper, 'least', LAST_WINDOW, 'max'), alias: 'hi' },
    ],
  }
  const parts = [columnNode(['lo']), columnNode(['hi']), step[1] as Node]
  const starts = fillTemplate(context, WINDOW_STARTS, parts, location)
  return { ...selectAll(subqueryItem(ends, 'ends')), select_list: [{ ...starts, alias: 'w' }] }
}

/** Ends of the time, inclusive, in nanoseconds. */
interface Bounds {
  readonly lower: readonly Node[]
  readonly upper: readonly Node[]
}

/** What a comparison says of its left side: the end, and what to add to make it inclusive. */
const ENDS: Readonly<Record<string, readonly (readonly ['lower' | 'upper', string])[]>> = {
  COMPARE_GREATERTHAN: [['lower', ' + 1']],
  COMPARE_GREATERTHANOREQUALTO: [['lower', '']],
  COMPARE_LESSTHAN: [['upper', ' - 1']],
  COMPARE_LESSTHANOREQUALTO: [['upper', '']],
  COMPARE_EQUAL: [
    ['lower', ''],
    ['upper', ''],
  ],
}
const MIRRORED: Readonly<Record<string, string>> = {
  COMPARE_GREATERTHAN: 'COMPARE_LESSTHAN',
  COMPARE_GREATERTHANOREQUALTO: 'COMPARE_LESSTHANOREQUALTO',
  COMPARE_LESSTHAN: 'COMPARE_GREATERTHAN',
  COMPARE_LESSTHANOREQUALTO: 'COMPARE_GREATERTHANOREQUALTO',
}

/** The comparisons of the time with values that depend on no row, which all must hold. */
function boundsOf(context: RewriteContext, select: Node, time: Node, scope: Scope): Bounds {
  const bounds = { lower: [] as Node[], upper: [] as Node[] }
  const isTime = (node: Node) => identityOf(node, scope) === identityOf(time, scope)
  const add = (comparison: string, value: Node) => {
    for (const [end, inclusive] of ENDS[comparison] ?? []) {
      const template = `epoch_ns(CAST($1 AS TIMESTAMP_NS))${inclusive}`
      bounds[end].push(fillTemplate(context, template, [value], locationOf(value)))
    }
  }
  for (const condition of conjunctsOf(optionalChildOf(select, 'where_clause'))) {
    const [tested, ...values] = comparedParts(condition)
    if (tested === undefined || values.length === 0) continue
    // The whole condition is rewritten, so that text and integers beside a time become times.
    const rewritten = comparedParts(rewriteExpression(context, condition, scope).node)
    if (classOf(condition) === 'BETWEEN') {
      if (!isTime(tested) || values.some((value) => mentionsColumn(value, scope))) continue
      add('COMPARE_GREATERTHANOREQUALTO', rewritten[1] as Node)
      add('COMPARE_LESSTHANOREQUALTO', rewritten[2] as Node)
    } else if (isTime(tested) && !mentionsColumn(values[0] as Node, scope)) {
      add(typeOf(condition), rewritten[1] as Node)
    } else if (isTime(values[0] as Node) && !mentionsColumn(tested, scope)) {
      add(MIRRORED[typeOf(condition)] ?? typeOf(condition), rewritten[0] as Node)
    }
  }
  return bounds
}

function conjunctsOf(condition: Node | undefined): readonly Node[] {
  if (condition === undefined) return []
  return typeOf(condition) === 'CONJUNCTION_AND' ? childrenOf(condition, 'children').flatMap(conjunctsOf) : [condition]
}

function comparedParts(condition: Node): readonly Node[] {
  switch (classOf(condition)) {
    case 'COMPARISON':
      return [childOf(condition, 'left'), childOf(condition, 'right')]
    case 'BETWEEN':
      return [childOf(condition, 'input'), childOf(condition, 'lower'), childOf(condition, 'upper')]
    default:
      return []
  }
}

function mentionsColumn(tree: Json, scope: Scope): boolean {
  if (isArray(tree)) return tree.some((item) => mentionsColumn(item, scope))
  if (!isObject(tree)) return false
  if (classOf(tree) === 'COLUMN_REF') return findColumn(textsOf(tree, 'column_names'), scope).table !== undefined
  return Object.values(tree).some((value) => mentionsColumn(value, scope))
}

const BEFORE = 'OVER (ORDER BY $2 ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)'
const AFTER = 'OVER (ORDER BY $2 ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)'
const TICKS = 'CASE WHEN $1 IS NOT NULL THEN epoch_ns($2) END IGNORE NULLS'
const LAST = `last_value($1 IGNORE NULLS) ${BEFORE}`
const NEXT = `first_value($1 IGNORE NULLS) ${AFTER}`
const LAST_TICKS = `last_value(${TICKS}) ${BEFORE}`
const NEXT_TICKS = `first_value(${TICKS}) ${AFTER}`
const SHARE = `((epoch_ns($2) - ${LAST_TICKS}) / (${NEXT_TICKS} - ${LAST_TICKS}))`
const LAST_NUMBER = `CAST(${LAST} AS DOUBLE)`
const BETWEEN = `${LAST_NUMBER} + (CAST(${NEXT} AS DOUBLE) - ${LAST_NUMBER}) * ${SHARE}`

/** `$1` is the value, `$2` the window. Integers stay integers, cut towards zero. */
function fillingTemplate(fill: GapFill, type: KnownType): string {
  if (fill === 'none') return '$1'
  if (fill === 'locf') return LAST
  const isWhole = type !== undefined && INTEGER_TYPES.has(type)
  return `coalesce($1, ${isWhole ? `CAST(trunc(${BETWEEN}) AS ${type})` : BETWEEN})`
}

/** Every series with every window, and the values that there are. */
function filledQuery(
  context: RewriteContext,
  names: { readonly source: string; readonly keys: string; readonly windows: string },
  { keys, values }: GapQuestion,
  types: readonly ScopeColumn[],
): Node {
  const keyColumns = keyNames(keys.length)
  const partitions = keyColumns.map((name) => columnNode([names.keys, name]))
  const window = columnNode([names.windows, 'w'])
  const value = ({ node, fill }: GapQuestion['values'][number], at: number): Node => {
    const column = columnNode([names.source, `v${at + 1}`], locationOf(node))
    const template = fillingTemplate(fill, types[keys.length + 1 + at]?.type)
    const filled = fillTemplate(context, template, [column, window], locationOf(node))
    const perSeries = mapNodes(filled, (part) => (classOf(part) === 'WINDOW' ? { ...part, partitions } : part)) as Node
    return { ...perSeries, alias: `v${at + 1}` }
  }
  const isSame = (type: string, name: string, table: string): Node => ({
    class: 'COMPARISON',
    type,
    alias: '',
    query_location: NO_LOCATION,
    left: columnNode([table, name]),
    right: columnNode([names.source, name]),
  })
  const conditions = [
    isSame('COMPARE_EQUAL', 'w', names.windows),
    ...keyColumns.map((name) => isSame('COMPARE_NOT_DISTINCT_FROM', name, names.keys)),
  ]
  const grid = joinItem(tableNode(names.keys, ''), tableNode(names.windows, ''), 'INNER', [TRUE])
  return {
    ...selectAll(joinItem(grid, tableNode(names.source, ''), 'LEFT', conditions)),
    select_list: [...partitions, window, ...values.map(value)],
  }
}

/** What is known of `k1`…, `w`, `v1`…. */
function filledColumns(
  context: RewriteContext,
  { keys, values }: GapQuestion,
  types: readonly ScopeColumn[],
): readonly ScopeColumn[] {
  values.forEach(({ node, fill }, at) => {
    const type = types[keys.length + 1 + at]?.type
    const isNoNumber = type === 'VARCHAR' || type === 'BOOLEAN' || isTimeType(type)
    if (fill === 'interpolate' && isNoNumber) {
      const message = `Datafusion: Error during planning: interpolate: its argument is a number, not ${type}.`
      throw errorAt(context, node, 'PLANNING', message, { hint: 'Use locf.' })
    }
  })
  const names = [...keyNames(keys.length), 'w', ...values.map((_, at) => `v${at + 1}`)]
  return names.map((name, at) => ({ ...types[at], name, type: name === 'w' ? 'TIMESTAMP_NS' : types[at]?.type }))
}

/** A text that is the same for expressions that mean the same: without positions and aliases, columns by their tables. */
export function identityOf(expression: Node, scope?: Scope): string {
  const plain = mapNodes(expression, (node) => {
    if (!('query_location' in node)) return node
    const bare = { ...node, query_location: NO_LOCATION, alias: '' }
    if (classOf(node) !== 'COLUMN_REF' || scope === undefined) return bare
    const { table, column } = findColumn(textsOf(node, 'column_names'), scope)
    return table === undefined || column === undefined ? bare : { ...bare, column_names: [table.alias, column.name] }
  })
  return printTree(plain)
}

/** The start of the window that a row of the table is in, in words that any SELECT may use. */
function windowStart({ node, time, width, slide, origin }: WindowCall): Node {
  const location = locationOf(node)
  const isTumbling = childrenOf(node, 'children').length === 2
  const call = functionNode('time_window', isTumbling ? [time, width] : [time, width, slide, origin], location)
  return functionNode('get_field', [call, stringNode('start', location)], location)
}
