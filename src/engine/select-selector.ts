import { errorAt, type RewriteContext, unsupported } from './select-context.ts'
import { headingOf } from './select-headings.ts'
import { isAbsent, isArray } from './select-json.ts'
import type { Scope } from './select-scope.ts'
import { childrenOf, classOf, integerOf, type Node, textOf } from './select-tree.ts'

const DIRECTION: Readonly<Record<string, string>> = { topk: 'DESCENDING', top: 'DESCENDING', bottom: 'ASCENDING' }

const isSelector = (item: Node) =>
  classOf(item) === 'FUNCTION' && Object.hasOwn(DIRECTION, textOf(item, 'function_name'))

/**
 * `SELECT topk(x, k), … FROM t`: the k rows with the greatest x; `bottom`: with the least. The call becomes x, and
 * the query is ordered by it and limited to k.
 */
export function expandSelector(context: RewriteContext, node: Node, scope: Scope): Node {
  const items = childrenOf(node, 'select_list')
  const selectors = items.filter(isSelector)
  const [selector] = selectors
  if (selector === undefined) return node
  const name = textOf(selector, 'function_name')
  const others = ['group_expressions', 'having', 'qualify'].some((key) => !isAbsent(node[key]))
  if (selectors.length > 1 || others)
    throw unsupported(context, selector, `${name} beside another selector or GROUP BY`)
  if (isArray(node.modifiers) && node.modifiers.length > 0) {
    const hint = 'Put the query into a subquery, and order or limit outside of it.'
    throw unsupported(context, selector, `${name} with ORDER BY, LIMIT or DISTINCT`, hint)
  }
  const [value, limit] = childrenOf(selector, 'children')
  const count = limit === undefined ? undefined : integerOf(limit)
  if (value === undefined || limit === undefined || count === undefined || count < 1n) {
    const message = `Datafusion: Error during planning: ${name} takes an expression and a positive number of rows.`
    throw errorAt(context, selector, 'PLANNING', message)
  }
  const alias = isAbsent(selector.alias) ? headingOf(selector, scope) : (selector.alias ?? '')
  const orders = [{ type: DIRECTION[name] as string, null_order: 'NULLS LAST', expression: value }]
  return {
    ...node,
    select_list: items.map((item) => (item === selector ? { ...value, alias } : item)),
    modifiers: [
      { type: 'ORDER_MODIFIER', orders },
      { type: 'LIMIT_MODIFIER', limit, offset: null },
    ],
  }
}
