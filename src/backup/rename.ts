import { CnosError } from '../errors/cnos-error.ts'
import type { ObjectName, Statement } from '../sql/ast.ts'
import type { MetadataStatement, TableInfo } from './cluster-metadata.ts'

/** `--rename db=db2` and `--rename db.t=db2.t2`, in every tenant. */
export interface Renaming {
  /** Every rule as written, and what it is about. */
  readonly rules: readonly { readonly text: string; readonly database: string; readonly table: string | undefined }[]
  database(database: string): string
  table(database: string, table: string): { readonly database: string; readonly table: string }
}

/** Throws USAGE for text that is neither form. A table's rule wins over its database's. */
export function parseRenaming(rules: readonly string[]): Renaming {
  const databases = new Map<string, string>()
  const tables = new Map<string, { readonly database: string; readonly table: string }>()
  const about: Renaming['rules'][number][] = []
  for (const rule of rules) {
    const match = /^([^=.]+)(?:\.([^=.]+))?=([^=.]+)(?:\.([^=.]+))?$/.exec(rule)
    if (!match || (match[2] === undefined) !== (match[4] === undefined)) {
      throw new CnosError('USAGE', `--rename ${rule}: not a renaming`, {
        hint: 'write --rename db=db2 or --rename db.table=db2.table2',
      })
    }
    const [, fromDatabase = '', fromTable, toDatabase = '', toTable] = match
    about.push({ text: rule, database: fromDatabase, table: fromTable })
    if (fromTable === undefined) databases.set(fromDatabase, toDatabase)
    else tables.set(`${fromDatabase}.${fromTable}`, { database: toDatabase, table: toTable as string })
  }
  const database = (name: string) => databases.get(name) ?? name
  return {
    rules: about,
    database,
    table: (db, table) => tables.get(`${db}.${table}`) ?? { database: database(db), table },
  }
}

/** Throws USAGE for a rule about nothing that is to be imported, and when two tables would become one. */
export function checkRenaming(
  renaming: Renaming,
  tables: readonly TableInfo[],
  meta: readonly MetadataStatement[],
): void {
  for (const { text, database, table } of renaming.rules) {
    const isAbout = tables.some((one) => one.database === database && (table === undefined || one.table === table))
    const isDatabase = meta.some(({ statement }) => statement.kind === 'create-database' && statement.name === database)
    if (isAbout || (isDatabase && table === undefined)) continue
    throw new CnosError('USAGE', `--rename ${text}: nothing that is to be imported has this name`, {
      hint: 'cnosdb-imexport info lists the tables of the backup; names are written as there, without quotes',
    })
  }
  const sources = new Map<string, string>()
  for (const { tenant, database, table } of tables) {
    const to = renaming.table(database, table)
    const target = `${tenant}.${to.database}.${to.table}`
    const other = sources.get(target)
    if (other !== undefined)
      throw new CnosError('USAGE', `--rename makes one table ${target} of ${other} and ${database}.${table}`)
    sources.set(target, `${database}.${table}`)
  }
}

/**
 * The statements with their names replaced. A database that only a renamed table needs is made as the one it comes from.
 */
export function renamedMetadata(meta: readonly MetadataStatement[], renaming: Renaming): MetadataStatement[] {
  const renamed = meta.map((step) => renameStatement(step, renaming))
  const made = new Set(renamed.map(({ tenant, statement }) => databaseKey(tenant, statement)))
  const more = meta.flatMap(({ tenant, statement }) => {
    if (statement.kind !== 'create-database') return []
    return renaming.rules.flatMap(({ database, table }): MetadataStatement[] => {
      if (table === undefined || database !== statement.name) return []
      const copy = { ...statement, name: renaming.table(database, table).database }
      return made.has(databaseKey(tenant, copy)) ? [] : [{ tenant, statement: copy }]
    })
  })
  return [...renamed, ...more]
}

const databaseKey = (tenant: string | undefined, statement: Statement) =>
  statement.kind === 'create-database' ? JSON.stringify([tenant, statement.name]) : ''

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
