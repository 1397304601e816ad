import type { Abortable } from '../async/abort.ts'
import { CnosError } from '../errors/cnos-error.ts'
import type { Session } from './engine.ts'
import type { Relation, RelationColumn } from './relation.ts'

/** SELECT, WITH, VALUES or UNION text; `offset` is where it starts in the user's statement. */
export interface SelectText {
  readonly text: string
  readonly offset: number
  /** The whole statement, so that errors can name the line and column of what the user sent. Default: `text`. */
  readonly statement?: string
}

/** What stands in for a table the user named. */
export interface ResolvedTable {
  /** A FROM item, such as `data.t12` or `(VALUES (1)) AS v(a)`. It is trusted: never made from unquoted user text. */
  readonly from: string
  /** The name its columns are qualified with, normally the table's own. The user's alias, if any, wins. */
  readonly alias: string
}

export interface SelectResolver {
  /**
   * Called once for every mention of a table that is not a CTE. `parts` are as DuckDB folds nothing: unquoted names
   * are already lower case. Throws TABLE_NOT_FOUND, INSUFFICIENT_PRIVILEGES, PLANNING (another tenant).
   */
  table(parts: readonly string[], position: number): ResolvedTable
}

export interface TableReference {
  readonly parts: readonly string[]
  readonly from: string
  readonly alias: string
  /** Character offset in the user's statement. */
  readonly position: number
}

/** A checked, rewritten SELECT with result types and column names as a CnosDB client expects them. */
export interface SelectPlan extends Relation {
  readonly tables: readonly TableReference[]
}

export interface ExpressionPlan {
  /** DuckDB text of the expression; columns are unqualified and quoted. */
  readonly sql: string
  /** The columns it mentions, by their stored names, without repeats. */
  readonly columns: readonly string[]
}

export interface PlanExpressionOptions extends Abortable {
  /** Columns beyond these are refused with UNSUPPORTED. Default: all. */
  readonly allowedColumns?: readonly string[]
}

/**
 * Parses, checks and rewrites one SELECT. Throws SQL_SYNTAX, MULTI_STATEMENT, PLANNING, UNSUPPORTED, and whatever the
 * resolver throws. Nothing runs but the parser and the binder.
 */
export async function planSelect(
  _session: Session,
  _query: SelectText,
  _resolver: SelectResolver,
  _options: Abortable = {},
): Promise<SelectPlan> {
  throw new CnosError('INTERNAL', 'planSelect is being written')
}

/** The same checks for one expression over one table's columns (DELETE, UPDATE, SHOW SERIES). */
export async function planExpression(
  _session: Session,
  _expression: SelectText,
  _columns: readonly RelationColumn[],
  _options: PlanExpressionOptions = {},
): Promise<ExpressionPlan> {
  throw new CnosError('INTERNAL', 'planExpression is being written')
}
