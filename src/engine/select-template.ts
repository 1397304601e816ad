import type { RewriteContext } from './select-context.ts'
import { classOf, integerNode, mapNodes, type Node } from './select-tree.ts'

/** Puts arguments into a template; all its nodes get the position of the call, so that errors point there. */
export function fillTemplate(context: RewriteContext, text: string, parts: readonly Node[], location: number): Node {
  const tree = context.template(text)
  if (tree === undefined) return integerNode(0, location)
  return mapNodes(tree, (node) => {
    if (classOf(node) === 'PARAMETER')
      return { ...(parts[Number(node.identifier) - 1] as Node), alias: node.alias ?? '' }
    return 'query_location' in node ? { ...node, query_location: location } : node
  }) as Node
}
