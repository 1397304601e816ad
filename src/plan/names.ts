import { CnosError } from '../errors/cnos-error.ts'
import type { TableId } from '../model/schema.ts'
import type { UserSession } from './session.ts'

/**
 * The table a name points to: `t` in the session's database, `db.t`, or `tenant.db.t` of the session's own tenant.
 * PLANNING for another tenant or more parts, as CnosDB answers.
 */
export function tableIdOf(parts: readonly string[], session: UserSession): TableId {
  const [first = '', second, third] = parts
  if (parts.length === 1) return { tenant: session.tenant, database: session.database, table: first }
  if (second !== undefined && parts.length === 2) return { tenant: session.tenant, database: first, table: second }
  if (second !== undefined && third !== undefined && parts.length === 3 && first === session.tenant) {
    return { tenant: first, database: second, table: third }
  }
  throw new CnosError(
    'PLANNING',
    parts.length === 3
      ? `Datafusion: Error during planning: Tenant conflict, the current connection's tenant is ${session.tenant}`
      : `Datafusion: Error during planning: Unsupported compound identifier '${parts.join('.')}'`,
    { hint: 'write table or database.table; the tenant comes from the connection' },
  )
}

/** As `tableIdOf`, for COPY INTO, which takes at most two parts. */
export function copyTableIdOf(parts: readonly string[], session: UserSession): TableId {
  if (parts.length <= 2) return tableIdOf(parts, session)
  throw new CnosError(
    'PLANNING',
    `Datafusion: Error during planning: Database object names must have at most two parts, but found: '${parts.join('.')}'`,
    { hint: 'write table or database.table; the tenant comes from the connection' },
  )
}
