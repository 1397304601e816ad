import type { Statement } from '../sql/ast.ts'

/** A time-series table as information_schema shows it. */
export interface TableInfo {
  readonly tenant: string
  readonly database: string
  readonly table: string
  readonly columns: readonly ColumnInfo[]
}

export interface ColumnInfo {
  readonly name: string
  readonly kind: 'time' | 'tag' | 'field'
  /** As `information_schema.columns.data_type` prints it. */
  readonly type: string
  /** Upper case; `DEFAULT` when nothing was chosen. */
  readonly codec: string
}

/** One DDL statement and the tenant it belongs to; global objects (tenants, users) have none. */
export interface MetadataStatement {
  readonly tenant: string | undefined
  readonly statement: Statement
}

/** Everything about a cluster that is not rows, in an order that can be replayed. */
export interface ClusterMetadata {
  /** Tenants, users, databases, roles, grants, members: `meta_data.src`. */
  readonly meta: readonly MetadataStatement[]
  /** Tables: time-series first, then external, then stream tables: `schema_data.src`. */
  readonly schema: readonly MetadataStatement[]
  readonly tables: readonly TableInfo[]
  /** What could not be carried, one sentence each, objects by name. */
  readonly notCarried: readonly string[]
}

/** Databases a backup never holds: CnosDB writes them itself. */
export const SYSTEM_DATABASES: ReadonlySet<string> = new Set(['information_schema', 'cluster_schema', 'usage_schema'])

/** The tenant and the databases every cluster is born with. */
export const SYSTEM_TENANT = 'cnosdb'
