import type { Abortable } from '../async/abort.ts'
import type { ClusterClient, Row } from '../client/cluster-client.ts'
import { isCnosError } from '../errors/cnos-error.ts'
import { type MetadataStatement, SYSTEM_TENANT } from './cluster-metadata.ts'
import type { Journal } from './journal.ts'

/** What the target holds besides tables. */
export interface TargetObjects {
  /**
   * Names of `nameOf`: tenants, users, roles, members, and databases that hold tables, as they were before this import
   * began. They belong to somebody.
   */
  readonly earlier: ReadonlySet<string>
  /** Every database as it is now, by its name; options as `information_schema.databases` shows them. */
  readonly databases: ReadonlyMap<string, Row>
}

/** The object that a statement makes, as messages call it; undefined for other statements. */
export function nameOf({ tenant = SYSTEM_TENANT, statement }: MetadataStatement): string | undefined {
  switch (statement.kind) {
    case 'create-tenant':
      return `tenant ${statement.name}`
    case 'create-user':
      return `user ${statement.name}`
    case 'create-database':
      return databaseName(tenant, statement.name)
    case 'create-role':
      return roleName(tenant, statement.name)
    case 'alter-tenant':
      return statement.action.kind === 'add-user' ? memberName(tenant, statement.action.user) : undefined
    default:
      return undefined
  }
}

export const databaseName = (tenant: string, database: string) => `database ${database} of tenant ${tenant}`
export const roleName = (tenant: string, role: string) => `role ${role} of tenant ${tenant}`
const memberName = (tenant: string, user: string) => `member ${user} of tenant ${tenant}`

const EARLIER = 'objects of the target'

/** Asks the target; what was there before an import that goes on is in its journal. */
export async function readTargetObjects(
  client: ClusterClient,
  backup: readonly MetadataStatement[],
  journal: Journal,
  { signal }: Abortable,
): Promise<TargetObjects> {
  const found = new Set<string>()
  const databases = new Map<string, Row>()
  const ask = async (sql: string, tenant = SYSTEM_TENANT) => {
    try {
      return await client.query(sql, { tenant, signal })
    } catch (error) {
      // A tenant that is not there, or what this user may not see.
      if (isCnosError(error) && error.errorName !== 'CLUSTER_UNREACHABLE') return []
      throw error
    }
  }
  for (const row of await ask('SELECT tenant_name FROM cluster_schema.tenants')) found.add(`tenant ${row.tenant_name}`)
  for (const row of await ask('SELECT user_name FROM cluster_schema.users')) found.add(`user ${row.user_name}`)
  for (const tenant of new Set(backup.map((step) => step.tenant ?? SYSTEM_TENANT))) {
    for (const row of await ask('SELECT * FROM information_schema.databases', tenant))
      databases.set(databaseName(tenant, row.database_name ?? ''), row)
    for (const row of await ask('SELECT DISTINCT table_database FROM information_schema.tables', tenant))
      found.add(databaseName(tenant, row.table_database ?? ''))
    for (const row of await ask('SELECT role_name FROM information_schema.roles', tenant))
      found.add(roleName(tenant, row.role_name ?? ''))
    for (const row of await ask('SELECT user_name FROM information_schema.members', tenant))
      found.add(memberName(tenant, row.user_name ?? ''))
  }
  const known = journal.states.get(EARLIER)
  if (known?.state === 'earlier') return { earlier: new Set(known.objects), databases }
  return {
    earlier: new Set(backup.map(nameOf).filter((name) => name !== undefined && found.has(name)) as string[]),
    databases,
  }
}

/** To be called before the first of them is changed. */
export async function rememberTargetObjects(journal: Journal, { earlier }: TargetObjects, options: Abortable) {
  if (journal.states.has(EARLIER)) return
  await journal.record(EARLIER, { state: 'earlier', attempt: 0, objects: [...earlier] }, options)
}
