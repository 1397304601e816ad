import { isTimeType } from './functions/rule.ts'
import { FILL_METHODS, FILLED_TIMES, filledValues } from './functions/value-fill.ts'
import { errorAt, type RewriteContext, type Typed, unsupported } from './select-context.ts'
import { headingOf } from './select-headings.ts'
import { isAbsent, isArray } from './select-json.ts'
import type { Scope, ScopeColumn } from './select-scope.ts'
import { fillTemplate } from './select-template.ts'
import { childOf, childrenOf, classOf, constantType, locationOf, type Node, textOf } from './select-tree.ts'

/** A column of the SELECT list, checked and rewritten. */
interface FilledColumn {
  readonly node: Node
  readonly columns: readonly ScopeColumn[]
}

const isValueFill = (item: Node) => classOf(item) === 'FUNCTION' && textOf(item, 'function_name') === 'value_fill'

/**
 * `SELECT value_fill(time, x, 'method=…') FROM t`: all rows in order of time, as two columns, with a value for every
 * NaN. Undefined for every other SELECT list.
 */
export function valueFillColumns(
  context: RewriteContext,
  select: Node,
  scope: Scope,
  rewrite: (child: Node) => Typed,
): readonly FilledColumn[] | undefined {
  const items = childrenOf(select, 'select_list')
  const call = items.find(isValueFill)
  if (call === undefined) return undefined
  refuseOthers(context, select, call, items.length)
  const children = childrenOf(call, 'children')
  const [time, value] = children.map(rewrite)
  const isSeries = time !== undefined && value !== undefined && (time.type === undefined || isTimeType(time.type))
  const isOther = isTimeType(value?.type) || value?.type === 'BOOLEAN' || value?.type === 'VARCHAR'
  if (!isSeries || isOther || children.length > 3) {
    throw wrong(context, call, "value_fill takes a time, a number and an optional 'method=…'.")
  }
  const values = filledValues(methodOf(context, call, children[2]))
  if (values === undefined) {
    const hint = `Take 'method=${FILL_METHODS.join("', 'method=")}', or leave it out, which is linear.`
    throw unsupported(context, call, 'This method of value_fill', hint)
  }
  const filled = (template: string, name: string, type: string | undefined): FilledColumn => ({
    node: { ...fillTemplate(context, template, [time.node, value.node], locationOf(call)), alias: name },
    columns: [{ name, type }],
  })
  const written = `value_fill(${children.map((child) => headingOf(child, scope)).join(', ')})`
  const heading = isAbsent(call.alias) ? written : String(call.alias)
  return [filled(FILLED_TIMES, 'time', time.type), filled(values, heading, 'DOUBLE')]
}

function refuseOthers(context: RewriteContext, select: Node, call: Node, width: number): void {
  const isGrouped = childrenOf(select, 'group_expressions').length > 0
  const isOrdered = isArray(select.modifiers) && select.modifiers.length > 0
  if (width === 1 && !isGrouped && !isOrdered && isAbsent(select.having) && isAbsent(select.qualify)) return
  const hint = 'Put it alone into a subquery: SELECT … FROM (SELECT value_fill(…) FROM … WHERE …) AS q.'
  throw unsupported(context, call, 'value_fill beside other columns, GROUP BY, ORDER BY or LIMIT', hint)
}

const wrong = (context: RewriteContext, node: Node, message: string) =>
  errorAt(context, node, 'PLANNING', `Datafusion: Error during planning: ${message}`)

/** `method=mean` is the only setting there is. */
function methodOf(context: RewriteContext, call: Node, settings: Node | undefined): string {
  if (settings === undefined) return 'linear'
  const text = constantType(settings) === 'VARCHAR' ? String(childOf(settings, 'value').value) : undefined
  if (text === '') return 'linear'
  const method = /^method=(\w+)$/.exec(text ?? '')?.[1]?.toLowerCase()
  if (method === undefined) throw wrong(context, call, "value_fill takes 'method=…' as a literal.")
  if (method === 'ar' || method === 'ma' || FILL_METHODS.includes(method)) return method
  throw wrong(context, call, `Invalid fill method: ${method}.`)
}
