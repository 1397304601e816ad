import type { RewriteContext } from './select-context.ts'
import { selectError } from './select-errors.ts'
import { childOf, childrenOf, classOf, integerNode, isConstant, mapNodes, type Node, sizeOf } from './select-tree.ts'

/** A template may hold an argument several times, so that calls inside calls inside calls multiply. */
const LARGEST = 100_000
const TOO_DEEP = 'The calls of functions are nested too deeply.'
const SPLIT = 'Compute the inner ones in a subquery.'

/** Puts arguments into a template; all its nodes get the position of the call, so that errors point there. */
export function fillTemplate(context: RewriteContext, text: string, parts: readonly Node[], location: number): Node {
  const tree = context.template(text)
  if (tree === undefined) return integerNode(0, location)
  const filled = mapNodes(tree, (node) => {
    if (classOf(node) === 'PARAMETER')
      return { ...(parts[Number(node.identifier) - 1] as Node), alias: node.alias ?? '' }
    const placed = 'query_location' in node ? { ...node, query_location: location } : node
    return extracted(placed) ?? placed
  }) as Node
  if (sizeOf(filled) > LARGEST) throw selectError('UNSUPPORTED', TOO_DEEP, context.source, location, { hint: SPLIT })
  return filled
}

const calls = (node: Node, name: string) => classOf(node) === 'FUNCTION' && node.function_name === name

/** The member itself for `struct_extract(struct_pack(…), 'member')`, so that only what is asked for is computed. */
function extracted(node: Node): Node | undefined {
  if (!calls(node, 'struct_extract')) return undefined
  const [struct, name] = childrenOf(node, 'children')
  if (struct === undefined || !calls(struct, 'struct_pack') || name === undefined || !isConstant(name)) return undefined
  const wanted = childOf(name, 'value').value
  const member = childrenOf(struct, 'children').find((child) => child.alias === wanted)
  return member === undefined ? undefined : { ...member, alias: node.alias ?? '' }
}
