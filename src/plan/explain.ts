import type { Relation } from '../engine/relation.ts'
import { tableReference } from '../engine/table.ts'
import { printTableId } from '../model/schema.ts'
import type { Plan, PlannedTable } from './plan.ts'

/** The lines of a plan above what the engine itself explains, outermost first. */
export interface ExplainedPlan {
  readonly logical: readonly string[]
  readonly physical: readonly string[]
  /** What the engine explains below these lines. */
  readonly input: Relation | undefined
}

type CopyOut = Extract<Plan, { readonly kind: 'copy-into-location' }>
type CopyIn = Extract<Plan, { readonly kind: 'copy-into-table' }>

/** A plan in the words of CnosDB's EXPLAIN, as far as the two plan alike. Holds no credential: locations are URLs. */
export function explainPlan(plan: Plan): ExplainedPlan {
  switch (plan.kind) {
    case 'rows':
      return { logical: [], physical: [], input: plan.relation }
    case 'copy-into-location':
      return explainCopyOut(plan)
    case 'copy-into-table':
      return explainCopyIn(plan)
    case 'insert':
      return explainInsert(plan.target, plan.source.columns, {
        columns: [],
        select: `SELECT * FROM ${plan.source.from}`,
      })
    case 'insert-literals': {
      const columns = plan.target.stored.schema.columns.map((column) => column.name)
      const { logical, physical } = explainInsert(plan.target, columns, undefined)
      return {
        logical: [...logical, `Values: ${plan.batch.rowCount} rows`],
        physical: [...physical, 'ValuesExec'],
        input: undefined,
      }
    }
    case 'delete':
      return explainChange('Delete', plan.target, plan.where)
    case 'update':
      return explainChange('Update', plan.target, plan.where)
    case 'explain':
    case 'kill-query':
    case 'metadata':
      return { logical: [], physical: [], input: undefined }
  }
}

function explainInsert({ id }: PlannedTable, columns: readonly string[], input: Relation | undefined): ExplainedPlan {
  return {
    logical: writerLines(id.table, columns),
    physical: ['TableWriterMergeExec: expr=[rows]', `TableWriterExec: [${printTableId(id)}]`],
    input,
  }
}

/** The rows that change are those the engine finds by the same condition. */
function explainChange(verb: string, { id, stored }: PlannedTable, where: string | undefined): ExplainedPlan {
  const condition = where === undefined ? '' : ` WHERE ${where}`
  return {
    logical: [`${verb}: table=${id.table}`],
    physical: [`${verb}Exec: [${printTableId(id)}]`],
    input: { columns: [], select: `SELECT * FROM ${tableReference(stored)}${condition}` },
  }
}

function explainCopyOut({ input, location }: CopyOut): ExplainedPlan {
  return {
    logical: writerLines('external_location_table', writtenColumns(input)),
    physical: ['TableWriterMergeExec: expr=[rows]', `TableWriterExec: [${location.url}]`],
    input,
  }
}

function explainCopyIn({ target, columns, location }: CopyIn): ExplainedPlan {
  const names = columns ?? target.stored.schema.columns.map((column) => column.name)
  const scan = `${formatName(location.format.names[0])}Exec: file_groups={1 group: [[${location.url}]]}, projection=[${names.join(', ')}]`
  return {
    logical: [...writerLines(target.id.table, names), `TableScan: ${location.url} projection=[${names.join(', ')}]`],
    physical: ['TableWriterMergeExec: expr=[rows]', `TableWriterExec: [${printTableId(target.id)}]`, scan],
    input: undefined,
  }
}

const writerLines = (table: string, columns: readonly string[]) => [
  'TableWriterMerge: SUM(rows) AS rows',
  `TableWriter: table=${table}, rows(${columns.join(', ')}) AS rows`,
]

/** CnosDB counts rows by a function whose arguments share one type: text, unless the columns agree on another. */
function writtenColumns({ columns }: Relation): string[] {
  const isUniform = new Set(columns.map((column) => column.type)).size === 1
  return columns.map(({ name, type }) => (isUniform || type === 'VARCHAR' ? name : `CAST(${name} AS Utf8)`))
}

const formatName = (name: string) => ({ CSV: 'Csv', JSON: 'Json', PARQUET: 'Parquet' })[name] ?? name

/** Lines, each two blanks deeper than the one above. */
export function indentLines(lines: readonly string[]): string {
  return lines.map((line, depth) => `${'  '.repeat(depth)}${line}`).join('\n')
}
