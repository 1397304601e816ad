import { CnosError } from '../errors/cnos-error.ts'

/** Names of tenants, users, roles, databases and tables: not blank, no `/`. */
export function checkObjectName(name: string): void {
  if (name.includes('/'))
    throw new CnosError('SQL_SYNTAX', `sql parser error: not supported keyword contains '/': ${name}`)
  if (name.trim() === '')
    throw new CnosError('SQL_SYNTAX', 'sql parser error: Name cannot be empty or contain only spaces')
}
