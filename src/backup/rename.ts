import { CnosError } from '../errors/cnos-error.ts'
import type { ObjectName, Statement } from '../sql/ast.ts'
import type { MetadataStatement } from './cluster-metadata.ts'

/** `--rename db=db2` and `--rename db.t=db2.t2`, in every tenant. */
export interface Renaming {
  database(database: string): string
  table(database: string, table: string): { readonly database: string; readonly table: string }
}

/** Throws USAGE for text that is neither form. A table's rule wins over its database's. */
export function parseRenaming(rules: readonly string[]): Renaming {
  const databases = new Map<string, string>()
  const tables = new Map<string, { readonly database: string; readonly table: string }>()
  for (const rule of rules) {
    const match = /^([^=.]+)(?:\.([^=.]+))?=([^=.]+)(?:\.([^=.]+))?$/.exec(rule)
    if (!match || (match[2] === undefined) !== (match[4] === undefined)) {
      throw new CnosError('USAGE', `--rename ${rule}: not a renaming`, {
        hint: 'write --rename db=db2 or --rename db.table=db2.table2',
      })
    }
    const [, fromDatabase = '', fromTable, toDatabase = '', toTable] = match
    if (fromTable === undefined) databases.set(fromDatabase, toDatabase)
    else tables.set(`${fromDatabase}.${fromTable}`, { database: toDatabase, table: toTable as string })
  }
  const database = (name: string) => databases.get(name) ?? name
  return {
    database,
    table: (db, table) => tables.get(`${db}.${table}`) ?? { database: database(db), table },
  }
}

/** The statement with its database and table names replaced. */
export function renameStatement({ tenant, statement }: MetadataStatement, renaming: Renaming): MetadataStatement {
  return { tenant, statement: renamed(statement, renaming) }
}

function renamed(statement: Statement, renaming: Renaming): Statement {
  switch (statement.kind) {
    case 'create-database':
      return { ...statement, name: renaming.database(statement.name) }
    case 'grant':
      return {
        ...statement,
        privileges: statement.privileges.map((grant) => ({ ...grant, database: renaming.database(grant.database) })),
      }
    case 'create-table':
    case 'create-external-table':
      return { ...statement, table: renameTable(statement.table, renaming) }
    case 'create-stream-table':
      return {
        ...statement,
        table: renameTable(statement.table, renaming),
        options: renameSource(statement.options, renaming),
      }
    default:
      return statement
  }
}

function renameTable({ parts }: ObjectName, renaming: Renaming): ObjectName {
  const [database, table] = parts
  if (database === undefined || table === undefined) return { parts }
  const to = renaming.table(database, table)
  return { parts: [to.database, to.table] }
}

function renameSource<T extends ReadonlyMap<string, unknown>>(options: T, renaming: Renaming): T {
  const database = options.get('db')
  const table = options.get('table')
  if (typeof database !== 'string' || typeof table !== 'string') return options
  const to = renaming.table(database, table)
  return new Map([...options, ['db', to.database], ['table', to.table]]) as unknown as T
}
