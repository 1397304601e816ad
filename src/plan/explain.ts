import type { Relation } from '../engine/relation.ts'
import { printTableId } from '../model/schema.ts'
import type { Plan } from './plan.ts'

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
  if (plan.kind === 'copy-into-location') return explainCopyOut(plan)
  if (plan.kind === 'copy-into-table') return explainCopyIn(plan)
  return { logical: [], physical: [], input: plan.kind === 'rows' ? plan.relation : undefined }
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
