import { requireChangedPassword, requireDatabasePrivilege, requireReadAll } from '../catalog/privileges.ts'
import { describeDatabase, describeTable, showDatabases, showQueries, showTables } from '../catalog/show.ts'
import { requireDatabase, requireTable } from '../catalog/state.ts'
import { type SystemTable, systemTableRelation } from '../catalog/system-table.ts'
import { CnosError } from '../errors/cnos-error.ts'
import type { Statement, StatementKind } from '../sql/ast.ts'
import { planDelete, planUpdate } from './change-rows.ts'
import type { PlanContext } from './context.ts'
import { planCopyIntoLocation, planCopyIntoTable } from './copy.ts'
import { withInferredColumns } from './external-table.ts'
import { planInsert } from './insert.ts'
import { changesOwnPassword, checkMetadataPrivilege, type MetadataStatement } from './metadata.ts'
import { tableIdOf } from './names.ts'
import type { Plan } from './plan.ts'
import { planQuery } from './query.ts'
import { planShowSeries, planShowTagValues } from './show.ts'

type StatementOf<K extends StatementKind> = Extract<Statement, { readonly kind: K }>
type Planner<K extends StatementKind> = (context: PlanContext, statement: StatementOf<K>) => Plan | Promise<Plan>

function planMetadata(context: PlanContext, statement: MetadataStatement): Plan {
  checkMetadataPrivilege(context, statement)
  return { kind: 'metadata', statement }
}

const known = (table: SystemTable): Plan => ({ kind: 'rows', relation: systemTableRelation(table), isLight: true })

const PLANNERS: { readonly [K in StatementKind]: Planner<K> } = {
  query: async (context, { query }) => {
    const relation = await planQuery(context, query)
    return { kind: 'rows', relation, isLight: relation.isLight }
  },
  insert: planInsert,
  delete: planDelete,
  update: planUpdate,
  'copy-into-table': planCopyIntoTable,
  'copy-into-location': planCopyIntoLocation,
  explain: planExplain,
  'create-database': planMetadata,
  'alter-database': planMetadata,
  'drop-database': planMetadata,
  'recover-database': planMetadata,
  'describe-database': planDescribeDatabase,
  'create-table': planMetadata,
  'create-external-table': async (context, statement) => {
    checkMetadataPrivilege(context, statement)
    return { kind: 'metadata', statement: await withInferredColumns(context, statement) }
  },
  'create-stream-table': planMetadata,
  'alter-table': planMetadata,
  'drop-table': planMetadata,
  'describe-table': planDescribeTable,
  'create-tenant': planMetadata,
  'alter-tenant': planMetadata,
  'drop-tenant': planMetadata,
  'recover-tenant': planMetadata,
  'create-user': planMetadata,
  'alter-user': planMetadata,
  'drop-user': planMetadata,
  'create-role': planMetadata,
  'drop-role': planMetadata,
  grant: planMetadata,
  revoke: planMetadata,
  show: planShow,
  'show-series': async (context, statement) => ({
    kind: 'rows',
    relation: await planShowSeries(context, statement),
    isLight: false,
  }),
  'show-tag-values': async (context, statement) => ({
    kind: 'rows',
    relation: await planShowTagValues(context, statement),
    isLight: false,
  }),
  'kill-query': (_, { queryId }) => ({ kind: 'kill-query', queryId }),
  unsupported: (_, { feature }) => {
    throw new CnosError('UNSUPPORTED', `This feature is not implemented: ${feature}`)
  },
}

/** What a statement will do, with every name, option, type and privilege checked. Changes nothing. */
export async function planStatement(context: PlanContext, statement: Statement): Promise<Plan> {
  if (!changesOwnPassword(statement, context.session.user)) requireChangedPassword(context.principal)
  const planner = PLANNERS[statement.kind] as Planner<StatementKind>
  return planner(context, statement)
}

const EXPLAINABLE: ReadonlySet<StatementKind> = new Set([
  'query',
  'insert',
  'delete',
  'update',
  'copy-into-table',
  'copy-into-location',
  'show',
  'show-series',
  'show-tag-values',
])

async function planExplain(context: PlanContext, { statement, analyze }: StatementOf<'explain'>): Promise<Plan> {
  if (!EXPLAINABLE.has(statement.kind)) {
    throw new CnosError('UNSUPPORTED', `This feature is not implemented: EXPLAIN of ${statement.kind}`, {
      hint: 'EXPLAIN a query, INSERT, DELETE, UPDATE or COPY INTO',
    })
  }
  return { kind: 'explain', plan: await planStatement(context, statement), isAnalyze: analyze }
}

function planShow(context: PlanContext, { subject, database }: StatementOf<'show'>): Plan {
  const { catalog, principal, session, queries } = context
  switch (subject) {
    case 'databases':
      requireReadAll(principal)
      return known(showDatabases(catalog, principal))
    case 'tables': {
      const shown = database ?? session.database
      requireDatabasePrivilege(principal, shown, 'Read')
      return known(showTables(catalog, session.tenant, shown))
    }
    case 'queries':
      requireReadAll(principal)
      return known(showQueries(principal, queries))
    case 'streams':
    case 'replicas':
      throw new CnosError('UNSUPPORTED', `This feature is not implemented: SHOW ${subject.toUpperCase()}`, {
        hint: 'an embedded server is one node without stream jobs',
      })
  }
}

function planDescribeDatabase({ catalog, principal, session }: PlanContext, { name }: { readonly name: string }): Plan {
  const database = requireDatabase(catalog, session.tenant, name)
  requireDatabasePrivilege(principal, name, 'Read')
  return known(describeDatabase(database))
}

function planDescribeTable(context: PlanContext, { table }: StatementOf<'describe-table'>): Plan {
  const id = tableIdOf(table.parts, context.session)
  const entry = requireTable(context.catalog, id.tenant, id.database, id.table)
  requireDatabasePrivilege(context.principal, id.database, 'Read')
  return known(describeTable(entry))
}
