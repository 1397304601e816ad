import { quoteIdentifier } from '../engine/quote.ts'
import type { Relation } from '../engine/relation.ts'
import { engineTypeOf } from '../engine/table.ts'
import type { Statement } from '../sql/ast.ts'
import type { PlanContext } from './context.ts'
import { openCopyLocation } from './copy-location.ts'
import { insertColumns } from './insert.ts'
import { allColumns, requireReadableTable, requireWritableTable } from './lookup.ts'
import { copyTableIdOf } from './names.ts'
import type { Plan, PlannedTable } from './plan.ts'
import { planQuery } from './query.ts'

/** COPY INTO table FROM location: options first, then the table, its columns and the privilege, as CnosDB checks. */
export function planCopyIntoTable(
  context: PlanContext,
  statement: Extract<Statement, { readonly kind: 'copy-into-table' }>,
): Plan {
  const location = openCopyLocation(context, statement.location, 'load')
  const target = requireWritableTable(context, copyTableIdOf(statement.table.parts, context.session))
  if (statement.columns) insertColumns(target, statement.columns)
  return { kind: 'copy-into-table', target, columns: statement.columns, location }
}

/** COPY INTO location FROM a table or a query; READ on every database it mentions. */
export async function planCopyIntoLocation(
  context: PlanContext,
  { source, location: clauses }: Extract<Statement, { readonly kind: 'copy-into-location' }>,
): Promise<Plan> {
  const location = openCopyLocation(context, clauses, 'unload')
  if (source.kind === 'query') {
    return { kind: 'copy-into-location', input: await planQuery(context, source.query), table: undefined, location }
  }
  const id = copyTableIdOf(source.table.parts, context.session)
  const table = requireReadableTable(context, id)
  if (table) return { kind: 'copy-into-location', input: wholeTable(table), table, location }
  const text = `SELECT * FROM ${[id.database, id.table].map(quoteIdentifier).join('.')}`
  const input = await planQuery({ ...context, sql: text }, { text, offset: 0 })
  return { kind: 'copy-into-location', input, table: undefined, location }
}

function wholeTable({ stored }: PlannedTable): Relation {
  const columns = stored.schema.columns.map(({ name, type }) => ({ name, type: engineTypeOf(type) }))
  return { columns, select: allColumns(stored) }
}
