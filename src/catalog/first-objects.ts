import type { CatalogChange, ChangeContext } from './catalog.ts'
import { DEFAULT_DATABASE_SETTINGS } from './database-settings.ts'
import { type DatabaseEntry, keyOf, type Member, ROOT, SYSTEM_TENANT, type Tenant, type User } from './state.ts'

export const SYSTEM_TENANT_COMMENT = 'system tenant'
export const ROOT_COMMENT = 'system admin'

/** What every CnosDB is born with. */
export function firstObjects(context: ChangeContext, rootHash: string): CatalogChange {
  const tenant: Tenant = { name: SYSTEM_TENANT, id: context.newId(), comment: SYSTEM_TENANT_COMMENT }
  const root: User = {
    name: ROOT,
    id: context.newId(),
    hashPassword: rootHash,
    mustChangePassword: false,
    comment: ROOT_COMMENT,
    grantedAdmin: true,
  }
  const owner: Member = { tenant: SYSTEM_TENANT, user: ROOT, role: 'owner' }
  const databases = ['public', 'usage_schema', 'cluster_schema'].map(
    (name): DatabaseEntry => ({ tenant: SYSTEM_TENANT, name, settings: DEFAULT_DATABASE_SETTINGS }),
  )
  return {
    objects: [
      { kind: 'tenants', key: keyOf(tenant.name), value: tenant },
      { kind: 'users', key: keyOf(root.name), value: root },
      { kind: 'members', key: keyOf(SYSTEM_TENANT, ROOT), value: owner },
      ...databases.map((database) => ({
        kind: 'databases' as const,
        key: keyOf(SYSTEM_TENANT, database.name),
        value: database,
      })),
    ],
  }
}
