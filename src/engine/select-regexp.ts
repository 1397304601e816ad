import { errorAt, type RewriteContext, type Typed, unsupported } from './select-context.ts'
import {
  childOf,
  constantType,
  functionNode,
  integerNode,
  locationOf,
  type Node,
  stringNode,
  textOf,
} from './select-tree.ts'

/**
 * `regexp_match(text, pattern[, flags])`: the capture groups of the first match as a list, or the whole match when
 * the pattern has no groups; NULL without a match. The number of groups is read from the pattern, so it is a literal.
 */
export function regexpMatch(context: RewriteContext, node: Node, typed: readonly Typed[]): Typed {
  const [text, pattern, flags] = typed.map((part) => part.node)
  if (text === undefined || pattern === undefined || typed.length > 3) {
    const message = `Datafusion: Error during planning: The function "regexp_match" does not accept ${typed.length} function arguments.`
    throw errorAt(context, node, 'PLANNING', message)
  }
  if (constantType(pattern) !== 'VARCHAR') throw unsupported(context, node, 'regexp_match with a computed pattern')
  const location = locationOf(node)
  const options = flags ?? stringNode('', location)
  const extract = (group: number) =>
    functionNode('regexp_extract', [text, pattern, integerNode(group, location), options], location)
  const count = countGroups(textOf(childOf(pattern, 'value'), 'value'))
  const groups = count === 0 ? [extract(0)] : Array.from({ length: count }, (_, at) => extract(at + 1))
  return {
    node: {
      class: 'CASE',
      type: 'CASE_EXPR',
      alias: '',
      query_location: location,
      case_checks: [
        {
          when_expr: functionNode('regexp_matches', [text, pattern, options], location),
          then_expr: functionNode('list_value', groups, location),
        },
      ],
      else_expr: nullNode(location),
    },
    type: undefined,
  }
}

const nullNode = (location: number): Node => ({
  ...stringNode('', location),
  value: { type: { id: 'NULL', type_info: null }, is_null: true },
})

/** Capture groups of an RE2 pattern: parentheses that are neither escaped, nor in a class, nor `(?:`. */
export function countGroups(pattern: string): number {
  const bare = pattern.replace(/\\Q.*?(\\E|$)|\\./gs, '').replace(/\[\]?[^\]]*\]/g, '')
  return [...bare.matchAll(/\((?!\?)|\(\?P?<(?![=!])/g)].length
}
