import { CnosError } from '../errors/cnos-error.ts'
import type { ObjectName, Statement } from './ast.ts'

/** An identifier in double quotes, so that case and odd characters survive. */
export function printIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A string literal in single quotes. */
export function printString(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** `"db"."table"`. */
export function printObjectName(name: ObjectName): string {
  return name.parts.map(printIdentifier).join('.')
}

/** Canonical SQL without a final `;`, in the grammar that CnosDB itself accepts. Parsed again, it is the same tree. Secrets are printed as they are. */
export function printStatement(statement: Statement): string {
  throw new CnosError('INTERNAL', `not printed yet: ${statement.kind}`)
}
