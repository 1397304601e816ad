import { quoteIdentifier, quoteString } from '../engine/quote.ts'
import type { Relation } from '../engine/relation.ts'
import { planSelect, type ResolvedTable } from '../engine/select.ts'
import { tableReference } from '../engine/table.ts'
import { CnosError, isCnosError } from '../errors/cnos-error.ts'
import { type Column, fieldsOf, tagsOf } from '../model/schema.ts'
import type { Statement } from '../sql/ast.ts'
import type { PlanContext } from './context.ts'
import { requireTimeSeries } from './lookup.ts'
import { tableIdOf } from './names.ts'
import type { PlannedTable } from './plan.ts'
import { splitTail } from './tail.ts'

/** SHOW SERIES: one text a series, `table,tag=value,…`, absent tags left out. WHERE may use time and tags only. */
export async function planShowSeries(
  context: PlanContext,
  statement: Extract<Statement, { readonly kind: 'show-series' }>,
): Promise<Relation> {
  const table = requireShownTable(context, statement)
  const tail = splitTail(statement.tail.text)
  const tags = tagsOf(table.stored.schema)
  const parts = tags.map((tag) => {
    const name = quoteIdentifier(tag.name)
    return `CASE WHEN ${name} IS NULL THEN '' ELSE ${quoteString(`,${tag.name}=`)} || ${name} END`
  })
  const key = [quoteString(table.id.table), ...parts].join(' || ')
  const names = tags.map((tag) => quoteIdentifier(tag.name)).join(', ')
  const group = tags.length === 0 ? 'GROUP BY ALL' : `GROUP BY ${names}`
  const text = `SELECT ${key} AS "key" FROM ${quoteIdentifier(table.id.table)} ${tail.where} ${group} ${tail.rest}`
  return planOverTags(context, table, text)
}

/** SHOW TAG VALUES: the values of the tags that KEY names, as `key` and `value`. */
export async function planShowTagValues(
  context: PlanContext,
  statement: Extract<Statement, { readonly kind: 'show-tag-values' }>,
): Promise<Relation> {
  const table = requireShownTable(context, statement)
  const tags = chosenTags(tagsOf(table.stored.schema), statement.key)
  const tail = splitTail(statement.tail.text)
  const from = quoteIdentifier(table.id.table)
  const branches = tags.map((tag) => {
    const name = quoteIdentifier(tag.name)
    const where = tail.where === '' ? 'WHERE' : `WHERE (${tail.condition}\n) AND`
    return `SELECT DISTINCT ${quoteString(tag.name)} AS "key", ${name} AS "value" FROM ${from} ${where} ${name} IS NOT NULL`
  })
  const none = `SELECT '' AS "key", '' AS "value" FROM ${from} WHERE false`
  const text = `SELECT "key", "value" FROM (${branches.length === 0 ? none : branches.join(' UNION ALL ')}) AS tag_values ${tail.rest}`
  return planOverTags(context, table, text)
}

function chosenTags(
  tags: readonly Column[],
  { operator, keys }: Extract<Statement, { readonly kind: 'show-tag-values' }>['key'],
): readonly Column[] {
  const isNamed = (tag: Column) => keys.some((key) => key === tag.name)
  return tags.filter((tag) => (operator === '=' || operator === 'IN' ? isNamed(tag) : !isNamed(tag)))
}

interface Shown {
  readonly table: { readonly parts: readonly string[] }
  readonly database: string | undefined
}

function requireShownTable({ ...context }: PlanContext, { table, database }: Shown): PlannedTable {
  const session = database === undefined ? context.session : { ...context.session, database }
  return requireTimeSeries(context, tableIdOf(table.parts, session))
}

/** Plans text in which the table shows its time and tags only, so that a field cannot be meant. */
async function planOverTags(context: PlanContext, table: PlannedTable, text: string): Promise<Relation> {
  const { columns } = table.stored.schema
  const visible = columns.filter((column) => column.kind !== 'field').map((column) => quoteIdentifier(column.name))
  const from = `(SELECT ${visible.join(', ')} FROM ${tableReference(table.stored)})`
  const resolver = { table: (): ResolvedTable => ({ from, alias: table.id.table }) }
  try {
    return await planSelect(context.engine, { text, offset: 0 }, resolver, { signal: context.signal })
  } catch (error) {
    throw fieldError(error, table) ?? error
  }
}

function fieldError(error: unknown, { stored }: PlannedTable): CnosError | undefined {
  const unknown = isCnosError(error, 'PLANNING') ? error.context.column : undefined
  const field = fieldsOf(stored.schema).find(({ name }) => unknown === name || unknown?.endsWith(`.${name}`))
  if (!field) return undefined
  return new CnosError(
    'SHOW_SERIES_WHERE',
    `Semantic error: SHOW SERIES does not support where clause contains field ${field.name}`,
    { context: { column: field.name }, hint: 'filter by time and tags', cause: error },
  )
}
