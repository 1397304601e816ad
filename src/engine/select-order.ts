import type { Typed } from './select-context.ts'
import { childOf, type Node, typeOf } from './select-tree.ts'

/** Without NULLS FIRST or LAST, CnosDB puts NULLs last in ascending and first in descending order. */
export function rewriteOrders(orders: readonly Node[], rewrite: (child: Node) => Typed): readonly Node[] {
  return orders.map((order) => {
    const descending = typeOf(order) === 'DESCENDING'
    const byDefault = descending ? 'NULLS FIRST' : 'NULLS LAST'
    return {
      type: descending ? 'DESCENDING' : 'ASCENDING',
      null_order: order.null_order === 'ORDER_DEFAULT' ? byDefault : (order.null_order ?? byDefault),
      expression: rewrite(childOf(order, 'expression')).node,
    }
  })
}
