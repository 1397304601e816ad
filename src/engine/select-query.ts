import { errorAt, type RewriteContext, type RewrittenQuery, type Typed, unsupported } from './select-context.ts'
import { rewriteExpression } from './select-expression.ts'
import { renameColumns, rewriteFrom } from './select-from.ts'
import { rewriteGapfill } from './select-gapfill.ts'
import { headingOf, namesItself } from './select-headings.ts'
import { isAbsent, type Json } from './select-json.ts'
import { rewriteOrders } from './select-order.ts'
import type { CommonTable, Scope, ScopeColumn, ScopeTable } from './select-scope.ts'
import { expandSelector } from './select-selector.ts'
import { type LateralRows, withLateralRows } from './select-time-window.ts'
import { childOf, childrenOf, classOf, type Node, optionalChildOf, textOf, textsOf, typeOf } from './select-tree.ts'
import { valueFillColumns } from './select-value-fill.ts'

/** Checks and rewrites a query and everything in it. `outer` holds no tables of the query itself. */
export function rewriteQuery(context: RewriteContext, node: Node, outer: Scope): RewrittenQuery {
  switch (typeOf(node)) {
    case 'SELECT_NODE':
      return rewriteSelect(context, node, outer)
    case 'SET_OPERATION_NODE':
      return rewriteSetOperation(context, node, outer)
    case 'RECURSIVE_CTE_NODE':
      throw unsupported(context, node, 'WITH RECURSIVE')
    default:
      throw unsupported(context, node, `The query ${typeOf(node)}`)
  }
}

const SELECT_MEMBERS: ReadonlySet<string> = new Set([
  ...['type', 'modifiers', 'cte_map', 'select_list', 'from_table', 'where_clause', 'group_expressions', 'group_sets'],
  ...['aggregate_handling', 'having', 'qualify'],
])
const SET_MEMBERS: ReadonlySet<string> = new Set([
  'type',
  'modifiers',
  'cte_map',
  'setop_type',
  'left',
  'right',
  'setop_all',
])

function refuseUnknownMembers(context: RewriteContext, node: Node, known: ReadonlySet<string>): void {
  for (const [key, value] of Object.entries(node)) {
    if (!known.has(key) && !isAbsent(value)) throw unsupported(context, node, `A query with ${key}`)
  }
}

interface CommonTables {
  readonly map: Node
  readonly scope: Scope
}

/**
 * Every CTE gets a name of ours: should DuckDB not find it where we do, it finds nothing, and no file. A CTE sees
 * those before it, not itself.
 */
function rewriteCommonTables(context: RewriteContext, node: Node, outer: Scope): CommonTables {
  const tables = new Map<string, CommonTable>(outer.commonTables)
  const map = childrenOf(childOf(node, 'cte_map'), 'map').map((entry) => {
    const info = childOf(entry, 'value')
    if (!isAbsent(info.key_targets)) throw unsupported(context, node, 'WITH … USING KEY')
    const statement = childOf(info, 'query')
    const query = context.query(childOf(statement, 'node'), { ...outer, commonTables: new Map(tables) })
    const name = context.nextName()
    tables.set(textOf(entry, 'key'), { name, columns: renameColumns(query.columns, textsOf(info, 'aliases')) })
    const value = { ...info, query: { ...statement, node: query.node }, materialized: materialized(info) }
    return { key: name, value }
  })
  return { map: { map }, scope: { ...outer, commonTables: tables } }
}

/** NOT MATERIALIZED is a hint that DuckDB's printer drops. */
const materialized = (info: Node): Json =>
  info.materialized === 'CTE_MATERIALIZE_ALWAYS' ? info.materialized : 'CTE_MATERIALIZE_DEFAULT'

function rewriteSelect(outerContext: RewriteContext, select: Node, outer: Scope): RewrittenQuery {
  const lateral: LateralRows = new Map()
  const context = { ...outerContext, lateral }
  refuseUnknownMembers(context, select, SELECT_MEMBERS)
  const common = rewriteCommonTables(context, select, outer)
  const from = rewriteFrom(context, childOf(select, 'from_table'), common.scope)
  const scope: Scope = { tables: from.tables, commonTables: common.scope.commonTables, parent: outer.parent }
  const filled = rewriteGapfill(context, select, scope, common.scope)
  if (filled !== undefined) return withCommonTables(filled, common.map)
  const node = expandSelector(context, select, scope)
  const rewrite = (child: Node) => rewriteExpression(context, child, scope)
  const optional = (key: string) => {
    const child = optionalChildOf(node, key)
    return child === undefined ? null : rewrite(child).node
  }
  const items =
    valueFillColumns(context, node, scope, rewrite) ??
    childrenOf(node, 'select_list').map((item) => rewriteItem(context, item, scope))
  const clauses = {
    where_clause: optional('where_clause'),
    group_expressions: childrenOf(node, 'group_expressions').map((child) => rewrite(child).node),
    having: optional('having'),
    qualify: optional('qualify'),
    modifiers: rewriteModifiers(context, node, rewrite),
  }
  const from_table = withLateralRows(from.node, lateral)
  const select_list = items.map((item) => hideLateralRows(item.node, lateral))
  return { node: { ...node, ...clauses, cte_map: common.map, from_table, select_list }, columns: allColumns(items) }
}

function withCommonTables({ node, columns }: RewrittenQuery, { map }: Node): RewrittenQuery {
  const own = childrenOf(childOf(node, 'cte_map'), 'map')
  return { node: { ...node, cte_map: { map: [...(map as readonly Node[]), ...own] } }, columns }
}

/** `*` does not mean the columns that sliding windows have added. */
function hideLateralRows(item: Node, lateral: LateralRows): Node {
  const isStar = classOf(item) === 'STAR' && item.relation_name === ''
  if (!isStar || lateral.size === 0) return item
  return { ...item, exclude_list: [...textsOf(item, 'exclude_list'), ...[...lateral.values()].map(({ name }) => name)] }
}

interface SelectItem {
  readonly node: Node
  /** Several for `*`; undefined when they cannot be told. */
  readonly columns: readonly ScopeColumn[] | undefined
}

function allColumns(items: readonly SelectItem[]): readonly ScopeColumn[] | undefined {
  const columns: ScopeColumn[] = []
  for (const item of items) {
    if (item.columns === undefined) return undefined
    columns.push(...item.columns)
  }
  return columns
}

function rewriteItem(context: RewriteContext, item: Node, scope: Scope): SelectItem {
  if (classOf(item) === 'STAR') return rewriteStar(context, item, scope)
  const typed = rewriteExpression(context, item, scope)
  const isWord = classOf(item) === 'COLUMN_REF' && classOf(typed.node) !== 'COLUMN_REF' && isAbsent(item.alias)
  const heading = namesItself(item) && !isWord ? '' : headingOf(item, scope)
  const node = heading === '' ? typed.node : { ...typed.node, alias: heading }
  return { node, columns: [{ name: itemName(item, heading), type: typed.type, clientType: typed.clientType }] }
}

function itemName(item: Node, heading: string): string {
  if (typeof item.alias === 'string' && item.alias !== '') return item.alias
  return classOf(item) === 'COLUMN_REF' && heading === '' ? (textsOf(item, 'column_names').at(-1) as string) : heading
}

function rewriteStar(context: RewriteContext, star: Node, scope: Scope): SelectItem {
  const isPlain = star.columns === false && isAbsent(star.expr) && isAbsent(star.qualified_exclude_list)
  if (!isPlain || !isAbsent(star.rename_list)) throw unsupported(context, star, 'COLUMNS(…) or RENAME')
  const relation = textOf(star, 'relation_name')
  const excluded = new Set(textsOf(star, 'exclude_list').map((name) => name.toLowerCase()))
  const replaced = new Map<string, Typed>()
  const replace_list = childrenOf(star, 'replace_list').map((entry) => {
    const typed = rewriteExpression(context, childOf(entry, 'value'), scope)
    replaced.set(textOf(entry, 'key').toLowerCase(), typed)
    return { ...entry, value: typed.node }
  })
  const tables = scope.tables.filter((table) => relation === '' || table.alias === relation)
  const columns = starColumns(tables)
    ?.filter((column) => !excluded.has(column.name.toLowerCase()))
    .map((column) => {
      const { type, clientType } = replaced.get(column.name.toLowerCase()) ?? column
      return { name: column.name, type, clientType }
    })
  return { node: { ...star, replace_list }, columns }
}

/** Undefined when columns of one name may have been merged by USING or NATURAL. */
function starColumns(tables: readonly ScopeTable[]): readonly ScopeColumn[] | undefined {
  const columns = tables.flatMap((table) => table.columns ?? [])
  const names = new Set(columns.map((column) => column.name.toLowerCase()))
  const isKnown = tables.every((table) => table.columns !== undefined)
  return isKnown && names.size === columns.length ? columns : undefined
}

const SET_OPERATIONS: readonly string[] = ['UNION', 'EXCEPT', 'INTERSECT', 'UNION_BY_NAME']

function rewriteSetOperation(context: RewriteContext, node: Node, outer: Scope): RewrittenQuery {
  refuseUnknownMembers(context, node, SET_MEMBERS)
  if (!SET_OPERATIONS.includes(textOf(node, 'setop_type'))) throw unsupported(context, node, String(node.setop_type))
  const { map, scope } = rewriteCommonTables(context, node, outer)
  const left = context.query(childOf(node, 'left'), scope)
  const right = context.query(childOf(node, 'right'), scope)
  const inScope: Scope = { ...scope, tables: [{ alias: '', path: [], columns: left.columns }] }
  const rewrite = (child: Node) => rewriteExpression(context, child, inScope)
  const columns = left.columns?.map((column, at) => {
    const other = right.columns?.[at]
    return other?.type === column.type && other?.clientType === column.clientType
      ? column
      : { name: column.name, type: undefined }
  })
  return {
    node: {
      ...node,
      cte_map: map,
      left: left.node,
      right: right.node,
      modifiers: rewriteModifiers(context, node, rewrite),
    },
    columns,
  }
}

type Rewrite = (child: Node) => Typed

/** ORDER BY, LIMIT, OFFSET and DISTINCT. */
function rewriteModifiers(context: RewriteContext, node: Node, rewrite: Rewrite): readonly Node[] {
  return childrenOf(node, 'modifiers').map((modifier) => {
    switch (typeOf(modifier)) {
      case 'ORDER_MODIFIER':
        return { ...modifier, orders: rewriteOrders(childrenOf(modifier, 'orders'), rewrite) }
      case 'LIMIT_MODIFIER':
        return {
          ...modifier,
          limit: rewriteOptional(modifier, 'limit', rewrite),
          offset: rewriteOptional(modifier, 'offset', rewrite),
        }
      case 'DISTINCT_MODIFIER':
        return {
          ...modifier,
          distinct_on_targets: childrenOf(modifier, 'distinct_on_targets').map((child) => rewrite(child).node),
        }
      default:
        throw errorAt(context, modifier, 'UNSUPPORTED', `${typeOf(modifier)} is not available.`)
    }
  })
}

function rewriteOptional(node: Node, key: string, rewrite: Rewrite): Node | null {
  const child = optionalChildOf(node, key)
  return child === undefined ? null : rewrite(child).node
}
