import { quoteIdentifier } from '../engine/quote.ts'
import type { RowSource } from '../engine/table.ts'
import { CnosError } from '../errors/cnos-error.ts'
import type { Column, Precision } from '../model/schema.ts'
import type { Statement } from '../sql/ast.ts'
import { type CastSource, castColumn } from './cast-column.ts'
import type { PlanContext } from './context.ts'
import { literalBatch } from './literal-batch.ts'
import { requireWritableTable } from './lookup.ts'
import { tableIdOf } from './names.ts'
import type { Plan, PlannedTable } from './plan.ts'
import { planQuery } from './query.ts'
import { parseLiteralRows } from './values-literal.ts'

type Insert = Extract<Statement, { readonly kind: 'insert' }>

/** INSERT … VALUES and INSERT … SELECT. Without a column list values go to the stored columns in order. */
export async function planInsert(context: PlanContext, statement: Insert): Promise<Plan> {
  const target = requireWritableTable(context, tableIdOf(statement.table.parts, context.session))
  const columns = insertColumns(target, statement.columns)
  const rows = parseLiteralRows(statement.source.text)
  if (rows) return { kind: 'insert-literals', target, batch: literalBatch(rows, columns, target.precision) }
  return { kind: 'insert', target, source: await selectSource(context, statement, columns, target.precision) }
}

/** The columns that get values; INSERT_COLUMN_UNKNOWN, DUPLICATE_COLUMN, and TIME_IS_NULL when time is not among them. */
export function insertColumns({ stored }: PlannedTable, names: readonly string[] | undefined): readonly Column[] {
  const all = stored.schema.columns
  if (names === undefined) return all
  const columns = names.map((name) => {
    const column = all.find((candidate) => candidate.name === name)
    if (column) return column
    const expected = all.map((known) => known.name).join(',')
    throw new CnosError(
      'INSERT_COLUMN_UNKNOWN',
      `Semantic error: Insert column '${name}' does not exist in target table, expect ${expected}`,
      { context: { column: name } },
    )
  })
  const repeated = names.find((name, index) => names.indexOf(name) !== index)
  if (repeated !== undefined) {
    throw new CnosError('DUPLICATE_COLUMN', `Semantic error: Insert column '${repeated}' is listed twice`, {
      context: { column: repeated },
    })
  }
  if (!columns.some((column) => column.kind === 'time')) {
    throw new CnosError('TIME_IS_NULL', 'Column time cannot be null.', {
      context: { column: 'time' },
      hint: 'add time to the column list: a row without a time cannot be stored',
    })
  }
  return columns
}

async function selectSource(
  context: PlanContext,
  { source }: Insert,
  columns: readonly Column[],
  precision: Precision,
): Promise<RowSource> {
  const query = await planQuery(context, source)
  if (query.columns.length !== columns.length) {
    throw new CnosError('INSERT_COLUMNS_MISMATCH', 'Semantic error: Insert columns and Source columns not match', {
      hint: `the query has ${query.columns.length} columns, expected ${columns.length}: ${columns.map((c) => c.name).join(', ')}`,
    })
  }
  const numbered = query.columns.map(({ type }, index): CastSource => ({ expression: `c${index}`, type }))
  const projection = columns.map((column, index) => {
    const value = castColumn(numbered[index] as CastSource, column, precision)
    return `${value} AS ${quoteIdentifier(column.name)}`
  })
  const names = numbered.map((column) => column.expression).join(', ')
  const from = `(SELECT ${projection.join(', ')} FROM (${query.select}\n) AS source(${names}))`
  return { from, columns: columns.map((column) => column.name), cheapToReread: false, explain: query.explain }
}
