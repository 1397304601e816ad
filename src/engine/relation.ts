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
}
