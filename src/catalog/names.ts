import { CnosError } from '../errors/cnos-error.ts'

const CONTROL = /\p{Cc}/u

/**
 * Names of tenants, users, roles, databases and tables: not blank, no `/`, no control characters (a line break in a
 * name would start a new statement in a dump that is read line by line).
 */
export function checkObjectName(name: string): void {
  if (name.includes('/'))
    throw new CnosError('SQL_SYNTAX', `sql parser error: not supported keyword contains '/': ${name}`)
  if (name.trim() === '')
    throw new CnosError('SQL_SYNTAX', 'sql parser error: Name cannot be empty or contain only spaces')
  if (CONTROL.test(name)) refuseControl(name)
}

/** Names of columns: not empty, no NUL, which ends a text for the engine. */
export function checkColumnName(name: string): void {
  if (name === '') throw new CnosError('SQL_SYNTAX', 'sql parser error: Column name cannot be empty')
  if (name.includes('\0')) refuseControl(name)
}

function refuseControl(name: string): never {
  throw new CnosError('SQL_SYNTAX', `sql parser error: Name contains a control character: ${JSON.stringify(name)}`, {
    hint: 'names may hold every letter, digit, blank and sign, but no line break or other control character',
  })
}
