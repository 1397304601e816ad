import type { Abortable } from '../async/abort.ts'
import type { EngineRow, EngineTuple } from '../engine/engine.ts'
import type { RelationColumn } from '../engine/relation.ts'

/** Rows that have not been computed yet. */
export interface RowsResult {
  readonly kind: 'rows'
  /** `type` is DuckDB's name: TIMESTAMP_NS, TIMESTAMP, TIMESTAMP_MS, BIGINT, UBIGINT, DOUBLE, BOOLEAN, VARCHAR, … */
  readonly columns: readonly RelationColumn[]
  /**
   * One VARCHAR per row, made by `expression`, a DuckDB expression over the quoted names of `columns` (over
   * `columnReferences(columns)`, where two have one name); in batches, with back-pressure. Leaving the loop cancels the statement. May be called once.
   */
  lines(expression: string, options?: Abortable): AsyncIterable<readonly string[]>
  /** No more rows than this, where it is known before they are read. */
  readonly maxRows: number | undefined
  /** Every row as values in the order of `columns`; for answers of a few rows only. May be called once, instead of `lines`. */
  values(options?: Abortable): Promise<readonly EngineTuple[]>
  /** The same by name: of columns with one name the last wins. */
  all(options?: Abortable): Promise<readonly EngineRow[]>
  /** Ends the statement without reading (more of) it. Called twice or after the end it does nothing. */
  close(): void
}

/** What a statement answers: nothing but success, or rows. */
export type StatementResult = { readonly kind: 'none' } | RowsResult
