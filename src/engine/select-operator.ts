import { isTimeType, type KnownType } from './functions/rule.ts'
import { addIntervalTemplate } from './functions/times.ts'
import { errorAt, type RewriteContext, type Typed, unsupported } from './select-context.ts'
import { isIntegerType } from './select-literals.ts'
import { fillTemplate } from './select-template.ts'
import { alignTexts } from './select-text-cast.ts'
import {
  castNode,
  functionNode,
  integerOf,
  isConstant,
  locationOf,
  type Node,
  sizeOf,
  stringNode,
  textOf,
} from './select-tree.ts'

const NUMERIC: ReadonlySet<string> = new Set(['+', '-', '*', '/', '%'])
const BITWISE: ReadonlySet<string> = new Set(['&', '|', '<<', '>>'])
const TEXT_MATCH: ReadonlySet<string> = new Set(['~~', '!~~', '~~*', '!~~*'])

/** Operators that are neither comparisons nor AND, OR, NOT. */
export function rewriteArithmetic(context: RewriteContext, node: Node, operands: readonly Typed[]): Typed {
  const operator = textOf(node, 'function_name')
  const types = operands.map((operand) => operand.type)
  const plain = (type: KnownType): Typed => ({
    node: { ...node, children: operands.map((operand) => operand.node) },
    type,
  })
  if (TEXT_MATCH.has(operator)) return plain('BOOLEAN')
  if (operator === '||') return concatenate(context, node, operands)
  if (BITWISE.has(operator)) return plain(types[0])
  if (operator === '^' || operator === '#') return renamed(node, 'xor', operands, types[0])
  if (operator === '~*' || operator === '!~*') return matchIgnoringCase(node, operator, operands)
  if (!NUMERIC.has(operator)) throw unsupported(context, node, `The operator ${operator}`)
  if (operands.length === 1) return operator === '-' ? negate(context, node, operands[0] as Typed) : plain(types[0])
  if (operator === '/') return divide(context, node, operands)
  if (operator === '%') return checkedDivision(context, node, '%', operands, numericType(types))
  return addOrMultiply(context, node, operator, operands)
}

function concatenate(context: RewriteContext, node: Node, operands: readonly Typed[]): Typed {
  const aligned = alignTexts(context, operands)
  const isText = aligned.every((operand) => operand.type === 'VARCHAR')
  return { node: { ...node, children: aligned.map((operand) => operand.node) }, type: isText ? 'VARCHAR' : undefined }
}

const renamed = (node: Node, name: string, operands: readonly Typed[], type: KnownType): Typed => ({
  node: functionNode(
    name,
    operands.map((operand) => operand.node),
    locationOf(node),
  ),
  type,
})

function matchIgnoringCase(node: Node, operator: string, operands: readonly Typed[]): Typed {
  const location = locationOf(node)
  const call = functionNode(
    'regexp_matches',
    [...operands.map((operand) => operand.node), stringNode('i', location)],
    location,
  )
  if (operator === '~*') return { node: call, type: 'BOOLEAN' }
  const not = { class: 'OPERATOR', type: 'OPERATOR_NOT', alias: '', query_location: location, children: [call] }
  return { node: not, type: 'BOOLEAN' }
}

/** DuckDB lets the negative of an unsigned integer wrap around. */
function negate(context: RewriteContext, node: Node, operand: Typed): Typed {
  if (operand.type === 'UBIGINT') {
    const message = 'Datafusion: Error during planning: - cannot stand before BIGINT UNSIGNED.'
    throw errorAt(context, node, 'PLANNING', message, { hint: 'Write CAST(… AS BIGINT).' })
  }
  if (operand.type !== undefined && operand.type !== 'HUGEINT')
    return { node: { ...node, children: [operand.node] }, type: operand.type }
  return { node: fillTemplate(context, '-1 * $1', [operand.node], locationOf(node)), type: operand.type }
}

/** Integers divide to integers, towards zero; a DOUBLE divides as IEEE 754 says. */
function divide(context: RewriteContext, node: Node, operands: readonly Typed[]): Typed {
  const types = operands.map((operand) => operand.type)
  if (!types.includes('INTERVAL')) return checkedDivision(context, node, '//', operands, numericType(types))
  return { node: { ...node, children: operands.map((operand) => operand.node) }, type: 'INTERVAL' }
}

/** `//` and `%` with an error for integers divided by zero, where DuckDB has NULL. */
function checkedDivision(
  context: RewriteContext,
  node: Node,
  operator: '//' | '%',
  operands: readonly Typed[],
  type: KnownType,
): Typed {
  const children = operands.map((operand) => operand.node)
  const [, divisor] = children as [Node, Node]
  const known = integerOf(divisor)
  if (type === 'DOUBLE') return { node: { ...node, function_name: operator.slice(-1), children }, type }
  if (known !== undefined && known !== 0n) return { node: { ...node, function_name: operator, children }, type }
  const template = children.every(isSmall) ? DIVISION : DIVISION_OF_LARGE
  return { node: fillTemplate(context, template(operator), children, locationOf(node)), type }
}

const checked = (left: string, right: string, operator: string) => {
  const isWhole = `typeof(${left} ${operator} ${right}) NOT IN ('DOUBLE', 'FLOAT')`
  const isByZero = `${right} = 0 AND ${left} IS NOT NULL AND ${isWhole}`
  return `CASE WHEN ${isByZero} THEN error('Datafusion: Arrow error: Divide by zero error') ELSE ${left} ${operator} ${right} END`
}
const DIVISION = (operator: string) => checked('$1', '$2', operator)

/** Operands that stand once only, since trees would double with every level of `a / (b / (c / …))`. */
const DIVISION_OF_LARGE = (operator: string) =>
  `list_transform([struct_pack(a := $1, b := $2)], lambda pair: ${checked('pair.a', 'pair.b', operator)})[1]`

const isSmall = (node: Node) => sizeOf(node) < 20

function numericType(types: readonly KnownType[]): KnownType {
  if (types.includes(undefined)) return undefined
  if (types.includes('DOUBLE')) return 'DOUBLE'
  if (types.every((type) => type === 'BIGINT')) return 'BIGINT'
  return types.every(isIntegerType) ? 'HUGEINT' : undefined
}

function addOrMultiply(context: RewriteContext, node: Node, operator: string, operands: readonly Typed[]): Typed {
  const [left, right] = operands as readonly [Typed, Typed]
  if ((operator === '+' || operator === '-') && (left.type === 'INTERVAL') !== (right.type === 'INTERVAL')) {
    return addInterval(context, node, operator, left, right)
  }
  const bothLiteral =
    isConstant(left.node) && isConstant(right.node) && left.type === 'BIGINT' && right.type === 'BIGINT'
  // Beside an unsigned integer, DuckDB takes a literal for unsigned as well, and refuses a result below zero.
  const isMixed = operator === '-' && operands.some((operand) => operand.type === 'UBIGINT')
  const signed = ({ node: child, type }: Typed) =>
    isConstant(child) && type === 'BIGINT' ? castNode(child, 'BIGINT') : child
  const children = isMixed
    ? operands.map(signed)
    : [bothLiteral ? castNode(left.node, 'BIGINT') : left.node, right.node]
  const types = operands.map((operand) => operand.type)
  if (types.every(isTimeType) || types.includes('INTERVAL')) return { node: { ...node, children }, type: 'INTERVAL' }
  return { node: { ...node, children }, type: numericType(types) }
}

function addInterval(context: RewriteContext, node: Node, operator: '+' | '-', left: Typed, right: Typed): Typed {
  const [time, interval] = left.type === 'INTERVAL' ? [right, left] : [left, right]
  const template = addIntervalTemplate(operator, time.type)
  const known = time.type === 'DATE' ? 'TIMESTAMP' : time.type
  if (template === undefined) return { node: { ...node, children: [left.node, right.node] }, type: known }
  return { node: fillTemplate(context, template, [time.node, interval.node], locationOf(node)), type: known }
}
