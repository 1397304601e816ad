import type { CatalogChange, ChangeContext } from '../catalog/catalog.ts'
import { alterDatabase, createDatabase, dropDatabase, recoverDatabase } from '../catalog/databases.ts'
import { hashPassword, requireOtherPassword } from '../catalog/passwords.ts'
import { createRole, dropRole, grantPrivileges, revokePrivileges } from '../catalog/roles.ts'
import { type CatalogState, findTable, keyOf } from '../catalog/state.ts'
import { alterTable, createExternalTable, createStreamTable, createTable, dropTable } from '../catalog/tables.ts'
import {
  addMember,
  alterTenant,
  createTenant,
  dropTenant,
  recoverTenant,
  removeMember,
  setMember,
  unsetTenantOption,
} from '../catalog/tenants.ts'
import { alterUser, createUser, dropUser, type WrittenUserOptions } from '../catalog/users.ts'
import { withTableLock } from '../engine/table-lock.ts'
import { CnosError } from '../errors/cnos-error.ts'
import { type Duration, parseDuration } from '../model/duration.ts'
import { type MetadataKind, type MetadataStatement, tableNameOf } from '../plan/metadata.ts'
import type { Plan } from '../plan/plan.ts'
import type { UserSession } from '../plan/session.ts'
import type { UserOptions } from '../sql/ast.ts'
import { changeCatalog } from './change-catalog.ts'
import type { ExecContext } from './context.ts'
import type { StatementResult } from './result.ts'

type StatementOf<K extends MetadataKind> = Extract<MetadataStatement, { readonly kind: K }>
type Build = (state: CatalogState, context: ChangeContext) => CatalogChange
/** Does what has to wait (hashing a password), then tells how to change the catalog. */
type Prepare<K extends MetadataKind> = (
  statement: StatementOf<K>,
  session: UserSession,
  state: CatalogState,
) => Build | Promise<Build>

const BUILDERS: { readonly [K in MetadataKind]: Prepare<K> } = {
  'create-database':
    ({ name, ifNotExists, options }, { tenant }) =>
    (state) =>
      createDatabase(state, { tenant, name }, { ifNotExists, written: options }),
  'alter-database':
    ({ name, options }, { tenant }) =>
    (state) =>
      alterDatabase(state, { tenant, name }, options),
  'drop-database':
    ({ name, ifExists, after }, { tenant }) =>
    (state, context) =>
      dropDatabase(state, { tenant, name }, { ifExists, after: delayOf(after) }, context),
  'recover-database':
    ({ name, ifExists }, { tenant }) =>
    (state) =>
      recoverDatabase(state, { tenant, name }, { ifExists }),
  'create-table':
    ({ table, ifNotExists, fields, tags }, session) =>
    (state, context) =>
      createTable(state, tableNameOf(table.parts, session), { ifNotExists, fields, tags }, context),
  'create-external-table': (statement, session) => (state) => {
    const { fileType, hasHeader, delimiter, compression, location, ifNotExists } = statement
    const columns = statement.columns.map(({ name, type }) => ({ name, type }))
    const optional = {
      ...(delimiter === undefined ? {} : { delimiter }),
      ...(compression === undefined ? {} : { compression }),
    }
    const entry = {
      ...tableNameOf(statement.table.parts, session),
      columns,
      fileType,
      hasHeader,
      location,
      ...optional,
    }
    return createExternalTable(state, entry, ifNotExists)
  },
  'create-stream-table': (statement, session) => (state) => {
    const columns = statement.columns.map(({ name, type }) => ({ name, type }))
    const options = Object.fromEntries([...statement.options].map(([key, value]) => [key, String(value)]))
    const entry = { ...tableNameOf(statement.table.parts, session), columns, options }
    return createStreamTable(state, entry, statement.ifNotExists)
  },
  'alter-table':
    ({ table, action }, session) =>
    (state) =>
      alterTable(state, tableNameOf(table.parts, session), action),
  'drop-table':
    ({ table, ifExists }, session) =>
    (state) =>
      dropTable(state, tableNameOf(table.parts, session), { ifExists }),
  'create-tenant':
    ({ name, ifNotExists, options }) =>
    (state, context) =>
      createTenant(state, name, { ifNotExists, written: options }, context),
  'alter-tenant': buildAlterTenant,
  'drop-tenant':
    ({ name, ifExists, after }) =>
    (state, context) =>
      dropTenant(state, name, { ifExists, after: delayOf(after) }, context),
  'recover-tenant':
    ({ name, ifExists }) =>
    (state) =>
      recoverTenant(state, name, { ifExists }),
  'create-user': async ({ name, ifNotExists, options }) => {
    const written = await hashedOptions(options)
    return (state, context) => createUser(state, name, { ifNotExists, written }, context)
  },
  'alter-user': buildAlterUser,
  'drop-user':
    ({ name, ifExists }) =>
    (state) =>
      dropUser(state, name, { ifExists }),
  'create-role':
    ({ name, ifNotExists, inherit }, { tenant }) =>
    (state) =>
      createRole(state, { tenant, name }, { ifNotExists, inherit }),
  'drop-role':
    ({ name, ifExists }, { tenant }) =>
    (state) =>
      dropRole(state, { tenant, name }, { ifExists }),
  grant:
    ({ privileges, role }, { tenant }) =>
    (state) =>
      grantPrivileges(state, { tenant, name: role }, privileges),
  revoke:
    ({ privileges, role }, { tenant }) =>
    (state) =>
      revokePrivileges(state, { tenant, name: role }, privileges),
}

/** Changes the catalog; names and limits are checked against its latest state. Answers nothing. */
export async function executeMetadata(
  { statement }: Extract<Plan, { readonly kind: 'metadata' }>,
  { engine, catalog, session, handle }: ExecContext,
): Promise<StatementResult> {
  const prepare = BUILDERS[statement.kind] as Prepare<MetadataKind>
  const build = await prepare(statement, session, catalog.state)
  handle.signal.throwIfAborted()
  const { signal } = handle
  const change = () => changeCatalog({ engine, catalog }, build, { signal })
  const stored = alteredTable(statement, session, catalog.state)
  if (stored === undefined) await change()
  else await withTableLock(engine, { name: stored }, change, { signal })
  return { kind: 'none' }
}

/** The physical table that a statement alters: whoever writes to it finishes first. */
function alteredTable(statement: MetadataStatement, session: UserSession, state: CatalogState): string | undefined {
  if (statement.kind !== 'alter-table') return undefined
  const { tenant, database, name } = tableNameOf(statement.table.parts, session)
  const entry = findTable(state, tenant, database, name)
  return entry?.engine === 'TSKV' ? entry.stored : undefined
}

const delayOf = (after: string | undefined): Duration | undefined =>
  after === undefined ? undefined : parseDuration(after, 'AFTER')

function buildAlterTenant({ name, action }: StatementOf<'alter-tenant'>): Build {
  switch (action.kind) {
    case 'set':
      return (state) => alterTenant(state, name, action.options)
    case 'unset':
      return (state) => unsetTenantOption(state, name, action.option)
    case 'add-user':
      return (state) => addMember(state, { tenant: name, user: action.user, role: action.role })
    case 'set-user':
      return (state) => setMember(state, { tenant: name, user: action.user, role: action.role })
    case 'remove-user':
      return (state) => removeMember(state, name, action.user)
  }
}

async function buildAlterUser(
  { name, action }: StatementOf<'alter-user'>,
  _: UserSession,
  state: CatalogState,
): Promise<Build> {
  if (action.kind === 'rename') {
    throw new CnosError('OPERATION_NOT_SUPPORTED', 'Operation not support: rename user', {
      hint: `create ${action.to} and drop ${name}`,
    })
  }
  await requireOtherPassword(state.users.get(keyOf(name)), action.options)
  const written = await hashedOptions(action.options)
  return (latest) => alterUser(latest, name, written)
}

async function hashedOptions({ password, ...options }: UserOptions): Promise<WrittenUserOptions> {
  return password === undefined ? options : { ...options, hashPassword: await hashPassword(password) }
}
