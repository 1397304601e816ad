import type { KnownType } from './functions/rule.ts'

export interface ScopeColumn {
  readonly name: string
  readonly type: KnownType
  readonly clientType?: KnownType
}

export interface ScopeTable {
  /** What qualifies its columns in the rewritten text. */
  readonly alias: string
  /** Tenant, database and table as far as known; empty for subqueries, CTEs and where the user gave an alias. */
  readonly path: readonly string[]
  /** Undefined when they cannot be told without asking DuckDB. */
  readonly columns: readonly ScopeColumn[] | undefined
}

export interface CommonTable {
  /** A name no user can have given to anything. */
  readonly name: string
  readonly columns: readonly ScopeColumn[] | undefined
}

/** What a name can mean at a place of the query. */
export interface Scope {
  readonly tables: readonly ScopeTable[]
  readonly commonTables: ReadonlyMap<string, CommonTable>
  readonly parent: Scope | undefined
}

export const EMPTY_SCOPE: Scope = { tables: [], commonTables: new Map(), parent: undefined }

interface ColumnMeaning {
  /** The names as DuckDB shall see them. */
  readonly names: readonly string[]
  readonly table: ScopeTable | undefined
  readonly column: ScopeColumn | undefined
}

/** Finds the table and column behind `c`, `t.c`, `db.t.c` or `tenant.db.t.c`, inner tables first. */
export function findColumn(names: readonly string[], scope: Scope | undefined): ColumnMeaning {
  for (let at = scope; at !== undefined; at = at.parent) {
    const found = findInTables(names, at.tables)
    if (found !== undefined) return found
  }
  return { names, table: undefined, column: undefined }
}

function findInTables(names: readonly string[], tables: readonly ScopeTable[]): ColumnMeaning | undefined {
  for (let qualifiers = Math.min(3, names.length - 1); qualifiers >= 1; qualifiers -= 1) {
    const written = names.slice(0, qualifiers)
    const isAlias = (candidate: ScopeTable) => candidate.alias === written.join('.')
    const table = tables.find(isAlias) ?? tables.find((candidate) => isNamedBy(candidate, written))
    if (table === undefined) continue
    const rest = names.slice(qualifiers)
    return { names: [table.alias, ...rest], table, column: rest.length === 1 ? columnOf(table, rest[0]) : undefined }
  }
  for (const table of tables) {
    const column = columnOf(table, names[0])
    if (column !== undefined) return { names, table, column: names.length === 1 ? column : undefined }
  }
  return undefined
}

function isNamedBy({ path }: ScopeTable, qualifiers: readonly string[]): boolean {
  return (
    qualifiers.length > 1 &&
    qualifiers.length <= path.length &&
    qualifiers.every((part, at) => path.at(at - qualifiers.length) === part)
  )
}

function columnOf({ columns }: ScopeTable, name: string | undefined): ScopeColumn | undefined {
  if (name === undefined || columns === undefined) return undefined
  const folded = name.toLowerCase()
  return (
    columns.find((column) => column.name === name) ?? columns.find((column) => column.name.toLowerCase() === folded)
  )
}
