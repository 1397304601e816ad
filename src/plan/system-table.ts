import { systemTable } from '../catalog/information-schema.ts'
import { requireDatabasePrivilege } from '../catalog/privileges.ts'
import { systemTableRelation } from '../catalog/system-table.ts'
import type { Relation } from '../engine/relation.ts'
import type { TableId } from '../model/schema.ts'
import type { PlanContext } from './context.ts'

/** The rows of `information_schema` or `cluster_schema` this user sees; undefined for other names. */
export function systemTableSource(context: PlanContext, { database, table }: TableId): Relation | undefined {
  const { catalog: state, principal, queries } = context
  const found = systemTable(database, table, { state, principal, queries })
  if (!found) return undefined
  requireDatabasePrivilege(principal, database.toLowerCase(), 'Read')
  return systemTableRelation(found)
}
