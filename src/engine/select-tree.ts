import { CnosError } from '../errors/cnos-error.ts'
import { isArray, isObject, type Json, type JsonObject, NO_LOCATION } from './select-json.ts'

/** Nodes of DuckDB's syntax tree, as `json_serialize_sql` of 1.5.5 writes them. */
export type Node = JsonObject

const surprise = (key: string) => new CnosError('INTERNAL', `The syntax tree has an unexpected "${key}"`)

export function textOf(node: Node, key: string): string {
  const value = node[key]
  if (typeof value !== 'string') throw surprise(key)
  return value
}

export function childOf(node: Node, key: string): Node {
  const value = node[key]
  if (!isObject(value)) throw surprise(key)
  return value
}

export function optionalChildOf(node: Node, key: string): Node | undefined {
  return node[key] === null || node[key] === undefined ? undefined : childOf(node, key)
}

export function childrenOf(node: Node, key: string): readonly Node[] {
  const value = node[key]
  if (!isArray(value) || !value.every(isObject)) throw surprise(key)
  return value as readonly Node[]
}

export function textsOf(node: Node, key: string): readonly string[] {
  const value = node[key]
  if (!isArray(value) || !value.every((item) => typeof item === 'string')) throw surprise(key)
  return value as readonly string[]
}

/** Byte offset into the parsed text; -1 when unknown. */
export function locationOf(node: Node): number {
  return typeof node.query_location === 'number' ? node.query_location : NO_LOCATION
}

export const classOf = (node: Node) => (typeof node.class === 'string' ? node.class : '')
export const typeOf = (node: Node) => (typeof node.type === 'string' ? node.type : '')

/** A copy with every object replaced by `change(object)`, children first. */
export function mapNodes(tree: Json, change: (node: Node) => Node): Json {
  if (isArray(tree)) return tree.map((item) => mapNodes(item, change))
  if (!isObject(tree)) return tree
  return change(Object.fromEntries(Object.entries(tree).map(([key, value]) => [key, mapNodes(value, change)])))
}

const SIZES = new WeakMap<object, number>()

/** How many objects a tree holds; parts that stand in several places are counted in each, and looked at once. */
export function sizeOf(tree: Json): number {
  if (typeof tree !== 'object' || tree === null) return 0
  const known = SIZES.get(tree)
  if (known !== undefined) return known
  let size = isArray(tree) ? 0 : 1
  for (const part of isArray(tree) ? tree : Object.values(tree)) size += sizeOf(part)
  SIZES.set(tree, size)
  return size
}

const NO_ORDERS = { type: 'ORDER_MODIFIER', orders: [] }

export function functionNode(name: string, children: readonly Node[], location = NO_LOCATION): Node {
  return {
    class: 'FUNCTION',
    type: 'FUNCTION',
    alias: '',
    query_location: location,
    function_name: name,
    schema: '',
    children,
    filter: null,
    order_bys: NO_ORDERS,
    distinct: false,
    is_operator: false,
    export_state: false,
    catalog: '',
  }
}

export function stringNode(text: string, location = NO_LOCATION): Node {
  return constantNode({ type: { id: 'VARCHAR', type_info: null }, is_null: false, value: text }, location)
}

export function integerNode(value: number, location = NO_LOCATION): Node {
  return constantNode({ type: { id: 'INTEGER', type_info: null }, is_null: false, value }, location)
}

function constantNode(value: Node, location: number): Node {
  return { class: 'CONSTANT', type: 'VALUE_CONSTANT', alias: '', query_location: location, value }
}

export function castNode(child: Node, typeId: string, location = locationOf(child)): Node {
  return {
    class: 'CAST',
    type: 'OPERATOR_CAST',
    alias: '',
    query_location: location,
    child,
    cast_type: { id: typeId, type_info: null },
    try_cast: false,
  }
}

export function columnNode(names: readonly string[], location = NO_LOCATION): Node {
  return { class: 'COLUMN_REF', type: 'COLUMN_REF', alias: '', query_location: location, column_names: names }
}

export function tableNode(name: string, alias: string, location = NO_LOCATION, schema = ''): Node {
  return {
    type: 'BASE_TABLE',
    alias,
    sample: null,
    query_location: location,
    schema_name: schema,
    table_name: name,
    column_name_alias: [],
    catalog_name: '',
    at_clause: null,
  }
}

/** `(query) AS alias` in FROM. */
export function subqueryItem(query: Node, alias: string): Node {
  return {
    type: 'SUBQUERY',
    alias,
    sample: null,
    query_location: NO_LOCATION,
    subquery: { node: query, named_param_map: [] },
    column_name_alias: [],
  }
}

export const TRUE: Node = castNode(stringNode('t'), 'BOOLEAN')

/** `left JOIN right ON condition AND …`. DuckDB prints CROSS JOIN as a comma, which binds less: use INNER with TRUE. */
export function joinItem(left: Node, right: Node, join_type: string, conditions: readonly Node[]): Node {
  const [only] = conditions
  const all = { class: 'CONJUNCTION', type: 'CONJUNCTION_AND', alias: '', query_location: NO_LOCATION }
  return {
    type: 'JOIN',
    alias: '',
    sample: null,
    query_location: NO_LOCATION,
    left,
    right,
    condition: conditions.length === 1 ? (only as Node) : { ...all, children: conditions },
    join_type,
    ref_type: 'REGULAR',
    using_columns: [],
    delim_flipped: false,
    duplicate_eliminated_columns: [],
  }
}

/** `SELECT * FROM item`. */
export function selectAll(from: Node): Node {
  const star = {
    class: 'STAR',
    type: 'STAR',
    alias: '',
    query_location: NO_LOCATION,
    relation_name: '',
    exclude_list: [],
    replace_list: [],
    columns: false,
    expr: null,
    qualified_exclude_list: [],
    rename_list: [],
  }
  return {
    type: 'SELECT_NODE',
    modifiers: [],
    cte_map: { map: [] },
    select_list: [star],
    from_table: from,
    where_clause: null,
    group_expressions: [],
    group_sets: [],
    aggregate_handling: 'STANDARD_HANDLING',
    having: null,
    sample: null,
    qualify: null,
  }
}

export const isConstant = (node: Node) => classOf(node) === 'CONSTANT'

/** The DuckDB type of a constant, such as `INTEGER`; undefined for anything else and for NULL. */
export function constantType(node: Node): string | undefined {
  if (!isConstant(node)) return undefined
  const value = childOf(node, 'value')
  return value.is_null === true ? undefined : textOf(childOf(value, 'type'), 'id')
}

/** The integer of an integer constant. */
export function integerOf(node: Node): bigint | undefined {
  const type = constantType(node)
  if (type === undefined || !INTEGER_TYPES.has(type)) return undefined
  return wholeOf(childOf(node, 'value').value)
}

export const INTEGER_TYPES: ReadonlySet<string> = new Set([
  'TINYINT',
  'SMALLINT',
  'INTEGER',
  'BIGINT',
  'HUGEINT',
  'UTINYINT',
  'USMALLINT',
  'UINTEGER',
  'UBIGINT',
  'UHUGEINT',
])

/** An integer of the tree; those of 128 bits are stored as halves. */
export function wholeOf(value: Json | undefined): bigint | undefined {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value)
  if (!isObject(value)) return undefined
  const upper = wholeOf(value.upper)
  const lower = wholeOf(value.lower)
  return upper === undefined || lower === undefined ? undefined : (upper << 64n) + lower
}
