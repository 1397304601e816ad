import { isTimeType, type KnownType } from './functions/rule.ts'
import { rewriteColumn } from './select-column.ts'
import { errorAt, type RewriteContext, type Typed, unsupported } from './select-context.ts'
import { rewriteFunction, rewriteWindow } from './select-function.ts'
import { isAbsent } from './select-json.ts'
import { isIntegerType, rewriteCast, rewriteConstant, ticksToTime } from './select-literals.ts'
import type { Scope } from './select-scope.ts'
import { alignTexts } from './select-text-cast.ts'
import { type Rounding, textToTime } from './select-time-text.ts'
import {
  castNode,
  childOf,
  childrenOf,
  classOf,
  isConstant,
  type Node,
  optionalChildOf,
  textOf,
  typeOf,
} from './select-tree.ts'

/** What every expression node may hold besides its own members. */
const COMMON = ['class', 'type', 'alias', 'query_location']

interface Shape {
  readonly types: readonly string[]
  readonly members: readonly string[]
}

const COMPARISONS = ['EQUAL', 'NOTEQUAL', 'LESSTHAN', 'GREATERTHAN', 'LESSTHANOREQUALTO', 'GREATERTHANOREQUALTO']
const OPERATORS = [
  ...['COMPARE_IN', 'COMPARE_NOT_IN', 'OPERATOR_NOT', 'OPERATOR_IS_NULL', 'OPERATOR_IS_NOT_NULL'],
  ...['OPERATOR_COALESCE', 'ARRAY_EXTRACT', 'ARRAY_SLICE', 'STRUCT_EXTRACT', 'ARRAY_CONSTRUCTOR', 'GROUPING_FUNCTION'],
]
const WINDOWS = [
  ...['AGGREGATE', 'RANK', 'RANK_DENSE', 'PERCENT_RANK', 'ROW_NUMBER', 'FIRST_VALUE', 'LAST_VALUE', 'NTILE', 'LEAD'],
  ...['LAG', 'CUME_DIST', 'NTH_VALUE'],
].map((name) => `WINDOW_${name}`)

/** The allow-list: an expression that is not of these classes, types and members is refused. */
const SHAPES: Readonly<Record<string, Shape>> = {
  COLUMN_REF: { types: ['COLUMN_REF'], members: ['column_names'] },
  CONSTANT: { types: ['VALUE_CONSTANT'], members: ['value'] },
  COMPARISON: {
    types: [...COMPARISONS, 'DISTINCT_FROM', 'NOT_DISTINCT_FROM'].map((name) => `COMPARE_${name}`),
    members: ['left', 'right'],
  },
  CONJUNCTION: { types: ['CONJUNCTION_AND', 'CONJUNCTION_OR'], members: ['children'] },
  OPERATOR: { types: OPERATORS, members: ['children'] },
  BETWEEN: { types: ['COMPARE_BETWEEN'], members: ['input', 'lower', 'upper'] },
  CASE: { types: ['CASE_EXPR'], members: ['case_checks', 'else_expr'] },
  CAST: { types: ['OPERATOR_CAST'], members: ['child', 'cast_type', 'try_cast'] },
  SUBQUERY: { types: ['SUBQUERY'], members: ['subquery_type', 'subquery', 'child', 'comparison_type'] },
  FUNCTION: {
    types: ['FUNCTION'],
    members: [
      ...['function_name', 'schema', 'catalog', 'children', 'filter', 'order_bys', 'distinct', 'is_operator'],
      'export_state',
    ],
  },
  WINDOW: {
    types: WINDOWS,
    members: [
      ...['function_name', 'schema', 'catalog', 'children', 'partitions', 'orders', 'start', 'end', 'start_expr'],
      ...['end_expr', 'offset_expr', 'default_expr', 'ignore_nulls', 'filter_expr', 'exclude_clause', 'distinct'],
      'arg_orders',
    ],
  },
}

const REFUSED: Readonly<Record<string, string>> = {
  PARAMETER: 'A prepared parameter',
  LAMBDA: 'A lambda',
  COLLATE: 'COLLATE',
  POSITIONAL_REFERENCE: 'A positional reference such as #1',
  DEFAULT: 'DEFAULT as a value',
  STAR: 'A * or COLUMNS(…) inside an expression',
}

/** Checks an expression against the allow-list and says it in DuckDB's words. */
export function rewriteExpression(context: RewriteContext, node: Node, scope: Scope): Typed {
  refuseUnknownShape(context, node)
  const typed = rewriteByClass(context, { ...node, alias: '' }, scope)
  return { ...typed, node: { ...typed.node, alias: node.alias ?? '' } }
}

function refuseUnknownShape(context: RewriteContext, node: Node): void {
  const shape = SHAPES[classOf(node)]
  if (shape === undefined || !Object.hasOwn(SHAPES, classOf(node))) {
    throw unsupported(context, node, REFUSED[classOf(node)] ?? `The expression ${classOf(node)}`)
  }
  if (!shape.types.includes(typeOf(node))) throw unsupported(context, node, `The expression ${typeOf(node)}`)
  for (const [key, value] of Object.entries(node)) {
    const known = COMMON.includes(key) || shape.members.includes(key)
    if (!known && !isAbsent(value)) throw unsupported(context, node, `${classOf(node)} with ${key}`)
  }
}

function rewriteByClass(context: RewriteContext, node: Node, scope: Scope): Typed {
  const rewrite = (child: Node) => rewriteExpression(context, child, scope)
  switch (classOf(node)) {
    case 'COLUMN_REF':
      return rewriteColumn(context, node, scope)
    case 'CONSTANT':
      return rewriteConstant(context, node)
    case 'COMPARISON': {
      const sides = [rewrite(childOf(node, 'left')), rewrite(childOf(node, 'right'))]
      const [left, right] = alignTimes(context, sides, SIDES[typeOf(node)])
      return { node: { ...node, left: (left as Typed).node, right: (right as Typed).node }, type: 'BOOLEAN' }
    }
    case 'BETWEEN': {
      const parts = ['input', 'lower', 'upper'].map((key) => rewrite(childOf(node, key)))
      const [input, lower, upper] = alignTimes(context, parts, [undefined, 'ceil', 'floor']).map((part) => part.node)
      return { node: { ...node, input, lower, upper } as Node, type: 'BOOLEAN' }
    }
    case 'CONJUNCTION':
      return {
        node: { ...node, children: childrenOf(node, 'children').map((child) => rewrite(child).node) },
        type: 'BOOLEAN',
      }
    case 'OPERATOR':
      return rewriteOperator(context, node, childrenOf(node, 'children').map(rewrite))
    case 'CASE':
      return rewriteCase(node, rewrite)
    case 'CAST':
      return rewriteCast(context, node, rewrite(childOf(node, 'child')))
    case 'SUBQUERY':
      return rewriteSubquery(context, node, scope, rewrite)
    case 'FUNCTION':
      return rewriteFunction(context, node, rewrite)
    default:
      return rewriteWindow(context, node, rewrite)
  }
}

/** The tick that stands for a text between two ticks, on the left and on the right of a comparison. Default: none. */
const SIDES: Readonly<Record<string, readonly Rounding[]>> = {
  COMPARE_LESSTHAN: ['floor', 'ceil'],
  COMPARE_LESSTHANOREQUALTO: ['ceil', 'floor'],
  COMPARE_GREATERTHAN: ['ceil', 'floor'],
  COMPARE_GREATERTHANOREQUALTO: ['floor', 'ceil'],
}

/** Beside a time, an integer counts in the time's own unit, and a text is a time. */
function alignTimes(
  context: RewriteContext,
  parts: readonly Typed[],
  roundings: readonly (Rounding | undefined)[] = [],
): readonly Typed[] {
  const type = parts.map((part) => part.type).find(isTimeType)
  if (type === undefined) return alignTextColumns(context, parts)
  return parts.map((part, at) => {
    if (isIntegerType(part.type)) return { node: ticksToTime(part.node, type), type }
    if (part.type !== 'VARCHAR') return part
    return { node: textToTime(context, part.node, type, at in roundings ? roundings[at] : 'none'), type }
  })
}

const isNumber = (type: KnownType) => type === 'DOUBLE' || isIntegerType(type)

/** A text that is no literal is compared with numbers as text; a literal beside a number is a number. */
function alignTextColumns(context: RewriteContext, parts: readonly Typed[]): readonly Typed[] {
  const hasText = parts.some((part) => part.type === 'VARCHAR' && !isConstant(part.node))
  if (hasText && parts.some((part) => isNumber(part.type))) return alignTexts(context, parts)
  return parts.some((part) => isIntegerType(part.type)) ? parts.map(exactLiteral) : parts
}

/** DuckDB would round `'2.5'` beside an integer. */
function exactLiteral(part: Typed): Typed {
  if (part.type !== 'VARCHAR' || !isConstant(part.node) || isNullConstant(part.node)) return part
  const isInteger = /^[+-]?[0-9]+$/.test(textOf(childOf(part.node, 'value'), 'value'))
  return isInteger ? part : { node: castNode(part.node, 'DOUBLE'), type: 'DOUBLE' }
}

function rewriteOperator(context: RewriteContext, node: Node, children: readonly Typed[]): Typed {
  switch (typeOf(node)) {
    case 'OPERATOR_COALESCE': {
      const aligned = alignTexts(context, children)
      return withChildren(node, aligned, commonType(aligned))
    }
    case 'COMPARE_IN':
    case 'COMPARE_NOT_IN':
      return withChildren(node, alignTimes(context, children), 'BOOLEAN')
    case 'OPERATOR_NOT':
    case 'OPERATOR_IS_NULL':
    case 'OPERATOR_IS_NOT_NULL':
      return withChildren(node, children, 'BOOLEAN')
    default:
      return withChildren(node, children, undefined)
  }
}

const withChildren = (node: Node, children: readonly Typed[], type: KnownType): Typed => ({
  node: { ...node, children: children.map((child) => child.node) },
  type,
})

/** The type of several alternatives when they agree, or are numbers of which one is DOUBLE; NULLs do not count. */
function commonType(alternatives: readonly Typed[]): KnownType {
  const types = new Set(alternatives.filter((item) => !isNullConstant(item.node)).map((item) => item.type))
  const [type] = types
  if (types.size === 1) return type
  return [...types].every(isNumber) && types.has('DOUBLE') ? 'DOUBLE' : undefined
}

const isNullConstant = (node: Node) => classOf(node) === 'CONSTANT' && childOf(node, 'value').is_null === true

function rewriteCase(node: Node, rewrite: (child: Node) => Typed): Typed {
  const checks = childrenOf(node, 'case_checks').map((check) => ({
    when: rewrite(childOf(check, 'when_expr')),
    result: rewrite(childOf(check, 'then_expr')),
  }))
  const otherwise = rewrite(childOf(node, 'else_expr'))
  return {
    node: {
      ...node,
      case_checks: checks.map(({ when, result }) => ({ when_expr: when.node, then_expr: result.node })),
      else_expr: otherwise.node,
    },
    type: commonType([...checks.map((check) => check.result), otherwise]),
  }
}

const SUBQUERY_TYPES: readonly string[] = ['SCALAR', 'EXISTS', 'NOT_EXISTS', 'ANY']

function rewriteSubquery(context: RewriteContext, node: Node, scope: Scope, rewrite: (child: Node) => Typed): Typed {
  const kind = String(node.subquery_type)
  if (!SUBQUERY_TYPES.includes(kind))
    throw errorAt(context, node, 'UNSUPPORTED', `A ${kind} subquery is not available.`)
  const statement = childOf(node, 'subquery')
  const query = context.query(childOf(statement, 'node'), {
    tables: [],
    commonTables: scope.commonTables,
    parent: scope,
  })
  const left = optionalChildOf(node, 'child')
  const compared =
    left === undefined ? undefined : alignTimes(context, [rewrite(left), columnTyped(query.columns?.[0]?.type)])[0]
  const [only] = query.columns ?? []
  return {
    node: { ...node, subquery: { ...statement, node: query.node }, child: compared?.node ?? null },
    type: kind === 'SCALAR' ? only?.type : 'BOOLEAN',
    clientType: kind === 'SCALAR' ? only?.clientType : undefined,
  }
}

const columnTyped = (type: KnownType): Typed => ({ node: {}, type: isTimeType(type) ? type : undefined })
