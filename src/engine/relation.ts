import type { Abortable } from '../async/abort.ts'
import type { EngineTuple, Session } from './engine.ts'
import { quoteIdentifier } from './quote.ts'

/** One column of a relation; `type` is DuckDB's name of the type, such as `TIMESTAMP_NS` or `UBIGINT`. */
export interface RelationColumn {
  readonly name: string
  readonly type: string
}

/**
 * Rows the engine has not read yet: a SELECT that is safe to run (checked and rewritten, or made by us). Rows never
 * become JavaScript values on the COPY path.
 */
export interface Relation {
  readonly columns: readonly RelationColumn[]
  readonly select: string
  /** No more rows than this, where it is known before they are read. */
  readonly maxRows?: number | undefined
  /** The rows themselves, where they are known: nothing has to run. */
  readonly rows?: readonly EngineTuple[] | undefined
  /** After reading failed with `error`: the same fault with the file and line it is in, or `error` itself. */
  readonly explain?: ((error: unknown, session: Session, options?: Abortable) => Promise<unknown>) | undefined
}

/**
 * A quoted name for every column that no other column has; it is the column's own unless an earlier one has it, in any
 * case. In `FROM (select) AS r(references)` each reaches its column, where DuckDB would take the first of two.
 */
export function columnReferences(columns: readonly RelationColumn[]): readonly string[] {
  const taken = new Set(columns.map(({ name }) => name.toLowerCase()))
  const seen = new Set<string>()
  return columns.map(({ name }) => {
    let unique = name
    if (seen.has(name.toLowerCase())) {
      for (let count = 2; taken.has(unique.toLowerCase()); count += 1) unique = `${name} ${count}`
      taken.add(unique.toLowerCase())
    }
    seen.add(unique.toLowerCase())
    return quoteIdentifier(unique)
  })
}
