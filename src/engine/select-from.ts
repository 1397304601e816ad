import { errorAt, type LoadedTable, type RewriteContext, unsupported } from './select-context.ts'
import { rewriteExpression } from './select-expression.ts'
import { isAbsent, isArray, type Json } from './select-json.ts'
import type { Scope, ScopeColumn, ScopeTable } from './select-scope.ts'
import {
  childOf,
  childrenOf,
  locationOf,
  type Node,
  optionalChildOf,
  selectAll,
  subqueryItem,
  TRUE,
  tableNode,
  textOf,
  textsOf,
  typeOf,
} from './select-tree.ts'

interface RewrittenFrom {
  readonly node: Node
  readonly tables: readonly ScopeTable[]
}

interface FromState {
  readonly context: RewriteContext
  /** What a subquery in this FROM sees: common tables, outer queries, and the tables to its left. */
  readonly scope: Scope
}

/** Puts the resolved tables in place of names. Everything that is not a known kind of FROM item is refused. */
export function rewriteFrom(context: RewriteContext, node: Node, scope: Scope): RewrittenFrom {
  return rewriteItem({ context, scope }, node)
}

function rewriteItem(state: FromState, node: Node): RewrittenFrom {
  refuseSample(state, node)
  switch (typeOf(node)) {
    case 'EMPTY':
      return { node, tables: [] }
    case 'BASE_TABLE':
      return rewriteTable(state, node)
    case 'SUBQUERY':
      return rewriteSubqueryItem(state, node)
    case 'JOIN':
      return rewriteJoin(state, node)
    case 'EXPRESSION_LIST':
      return rewriteValues(state, node)
    case 'TABLE_FUNCTION':
      return rewriteTableFunction(state, node)
    default:
      throw unsupported(state.context, node, FROM_NAMES[typeOf(node)] ?? `${typeOf(node)} in FROM`)
  }
}

const FROM_NAMES: Readonly<Record<string, string>> = {
  SHOW_REF: 'DESCRIBE, SHOW or SUMMARIZE inside a query',
  PIVOT: 'PIVOT',
}

function refuseSample({ context }: FromState, node: Node): void {
  if (!isAbsent(node.sample)) throw unsupported(context, node, 'TABLESAMPLE')
}

function rewriteTable(state: FromState, node: Node): RewrittenFrom {
  const { context, scope } = state
  if (!isAbsent(node.at_clause)) throw unsupported(context, node, 'AT')
  const parts = ['catalog_name', 'schema_name', 'table_name']
    .map((key) => textOf(node, key))
    .filter((part) => part !== '')
  const alias = textOf(node, 'alias')
  const renamed = textsOf(node, 'column_name_alias')
  const location = locationOf(node)
  const common = parts.length === 1 ? scope.commonTables.get(parts[0] as string) : undefined
  if (common !== undefined) {
    const name = alias === '' ? (parts[0] as string) : alias
    const columns = renameColumns(common.columns, renamed)
    return {
      node: { ...tableNode(common.name, name, location), column_name_alias: renamed },
      tables: [{ alias: name, path: [], columns }],
    }
  }
  const loaded = context.table(parts, location)
  const name = alias === '' ? freeAlias(loaded?.alias ?? (parts.at(-1) as string), parts, scope.tables) : alias
  const columns = renameColumns(loaded?.columns, renamed)
  context.onTable(name, columns)
  return {
    node: loaded === undefined ? { ...tableNode('pending', name, location) } : inPlace(loaded, name, location, renamed),
    tables: [
      {
        alias: name,
        path: alias === '' ? (loaded?.path ?? parts) : [],
        columns: renameColumns(loaded?.columns, renamed),
      },
    ],
  }
}

/** Two tables of one name from different databases get different names, so that both can be told apart. */
function freeAlias(alias: string, parts: readonly string[], taken: readonly ScopeTable[]): string {
  const isTaken = taken.some((table) => table.alias.toLowerCase() === alias.toLowerCase())
  return isTaken && parts.length > 1 ? parts.join('.') : alias
}

function inPlace({ from }: LoadedTable, alias: string, location: number, renamed: readonly string[]): Node {
  const isSimple = typeOf(from) === 'BASE_TABLE' || typeOf(from) === 'SUBQUERY'
  if (isSimple && isAbsent(from.column_name_alias)) {
    return { ...from, alias, query_location: location, column_name_alias: renamed }
  }
  return { ...subqueryItem(selectAll(from), alias), column_name_alias: renamed }
}

export function renameColumns(
  columns: readonly ScopeColumn[] | undefined,
  names: readonly string[],
): readonly ScopeColumn[] | undefined {
  return columns?.map((column, at) => ({ ...column, name: names[at] ?? column.name }))
}

function rewriteSubqueryItem({ context, scope }: FromState, node: Node): RewrittenFrom {
  const statement = childOf(node, 'subquery')
  const inner = childOf(statement, 'node')
  const query = context.query(inner, { tables: [], commonTables: scope.commonTables, parent: scope })
  const renamed = columnNamesOf(node, inner)
  const alias = textOf(node, 'alias')
  return {
    node: { ...node, subquery: { ...statement, node: query.node }, column_name_alias: renamed },
    tables: [{ alias, path: [], columns: renameColumns(query.columns, renamed) }],
  }
}

/** VALUES without column names: DataFusion says column1, column2… */
function columnNamesOf(node: Node, inner: Node): readonly string[] {
  const renamed = textsOf(node, 'column_name_alias')
  const width = valuesWidth(inner)
  return renamed.length > 0 || width === undefined ? renamed : valueNames(width)
}

export const valueNames = (width: number) => Array.from({ length: width }, (_, at) => `column${at + 1}`)

/** The number of columns when the query is a bare VALUES list. */
export function valuesWidth(query: Node): number | undefined {
  const from = optionalChildOf(query, 'from_table')
  if (from === undefined || typeOf(from) !== 'EXPRESSION_LIST' || from.alias !== 'valueslist') return undefined
  const [row] = isArray(from.values) ? from.values : []
  return isArray(row) ? row.length : undefined
}

const JOIN_TYPES: readonly string[] = ['INNER', 'LEFT', 'RIGHT', 'OUTER', 'FULL', 'SEMI', 'ANTI']

function rewriteJoin(state: FromState, node: Node): RewrittenFrom {
  const { context, scope } = state
  const refType = textOf(node, 'ref_type')
  const joinType = textOf(node, 'join_type')
  if (!['REGULAR', 'NATURAL', 'CROSS'].includes(refType)) throw unsupported(context, node, `${refType} JOIN`)
  if (!JOIN_TYPES.includes(joinType)) throw unsupported(context, node, `${joinType} JOIN`)
  if (!isAbsent(node.duplicate_eliminated_columns)) throw unsupported(context, node, 'This JOIN')
  const left = rewriteItem(state, childOf(node, 'left'))
  const seen = [...scope.tables, ...left.tables]
  const right = rewriteItem({ context, scope: { ...scope, tables: seen } }, childOf(node, 'right'))
  const tables = [...left.tables, ...right.tables]
  const condition = optionalChildOf(node, 'condition')
  const rewritten =
    condition === undefined ? undefined : rewriteExpression(context, condition, { ...scope, tables }).node
  // DuckDB prints CROSS JOIN as a comma, which binds less tightly than JOIN.
  const isCross = refType === 'CROSS'
  return {
    node: {
      ...node,
      ref_type: isCross ? 'REGULAR' : refType,
      left: left.node,
      right: right.node,
      condition: isCross ? TRUE : (rewritten ?? null),
    },
    tables: joinType === 'SEMI' || joinType === 'ANTI' ? left.tables : tables,
  }
}

function rewriteValues({ context, scope }: FromState, node: Node): RewrittenFrom {
  if (!isAbsent(node.expected_names) || !isAbsent(node.expected_types)) throw unsupported(context, node, 'This VALUES')
  const rows = isArray(node.values) ? node.values : []
  const typed = rows.map((row) =>
    (isArray(row) ? row : []).map((value) => rewriteExpression(context, value as Node, scope)),
  )
  const columns = (typed[0] ?? []).map(({ type }, at) => ({
    name: `col${at}`,
    type: typed.every((row) => row[at]?.type === type) ? type : undefined,
  }))
  const values: Json = typed.map((row) => row.map((value) => value.node))
  return { node: { ...node, values }, tables: [{ alias: textOf(node, 'alias'), path: [], columns }] }
}

const TABLE_FUNCTIONS: ReadonlySet<string> = new Set(['unnest', 'generate_series', 'range'])

/** Rows made from arguments only: nothing that reads a file, a setting or a catalog. */
function rewriteTableFunction({ context, scope }: FromState, node: Node): RewrittenFrom {
  const call = childOf(node, 'function')
  const name = textOf(call, 'function_name')
  const isKnown = TABLE_FUNCTIONS.has(name) && call.schema === '' && call.catalog === ''
  if (!isKnown) throw errorAt(context, node, 'UNSUPPORTED', `Table function ${name} is not available.`)
  if (!isAbsent(call.filter) || call.distinct === true || childrenOf(childOf(call, 'order_bys'), 'orders').length > 0) {
    throw unsupported(context, node, `${name} with DISTINCT, ORDER BY or FILTER`)
  }
  if (node.with_ordinality !== 'WITHOUT_ORDINALITY') throw unsupported(context, node, 'WITH ORDINALITY')
  const children = childrenOf(call, 'children').map((child) => rewriteExpression(context, child, scope).node)
  const alias = textOf(node, 'alias') === '' ? name : textOf(node, 'alias')
  return { node: { ...node, function: { ...call, children } }, tables: [{ alias, path: [], columns: undefined }] }
}
