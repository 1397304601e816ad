import type { CnosError } from '../errors/cnos-error.ts'
import type { ErrorName } from '../errors/codes.ts'
import type { KnownType } from './functions/rule.ts'
import { type SelectErrorOptions, type SourceText, selectError } from './select-errors.ts'
import type { Scope, ScopeColumn } from './select-scope.ts'
import type { LateralRows } from './select-time-window.ts'
import { castNode, locationOf, type Node, stringNode } from './select-tree.ts'

/** An expression rewritten for DuckDB, with what is known of its type. */
export interface Typed {
  readonly node: Node
  readonly type: KnownType
  /** The type a client expects, where it is not the engine's: counts are UBIGINT. */
  readonly clientType?: KnownType
}

export interface RewrittenQuery {
  readonly node: Node
  readonly columns: readonly ScopeColumn[] | undefined
}

export interface LoadedTable {
  /** The FROM item to put in place; its alias is set where it is used. */
  readonly from: Node
  readonly alias: string
  readonly path: readonly string[]
  readonly columns: readonly ScopeColumn[] | undefined
}

/** What one rewriting pass needs from outside. Whatever is not loaded yet is asked for, and the pass is repeated. */
export interface RewriteContext {
  readonly source: SourceText
  readonly now: string
  /** `current_user` and the like; null is NULL. */
  /** Where sliding windows go; undefined where a query has no FROM of its own. */
  readonly lateral?: LateralRows
  readonly sessionValues: Readonly<Record<string, string | null>>
  /** The tree of a template, or undefined while it is being fetched. */
  template(text: string): Node | undefined
  table(parts: readonly string[], location: number): LoadedTable | undefined
  /** Tells which columns a FROM item offers under which name. */
  onTable(alias: string, columns: readonly ScopeColumn[] | undefined): void
  /** Tells which column was mentioned. */
  onColumn(names: readonly string[], node: Node): void
  nextName(): string
  query(node: Node, scope: Scope): RewrittenQuery
}

/** An error at a node of the user's tree. */
export function errorAt(
  context: RewriteContext,
  node: Node,
  name: ErrorName,
  message: string,
  options: SelectErrorOptions = {},
): CnosError {
  return selectError(name, message, context.source, locationOf(node), options)
}

export function unsupported(context: RewriteContext, node: Node, what: string, hint?: string): CnosError {
  return errorAt(context, node, 'UNSUPPORTED', `${what} is not available.`, hint === undefined ? {} : { hint })
}

/** What `now()` means: the same instant everywhere in a statement. */
export function nowNode(context: RewriteContext, type: string, location: number): Typed {
  const instant = castNode(stringNode(context.now, location), 'TIMESTAMP_NS', location)
  return { node: type === 'TIMESTAMP_NS' ? instant : castNode(instant, type, location), type }
}
