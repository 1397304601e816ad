import type { Statement } from '../sql/ast.ts'

/** The statements that change metadata only. */
export type MetadataKind =
  | 'create-database'
  | 'alter-database'
  | 'drop-database'
  | 'recover-database'
  | 'create-table'
  | 'create-external-table'
  | 'create-stream-table'
  | 'alter-table'
  | 'drop-table'
  | 'create-tenant'
  | 'alter-tenant'
  | 'drop-tenant'
  | 'recover-tenant'
  | 'create-user'
  | 'alter-user'
  | 'drop-user'
  | 'create-role'
  | 'drop-role'
  | 'grant'
  | 'revoke'

export type MetadataStatement = Extract<Statement, { readonly kind: MetadataKind }>
