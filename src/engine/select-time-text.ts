import { errorAt, type RewriteContext } from './select-context.ts'
import { fillTemplate } from './select-template.ts'
import {
  castNode,
  childOf,
  constantType,
  functionNode,
  locationOf,
  type Node,
  stringNode,
  textOf,
} from './select-tree.ts'

/** The tick of a column that stands for a text between two ticks; `none` is a time that no row has. */
export type Rounding = 'floor' | 'ceil' | 'none'

/** A date, and after it a time of day with minutes, or nothing. */
const ISO_TIME =
  /^\s*[+-]?\d{1,6}-(0?[1-9]|1[0-2])-(0?[1-9]|[12]\d|3[01])(?:[T ]\s*([01]?\d|2[0-4]):[0-5]?\d(?!\d)|\s*$)/i

/**
 * ISO 8601 text as a time. A literal with more digits than the type has is rounded as asked, so that a comparison with
 * it is exact; any other text to the nearest.
 */
export function textToTime(context: RewriteContext, node: Node, type: string, rounding?: Rounding): Node {
  const text = constantType(node) === 'VARCHAR' ? textOf(childOf(node, 'value'), 'value') : undefined
  if (text !== undefined && !ISO_TIME.test(text)) {
    const message = `Datafusion: Arrow error: Parser error: Error parsing timestamp from '${text}'`
    throw errorAt(context, node, 'PLANNING', message, { hint: "Write a time as '2024-01-01T00:00:00Z'." })
  }
  const floor = text === undefined || rounding === undefined ? undefined : tickBelow(text, type)
  if (floor === undefined) return castText(node, type)
  const location = locationOf(node)
  if (rounding === 'none') return castNode(stringNode('infinity', location), type)
  const below = castText(stringNode(floor, location), type)
  return rounding === 'floor' ? below : fillTemplate(context, NEXT_TICK[type] as string, [below], location)
}

/** DuckDB's cast to microseconds and coarser would ignore the offset. */
function castText(node: Node, type: string): Node {
  if (type === 'TIMESTAMP_NS') return castNode(node, type)
  const location = locationOf(node)
  const zoned = castNode(node, 'TIMESTAMP WITH TIME ZONE')
  return castNode(functionNode('timezone', [stringNode('UTC', location), zoned], location), type)
}

const DIGITS: Readonly<Record<string, number>> = { TIMESTAMP: 6, TIMESTAMP_MS: 3 }
const NEXT_TICK: Readonly<Record<string, string>> = {
  TIMESTAMP: '($1 + to_microseconds(1))',
  TIMESTAMP_MS: 'CAST($1 + to_milliseconds(1) AS TIMESTAMP_MS)',
}

/** The text without the digits that the type has not; undefined when they say nothing. */
function tickBelow(text: string, type: string): string | undefined {
  const digits = DIGITS[type]
  const parts = /^([^.]*:\d+\.)(\d+)(.*)$/s.exec(text)
  if (digits === undefined || parts === null) return undefined
  const [, whole = '', fraction = '', rest = ''] = parts
  return /[1-9]/.test(fraction.slice(digits)) ? `${whole}${fraction.slice(0, digits)}${rest}` : undefined
}
