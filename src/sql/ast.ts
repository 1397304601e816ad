import type { OptionLiteral } from '../options/option-spec.ts'

/**
 * The statements of CnosDB as frozen data. A SELECT stays text: the engine parses it (its own syntax tree is checked
 * and rewritten in engine/select.ts). Unquoted identifiers are folded to lower case by the parser, quoted ones kept.
 */

/** `t`, `db.t` or `tenant.db.t`; the parts as written, folded. */
export interface ObjectName {
  readonly parts: readonly string[]
}

/** SELECT, WITH, VALUES or UNION text, verbatim, without the final semicolon. */
export interface Query {
  readonly text: string
  /** Where `text` starts in the statement, counted like `String.slice`, so that positions in it can be translated. */
  readonly offset: number
}

/** An expression kept verbatim (DELETE … WHERE, UPDATE … SET, SHOW SERIES WHERE). */
export type Expression = Query

/** `key = value` pairs in written order, keys folded; a later repeat of a key wins. */
export type Options = ReadonlyMap<string, OptionLiteral>

export interface ColumnDefinition {
  readonly name: string
  /** Upper case, blanks collapsed: `BIGINT UNSIGNED`, `GEOMETRY(POINT, 0)`, `DECIMAL(10,6)`. */
  readonly type: string
  /** Upper case; absent when no CODEC(…) was written. */
  readonly codec?: string
  /** `NOT NULL`, of a column of an external table. */
  readonly notNull?: true
}

/** The location end of a COPY INTO. */
export interface CopyLocationClauses {
  readonly path: string
  readonly connection: Options | undefined
  readonly fileFormat: Options | undefined
  readonly copyOptions: Options | undefined
}

export type DatabaseOptionName =
  | 'ttl'
  | 'shard'
  | 'vnode_duration'
  | 'replica'
  | 'precision'
  | 'max_memcache_size'
  | 'memcache_partitions'
  | 'wal_max_file_size'
  | 'wal_sync'
  | 'strict_write'
  | 'max_cache_readers'

/** Values as written: text of a string literal, or an integer. */
export type DatabaseOptions = ReadonlyMap<DatabaseOptionName, string | bigint>

/** The options of CREATE/ALTER USER that were written. */
export interface UserOptions {
  readonly password?: string
  readonly hashPassword?: string
  readonly mustChangePassword?: boolean
  readonly rsaPublicKey?: string
  readonly comment?: string
  readonly grantedAdmin?: boolean
}

export const LIMITER_GROUPS = [
  'coord_data_in',
  'coord_data_out',
  'coord_queries',
  'coord_writes',
  'http_data_in',
  'http_data_out',
  'http_queries',
  'http_writes',
] as const
export type LimiterGroup = (typeof LIMITER_GROUPS)[number]

/** The options of CREATE/ALTER TENANT that were written. */
export interface TenantOptions {
  readonly comment?: string
  readonly dropAfter?: string
  /** `object_config` numbers by name, such as `max_users_number`. */
  readonly objectConfig?: ReadonlyMap<string, bigint>
  /** Per group, numbers by name, such as `remote_max`. */
  readonly requestConfig?: ReadonlyMap<LimiterGroup, ReadonlyMap<string, bigint>>
  /** `_limiter = '{…}'`, the JSON that real dumps hold. */
  readonly limiterJson?: string
}

export type DatabasePrivilege = 'Read' | 'Write' | 'All'

export type ShowSubject = 'databases' | 'tables' | 'queries' | 'streams' | 'replicas'

export type Statement =
  // queries and data
  | { readonly kind: 'query'; readonly query: Query }
  | {
      readonly kind: 'insert'
      readonly table: ObjectName
      readonly columns: readonly string[] | undefined
      readonly source: Query
    }
  | { readonly kind: 'delete'; readonly table: ObjectName; readonly where: Expression | undefined }
  | {
      readonly kind: 'update'
      readonly table: ObjectName
      readonly assignments: readonly { readonly column: string; readonly value: Expression }[]
      readonly where: Expression | undefined
    }
  | {
      readonly kind: 'copy-into-table'
      readonly table: ObjectName
      readonly columns: readonly string[] | undefined
      readonly location: CopyLocationClauses
    }
  | {
      readonly kind: 'copy-into-location'
      readonly location: CopyLocationClauses
      readonly source:
        | { readonly kind: 'table'; readonly table: ObjectName }
        | { readonly kind: 'query'; readonly query: Query }
    }
  | {
      readonly kind: 'explain'
      readonly analyze: boolean
      readonly verbose: boolean
      readonly format: string | undefined
      readonly statement: Statement
    }
  // databases
  | {
      readonly kind: 'create-database'
      readonly name: string
      readonly ifNotExists: boolean
      readonly options: DatabaseOptions
    }
  | { readonly kind: 'alter-database'; readonly name: string; readonly options: DatabaseOptions }
  | {
      readonly kind: 'drop-database'
      readonly name: string
      readonly ifExists: boolean
      readonly after: string | undefined
    }
  | { readonly kind: 'recover-database'; readonly name: string; readonly ifExists: boolean }
  | { readonly kind: 'describe-database'; readonly name: string }
  // tables
  | {
      readonly kind: 'create-table'
      readonly table: ObjectName
      readonly ifNotExists: boolean
      readonly fields: readonly ColumnDefinition[]
      readonly tags: readonly string[]
    }
  | {
      readonly kind: 'create-external-table'
      readonly table: ObjectName
      readonly ifNotExists: boolean
      readonly columns: readonly ColumnDefinition[]
      /** Upper case. */
      readonly fileType: string
      readonly hasHeader: boolean
      readonly delimiter: string | undefined
      /** Upper case. */
      readonly compression: string | undefined
      readonly partitionedBy: readonly string[]
      readonly options: Options
      /** What was written in WITH ORDER (…), verbatim. Says how the files are sorted; changes no result. */
      readonly order?: Expression
      readonly location: string
    }
  | {
      readonly kind: 'create-stream-table'
      readonly table: ObjectName
      readonly ifNotExists: boolean
      readonly columns: readonly ColumnDefinition[]
      readonly options: Options
      readonly engine: string
    }
  | {
      readonly kind: 'alter-table'
      readonly table: ObjectName
      readonly action:
        | { readonly kind: 'add-field'; readonly column: ColumnDefinition }
        | { readonly kind: 'add-tag'; readonly name: string }
        | { readonly kind: 'set-codec'; readonly name: string; readonly codec: string }
        | { readonly kind: 'drop-column'; readonly name: string }
        | { readonly kind: 'rename-column'; readonly from: string; readonly to: string }
    }
  | { readonly kind: 'drop-table'; readonly table: ObjectName; readonly ifExists: boolean }
  | { readonly kind: 'describe-table'; readonly table: ObjectName }
  // tenants, users, roles
  | {
      readonly kind: 'create-tenant'
      readonly name: string
      readonly ifNotExists: boolean
      readonly options: TenantOptions
    }
  | {
      readonly kind: 'alter-tenant'
      readonly name: string
      readonly action:
        | { readonly kind: 'set'; readonly options: TenantOptions }
        | { readonly kind: 'unset'; readonly option: 'comment' | 'drop_after' | '_limiter' }
        | { readonly kind: 'add-user'; readonly user: string; readonly role: string }
        | { readonly kind: 'set-user'; readonly user: string; readonly role: string }
        | { readonly kind: 'remove-user'; readonly user: string }
    }
  | {
      readonly kind: 'drop-tenant'
      readonly name: string
      readonly ifExists: boolean
      readonly after: string | undefined
    }
  | { readonly kind: 'recover-tenant'; readonly name: string; readonly ifExists: boolean }
  | {
      readonly kind: 'create-user'
      readonly name: string
      readonly ifNotExists: boolean
      readonly options: UserOptions
    }
  | {
      readonly kind: 'alter-user'
      readonly name: string
      readonly action:
        | { readonly kind: 'set'; readonly options: UserOptions }
        | { readonly kind: 'rename'; readonly to: string }
    }
  | { readonly kind: 'drop-user'; readonly name: string; readonly ifExists: boolean }
  | {
      readonly kind: 'create-role'
      readonly name: string
      readonly ifNotExists: boolean
      readonly inherit: string | undefined
    }
  | { readonly kind: 'drop-role'; readonly name: string; readonly ifExists: boolean }
  | {
      readonly kind: 'grant' | 'revoke'
      readonly privileges: readonly { readonly privilege: DatabasePrivilege; readonly database: string }[]
      readonly role: string
    }
  // looking around
  | { readonly kind: 'show'; readonly subject: ShowSubject; readonly database: string | undefined }
  | {
      readonly kind: 'show-series'
      readonly table: ObjectName
      readonly database: string | undefined
      /** WHERE, ORDER BY, LIMIT, OFFSET, verbatim; empty when none was written. */
      readonly tail: Expression
    }
  | {
      readonly kind: 'show-tag-values'
      readonly table: ObjectName
      readonly database: string | undefined
      readonly key:
        | { readonly operator: '=' | '!='; readonly keys: readonly [string] }
        | { readonly operator: 'IN' | 'NOT IN'; readonly keys: readonly string[] }
      readonly tail: Expression
    }
  | { readonly kind: 'kill-query'; readonly queryId: bigint }
  /** Parsed so that the refusal can name it: CREATE STREAM, COMPACT, … */
  | { readonly kind: 'unsupported'; readonly feature: string }

export type StatementKind = Statement['kind']
