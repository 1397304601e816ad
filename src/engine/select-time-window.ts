import { slidingWindows } from './functions/time-window.ts'
import { intervalOf } from './interval-heading.ts'
import { errorAt, type RewriteContext, type Typed, unsupported } from './select-context.ts'
import { NO_LOCATION, printTree } from './select-json.ts'
import { fillTemplate } from './select-template.ts'
import { columnNode, functionNode, locationOf, mapNodes, type Node } from './select-tree.ts'

/**
 * Tables that sliding windows add to the FROM of their own SELECT, since they put one row into several windows:
 * `unnest(list) AS name(name)`, by the text of the call.
 */
export type LateralRows = Map<string, { readonly name: string; readonly list: Node }>

/** `time_window(time, width, slide[, origin])`. A SELECT can have one kind of sliding window. */
export function slidingWindow(context: RewriteContext, node: Node, typed: readonly Typed[]): Typed {
  const types = typed.map((part) => part.type)
  const parts = typed.map((part) => part.node)
  const list = fillTemplate(context, slidingWindows(types), parts, locationOf(node))
  const rows = context.lateral
  if (rows === undefined) throw unsupported(context, node, 'A sliding time_window here')
  const key = printTree(parts.map(withoutLocation))
  const known = rows.get(key)
  if (known === undefined && rows.size > 0) throw unsupported(context, node, 'A second kind of sliding time_window')
  const { name } = known ?? { name: context.nextName() }
  rows.set(key, { name, list })
  return { node: columnNode([name, name], locationOf(node)), type: undefined }
}

/** A window has the same length everywhere, and some length. */
export function refuseWindowWidth(context: RewriteContext, name: string, width: Node | undefined): void {
  const parts = width === undefined ? undefined : intervalOf(width)
  if (width === undefined || parts === undefined) return
  if (parts.months !== 0n) {
    const hint = "Take days, or group by date_trunc('month', time) instead."
    throw unsupported(context, width, `${name} with months or years`, hint)
  }
  if (parts.days < 0n || parts.nanos < 0n || parts.days + parts.nanos === 0n) {
    const message = `Datafusion: Error during planning: ${name} takes a width that is longer than nothing.`
    throw errorAt(context, width, 'PLANNING', message)
  }
}

const withoutLocation = (tree: Node): Node =>
  mapNodes(tree, (node) => ('query_location' in node ? { ...node, query_location: NO_LOCATION } : node)) as Node

/** The FROM item with the added tables beside it. */
export function withLateralRows(from: Node, rows: LateralRows): Node {
  let joined = from
  for (const { name, list } of rows.values()) joined = crossJoin(joined, unnestItem(name, list))
  return joined
}

const unnestItem = (name: string, list: Node): Node => ({
  type: 'TABLE_FUNCTION',
  alias: name,
  sample: null,
  query_location: locationOf(list),
  function: functionNode('unnest', [list], locationOf(list)),
  column_name_alias: [name],
  with_ordinality: 'WITHOUT_ORDINALITY',
})

const crossJoin = (left: Node, right: Node): Node => ({
  type: 'JOIN',
  alias: '',
  sample: null,
  query_location: NO_LOCATION,
  left,
  right,
  condition: null,
  join_type: 'INNER',
  ref_type: 'CROSS',
  using_columns: [],
  delim_flipped: false,
  duplicate_eliminated_columns: [],
})
