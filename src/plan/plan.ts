import type { CopyLocation } from '../copy/location.ts'
import type { ColumnBatch } from '../engine/column-batch.ts'
import type { Relation } from '../engine/relation.ts'
import type { RowSource, StoredTable } from '../engine/table.ts'
import type { Precision, TableId } from '../model/schema.ts'
import type { MetadataStatement } from './metadata.ts'

/** A time-series table that a statement changes or exports, found and permitted. */
export interface PlannedTable {
  readonly id: TableId
  readonly stored: StoredTable
  readonly precision: Precision
  /** Rows older than this are refused; undefined when the database keeps everything. */
  readonly minTimeNs: bigint | undefined
}

/**
 * What a statement will do: every name, option, type and privilege has been checked, and nothing has been changed or
 * requested yet. A member without an executor in exec/execute.ts does not compile.
 */
export type Plan =
  /** SELECT, SHOW, DESCRIBE. A light one reads neither tables nor files, and never waits for those that do. */
  | { readonly kind: 'rows'; readonly relation: Relation; readonly isLight: boolean }
  | { readonly kind: 'insert'; readonly target: PlannedTable; readonly source: RowSource }
  | { readonly kind: 'insert-literals'; readonly target: PlannedTable; readonly batch: ColumnBatch }
  | { readonly kind: 'delete'; readonly target: PlannedTable; readonly where: string | undefined }
  | {
      readonly kind: 'update'
      readonly target: PlannedTable
      readonly assignments: readonly { readonly column: string; readonly value: string }[]
      readonly where: string
      /** Tags are set: whole series get another name. */
      readonly movesSeries: boolean
    }
  | {
      readonly kind: 'copy-into-table'
      readonly target: PlannedTable
      readonly columns: readonly string[] | undefined
      readonly location: CopyLocation
    }
  | {
      readonly kind: 'copy-into-location'
      readonly input: Relation
      /** Set when the whole of one table is exported: its schema travels in the files. */
      readonly table: PlannedTable | undefined
      readonly location: CopyLocation
    }
  /** With ANALYZE the explained plan runs, whatever it changes. */
  | { readonly kind: 'explain'; readonly plan: Plan; readonly isAnalyze: boolean }
  | { readonly kind: 'kill-query'; readonly queryId: bigint }
  /** A change of metadata; the catalog checks what depends on its latest state when it applies it. */
  | { readonly kind: 'metadata'; readonly statement: MetadataStatement }
