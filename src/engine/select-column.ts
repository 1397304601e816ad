import { nowNode, type RewriteContext, type Typed } from './select-context.ts'
import { findColumn, type Scope } from './select-scope.ts'
import { castNode, locationOf, type Node, stringNode, textsOf } from './select-tree.ts'

/** Words that SQL lets stand without parentheses; a column of that name comes first. */
const CLOCK: Readonly<Record<string, string>> = {
  current_timestamp: 'TIMESTAMP_NS',
  localtimestamp: 'TIMESTAMP_NS',
  current_date: 'DATE',
  current_time: 'TIME',
  localtime: 'TIME',
}
const SESSION: Readonly<Record<string, string>> = {
  user: 'current_user',
  session_user: 'current_user',
  current_user: 'current_user',
  current_role: 'current_role',
  current_tenant: 'current_tenant',
  current_database: 'current_database',
  current_catalog: 'current_tenant',
  current_schema: 'current_database',
  '@@server_version': '@@server_version',
  '@@deployment_mode': '@@deployment_mode',
}

export function rewriteColumn(context: RewriteContext, node: Node, scope: Scope): Typed {
  const names = textsOf(node, 'column_names')
  const { names: meant, table, column } = findColumn(names, scope)
  if (table === undefined && names.length === 1) {
    const value = valueFunction(context, names[0] as string, locationOf(node))
    if (value !== undefined) return value
  }
  context.onColumn(column === undefined ? names : [column.name], node)
  return { node: { ...node, column_names: meant }, type: column?.type, clientType: column?.clientType }
}

/** The value of a word such as `current_date`, or of the function of that name. */
export function valueFunction(context: RewriteContext, name: string, location: number): Typed | undefined {
  if (Object.hasOwn(CLOCK, name)) return nowNode(context, CLOCK[name] as string, location)
  if (!Object.hasOwn(SESSION, name)) return undefined
  const value = context.sessionValues[SESSION[name] as string] ?? null
  const text = stringNode(value ?? '', location)
  return {
    node: castNode(
      value === null ? { ...text, value: { type: { id: 'NULL', type_info: null }, is_null: true } } : text,
      'VARCHAR',
    ),
    type: 'VARCHAR',
  }
}
