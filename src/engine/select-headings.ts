import { findFunction } from './function-list.ts'
import { intervalHeading } from './interval-heading.ts'
import { decimalText } from './select-literals.ts'
import { findColumn, type Scope } from './select-scope.ts'
import {
  childOf,
  childrenOf,
  classOf,
  type Node,
  optionalChildOf,
  textOf,
  textsOf,
  typeOf,
  wholeOf,
} from './select-tree.ts'

const COMPARISONS: Readonly<Record<string, string>> = {
  COMPARE_EQUAL: '=',
  COMPARE_NOTEQUAL: '!=',
  COMPARE_LESSTHAN: '<',
  COMPARE_GREATERTHAN: '>',
  COMPARE_LESSTHANOREQUALTO: '<=',
  COMPARE_GREATERTHANOREQUALTO: '>=',
  COMPARE_DISTINCT_FROM: 'IS DISTINCT FROM',
  COMPARE_NOT_DISTINCT_FROM: 'IS NOT DISTINCT FROM',
}
const LIKES: Readonly<Record<string, string>> = {
  '~~': 'LIKE',
  '!~~': 'NOT LIKE',
  '~~*': 'ILIKE',
  '!~~*': 'NOT ILIKE',
}

/**
 * The column heading of an expression without alias, as DataFusion names it: `COUNT(UInt8(1))`, `SUM(air.temp)`,
 * `air.temp + Int64(1)`. Takes the user's tree; where DuckDB's parser has changed the words, the text is only similar.
 */
export function headingOf(node: Node, scope: Scope): string {
  const heading = (child: Node) => headingOf(child, scope)
  const children = (key: string) => childrenOf(node, key).map(heading)
  const interval = intervalHeading(node)
  if (interval !== undefined) return interval
  switch (classOf(node)) {
    case 'COLUMN_REF':
      return columnHeading(textsOf(node, 'column_names'), scope)
    case 'CONSTANT':
      return literalHeading(childOf(node, 'value'))
    case 'COMPARISON':
      return `${heading(childOf(node, 'left'))} ${COMPARISONS[typeOf(node)]} ${heading(childOf(node, 'right'))}`
    case 'BETWEEN':
      return `${heading(childOf(node, 'input'))} BETWEEN ${heading(childOf(node, 'lower'))} AND ${heading(childOf(node, 'upper'))}`
    case 'CONJUNCTION':
      return children('children').join(typeOf(node) === 'CONJUNCTION_AND' ? ' AND ' : ' OR ')
    case 'OPERATOR':
      return operatorHeading(typeOf(node), children('children'))
    case 'CASE':
      return caseHeading(node, heading)
    case 'CAST':
      return castHeading(node, heading)
    case 'FUNCTION':
      return functionHeading(node, children('children'))
    case 'WINDOW':
      return `${functionLabel(textOf(node, 'function_name'), true)}(${children('children').join(',')})`
    case 'SUBQUERY':
      return '(<subquery>)'
    default:
      return typeOf(node).toLowerCase()
  }
}

function columnHeading(names: readonly string[], scope: Scope): string {
  const { names: meant, table, column } = findColumn(names, scope)
  if (table !== undefined) {
    const qualifier = table.alias === '' ? '' : `${table.alias}.`
    return column === undefined ? meant.join('.') : `${qualifier}${column.name}`
  }
  const [only] = scope.tables
  const isUnknown = scope.tables.length === 1 && only?.columns === undefined && names.length === 1
  if (names.length === 1 && /^(current_|local|user$|session_user$)/.test(names[0] as string)) return `${names[0]}()`
  return isUnknown && only !== undefined ? `${only.alias}.${names[0]}` : names.join('.')
}

const MAX_I64 = (1n << 63n) - 1n

function literalHeading(value: Node): string {
  if (value.is_null === true) return 'NULL'
  const type = textOf(childOf(value, 'type'), 'id')
  const whole = wholeOf(value.value)
  if (type === 'DECIMAL') return `Float64(${floatText(Number(decimalText(value)))})`
  if (type === 'DOUBLE') return `Float64(${floatText(Number(value.value))})`
  if (whole !== undefined) return `${whole > MAX_I64 ? 'UInt64' : 'Int64'}(${whole})`
  if (type === 'VARCHAR') return `Utf8(${JSON.stringify(value.value)})`
  return type === 'BOOLEAN' ? `Boolean(${String(value.value)})` : String(value.value)
}

const floatText = (value: number) => (Number.isFinite(value) ? String(value) : value > 0 ? 'inf' : '-inf')

function operatorHeading(type: string, children: readonly string[]): string {
  const [head, ...rest] = children
  switch (type) {
    case 'COMPARE_IN':
      return `${head} IN ([${rest.join(', ')}])`
    case 'COMPARE_NOT_IN':
      return `${head} NOT IN ([${rest.join(', ')}])`
    case 'OPERATOR_NOT':
      return `NOT ${head}`
    case 'OPERATOR_IS_NULL':
      return `${head} IS NULL`
    case 'OPERATOR_IS_NOT_NULL':
      return `${head} IS NOT NULL`
    case 'OPERATOR_COALESCE':
      return `coalesce(${children.join(',')})`
    case 'GROUPING_FUNCTION':
      return `GROUPING(${children.join(',')})`
    case 'ARRAY_EXTRACT':
    case 'STRUCT_EXTRACT':
      return `${head}[${rest.map((part) => part.replace(/^\w+\((.*)\)$/, '$1').replaceAll('"', '')).join(',')}]`
    default:
      return `make_array(${children.join(',')})`
  }
}

function caseHeading(node: Node, heading: (child: Node) => string): string {
  const checks = childrenOf(node, 'case_checks').map(
    (check) => `WHEN ${heading(childOf(check, 'when_expr'))} THEN ${heading(childOf(check, 'then_expr'))}`,
  )
  const otherwise = heading(childOf(node, 'else_expr'))
  return `CASE ${checks.join(' ')}${otherwise === 'NULL' ? '' : ` ELSE ${otherwise}`} END`
}

/** A cast shows what it casts; `true`, `false` and intervals are casts in DuckDB's tree. */
function castHeading(node: Node, heading: (child: Node) => string): string {
  const type = textOf(childOf(node, 'cast_type'), 'id')
  const child = childOf(node, 'child')
  const text = classOf(child) === 'CONSTANT' ? childOf(child, 'value').value : undefined
  if (type === 'BOOLEAN' && (text === 't' || text === 'f')) return `Boolean(${text === 't'})`
  return heading(child)
}

const OPERATOR_FUNCTIONS = new Set(['+', '-', '*', '/', '%', '||', '&', '|', '^', '#', '<<', '>>', '~*', '!~*'])

function functionHeading(node: Node, children: readonly string[]): string {
  const name = textOf(node, 'function_name')
  const [left, right] = children
  if (node.is_operator === true && Object.hasOwn(LIKES, name)) return `${left} ${LIKES[name]} ${right}`
  if (node.is_operator === true && OPERATOR_FUNCTIONS.has(name)) {
    return children.length === 1 ? `(${name} ${left})` : `${left} ${name} ${right}`
  }
  if (name === '@@') return `@@${left}`
  if (name === 'regexp_full_match') return `${left} ~ ${right}`
  if (name === 'count_star' || (name === 'exact_count' && !left) || (name === 'count' && !left))
    return 'COUNT(UInt8(1))'
  const distinct = node.distinct === true ? 'DISTINCT ' : ''
  return `${functionLabel(name, false)}(${distinct}${children.join(',')})${orderAndFilter(node)}`
}

const orderAndFilter = (node: Node) => (optionalChildOf(node, 'filter') === undefined ? '' : ' FILTER')

function functionLabel(name: string, over: boolean): string {
  const rule = findFunction(name, over)
  return rule?.heading ?? name
}

/** Whether a select item names its own column: it has an alias, or is a column or `*`. */
export function namesItself(node: Node): boolean {
  const hasAlias = typeof node.alias === 'string' && node.alias !== ''
  return hasAlias || classOf(node) === 'COLUMN_REF' || classOf(node) === 'STAR'
}
