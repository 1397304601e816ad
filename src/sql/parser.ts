import { CnosError } from '../errors/cnos-error.ts'
import type { Statement } from './ast.ts'

/**
 * Parses one statement; a final `;` is fine. Throws SQL_SYNTAX with the byte offset in `context.position`, or
 * MULTI_STATEMENT when more than one statement is there. No message holds a secret.
 */
export function parseStatement(sql: string): Statement {
  throw new CnosError('INTERNAL', `not parsed yet: ${sql.length} characters`)
}
