import type { RelationColumn } from '../engine/relation.ts'
import { type ExpressionPlan, planExpression } from '../engine/select.ts'
import { engineTypeOf, tableReference } from '../engine/table.ts'
import { CnosError } from '../errors/cnos-error.ts'
import { type Column, tagsOf } from '../model/schema.ts'
import type { Expression, Statement } from '../sql/ast.ts'
import { castColumn } from './cast-column.ts'
import type { PlanContext } from './context.ts'
import { literalValue, literalValueSql } from './literal-value.ts'
import { requireWritableTable } from './lookup.ts'
import { tableIdOf } from './names.ts'
import type { Plan, PlannedTable } from './plan.ts'
import { type LiteralCell, parseLiteralRows } from './values-literal.ts'

/** DELETE FROM t [WHERE conditions on time and tags]; UNSUPPORTED for a condition on a field. */
export async function planDelete(
  context: PlanContext,
  { table, where }: Extract<Statement, { readonly kind: 'delete' }>,
): Promise<Plan> {
  const target = requireWritableTable(context, tableIdOf(table.parts, context.session))
  if (!where) return { kind: 'delete', target, where: undefined }
  const condition = await planCondition(context, target, where)
  const field = condition.columns.find((name) => kindOf(target, name) === 'field')
  if (field === undefined) return { kind: 'delete', target, where: condition.sql }
  throw new CnosError('UNSUPPORTED', `This feature is not implemented: delete with a condition on field ${field}`, {
    context: { column: field },
    hint: 'DELETE may filter by time and tags only',
  })
}

/** UPDATE t SET … WHERE …: either fields or tags, never time; tags by conditions on tags alone. */
export async function planUpdate(
  context: PlanContext,
  statement: Extract<Statement, { readonly kind: 'update' }>,
): Promise<Plan> {
  const target = requireWritableTable(context, tableIdOf(statement.table.parts, context.session))
  if (!statement.where) {
    throw planning('Error during planning: UPDATE needs a WHERE clause', 'add WHERE and a condition')
  }
  const columns = statement.assignments.map(({ column }) => settableColumn(target, column))
  const movesSeries = columns.some((column) => column.kind === 'tag')
  if (movesSeries && columns.some((column) => column.kind === 'field')) {
    throw planning(
      'Error during planning: UPDATE cannot set tags and fields in one statement',
      'write one UPDATE for the tags and one for the fields',
    )
  }
  const where = await planCondition(context, target, statement.where)
  const foreign = where.columns.find((name) => kindOf(target, name) !== 'tag')
  if (movesSeries && foreign !== undefined) {
    throw planning(
      `Error during planning: UPDATE of tags may filter by tags only, not by ${foreign}`,
      'tags belong to a whole series: name the series by its tags',
    )
  }
  const assignments = []
  for (const [index, column] of columns.entries()) {
    const { value } = statement.assignments[index] as (typeof statement.assignments)[number]
    assignments.push({ column: column.name, value: await planValue(context, target, value, column, movesSeries) })
  }
  return { kind: 'update', target, assignments, where: where.sql, movesSeries }
}

function settableColumn({ id, stored }: PlannedTable, name: string): Column {
  const column = stored.schema.columns.find((candidate) => candidate.name === name)
  if (!column) {
    throw new CnosError('COLUMN_NOT_FOUND', `Semantic error: Column ${name} not exists in table ${id.table}`, {
      context: { column: name },
      hint: `it has ${stored.schema.columns.map((known) => known.name).join(', ')}`,
    })
  }
  if (column.kind !== 'time') return column
  throw planning('Error during planning: UPDATE cannot set the time column', 'insert the row again with its new time')
}

async function planValue(
  context: PlanContext,
  target: PlannedTable,
  value: Expression,
  column: Column,
  movesSeries: boolean,
): Promise<string> {
  const literal = parseLiteralRows(`VALUES (${value.text}\n)`)?.[0]?.cells
  if (literal?.length === 1) {
    const { precision } = target
    return literalValueSql(literalValue(literal[0] as LiteralCell, { column, precision }, 1), column)
  }
  const known = movesSeries ? tagsOf(target.stored.schema) : target.stored.schema.columns
  const { sql } = await planExpressionOver(context, value, known)
  const described = await context.engine.describe(`SELECT ${sql} AS value FROM ${tableReference(target.stored)}`, {
    signal: context.signal,
  })
  return castColumn({ expression: `(${sql})`, type: described[0]?.type ?? 'VARCHAR' }, column, target.precision)
}

const planCondition = (context: PlanContext, target: PlannedTable, where: Expression) =>
  planExpressionOver(context, where, target.stored.schema.columns)

function planExpressionOver(
  context: PlanContext,
  expression: Expression,
  columns: readonly Column[],
): Promise<ExpressionPlan> {
  const known = columns.map((column): RelationColumn => ({ name: column.name, type: engineTypeOf(column.type) }))
  const text = { text: expression.text, offset: expression.offset, statement: context.sql }
  return planExpression(context.engine, text, known, { signal: context.signal })
}

const kindOf = ({ stored }: PlannedTable, name: string) =>
  stored.schema.columns.find((column) => column.name === name)?.kind

const planning = (message: string, hint: string) => new CnosError('PLANNING', `Datafusion: ${message}`, { hint })
