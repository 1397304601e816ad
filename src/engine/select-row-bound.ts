import { isAbsent } from './select-json.ts'
import {
  childOf,
  childrenOf,
  classOf,
  integerOf,
  isConstant,
  type Node,
  optionalChildOf,
  typeOf,
} from './select-tree.ts'

/** The most rows a query yields, where its text tells: one of aggregates alone, and what LIMIT says. */
export function mostRows(query: Node): number | undefined {
  const limit = limitOf(query)
  const own = typeOf(query) === 'SET_OPERATION_NODE' ? ofBothSides(query) : ofAggregates(query)
  return limit === undefined || own === undefined ? (limit ?? own) : Math.min(limit, own)
}

function ofBothSides(query: Node): number | undefined {
  const left = mostRows(childOf(query, 'left'))
  const right = mostRows(childOf(query, 'right'))
  return left === undefined || right === undefined ? undefined : left + right
}

/** Of the aggregates that take rows and give one value; others stay unknown. */
const AGGREGATES: ReadonlySet<unknown> = new Set(['count_star', 'count', 'min', 'max', 'sum', 'avg'])

const isAggregate = (item: Node) => classOf(item) === 'FUNCTION' && AGGREGATES.has(item.function_name)

function ofAggregates(query: Node): number | undefined {
  const isPlain = typeOf(query) === 'SELECT_NODE' && query.aggregate_handling === 'STANDARD_HANDLING'
  if (!isPlain || !isAbsent(query.group_expressions) || !isAbsent(query.group_sets)) return undefined
  const items = childrenOf(query, 'select_list')
  const isOneRow = items.some(isAggregate) || typeOf(childOf(query, 'from_table')) === 'EMPTY'
  return isOneRow && items.every((item) => isAggregate(item) || isConstant(item)) ? 1 : undefined
}

function limitOf(query: Node): number | undefined {
  const limits = childrenOf(query, 'modifiers').flatMap((modifier) => {
    const limit = typeOf(modifier) === 'LIMIT_MODIFIER' ? optionalChildOf(modifier, 'limit') : undefined
    const rows = limit && integerOf(limit)
    return rows === undefined ? [] : [Number(rows)]
  })
  return limits.length === 0 ? undefined : Math.min(...limits)
}
