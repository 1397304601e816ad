import { intervalText } from './functions/interval-text.ts'
import { isTimeType } from './functions/rule.ts'
import type { RewriteContext, Typed } from './select-context.ts'
import { fillTemplate } from './select-template.ts'
import { castNode, locationOf, type Node } from './select-tree.ts'
import { shortTime } from './value-text.ts'

/** A value where text is asked for, spelt as CnosDB does: `1` and `0` for BOOLEAN, `2022-01-01T00:00:00.500` for times. */
export function textOfValue(context: RewriteContext, { node, type }: Typed): Node {
  if (type === undefined || type === 'VARCHAR') return node
  if (type === 'INTERVAL') return fillTemplate(context, intervalText('$1'), [node], locationOf(node))
  if (isTimeType(type)) return fillTemplate(context, shortTime('$1', type), [node], locationOf(node))
  return castNode(type === 'BOOLEAN' ? castNode(node, 'INTEGER') : node, 'VARCHAR')
}

/** Alternatives of one expression: when one of them is text, all are. */
export function alignTexts(context: RewriteContext, parts: readonly Typed[]): readonly Typed[] {
  const needed = parts.some((part) => part.type === 'VARCHAR')
  return needed ? parts.map((part) => ({ node: textOfValue(context, part), type: part.type && 'VARCHAR' })) : parts
}
