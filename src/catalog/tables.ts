import { addColumnSql, createTableSql, dropColumnSql, dropTableSql, renameColumnSql } from '../engine/table.ts'
import { CnosError } from '../errors/cnos-error.ts'
import { type Column, fieldsOf, timeTypeOf } from '../model/schema.ts'
import { type CatalogChange, type ChangeContext, NO_CHANGE, put, remove } from './catalog.ts'
import { checkNames, codecOf, fieldOf, tagOf, type WrittenColumn } from './columns.ts'
import { checkObjectName } from './names.ts'
import {
  type CatalogState,
  type ExternalTable,
  findTable,
  keyOf,
  requireDatabase,
  requireTable,
  type StreamTable,
  SYSTEM_TENANT,
  type TimeSeriesTable,
} from './state.ts'
import { checkStream, STREAM_OPTIONS } from './stream.ts'

export interface TableName {
  readonly tenant: string
  readonly database: string
  readonly name: string
}

/** `cluster_schema.tenants` and `.users` are made by the server: a table of that name could never be read. */
function isClusterView({ tenant, database, name }: TableName): boolean {
  return tenant === SYSTEM_TENANT && database === 'cluster_schema' && /^(tenants|users)$/i.test(name)
}

function isThere(state: CatalogState, table: TableName, ifNotExists: boolean): boolean {
  const { tenant, database, name } = table
  checkObjectName(name)
  requireDatabase(state, tenant, database)
  if (!isClusterView(table) && !state.tables.has(keyOf(tenant, database, name))) return false
  if (ifNotExists) return true
  throw new CnosError('TABLE_EXISTS', `Table ${name} already exists.`)
}

export function createTable(
  state: CatalogState,
  table: TableName,
  options: {
    readonly ifNotExists: boolean
    readonly fields: readonly WrittenColumn[]
    readonly tags: readonly string[]
  },
  context: ChangeContext,
): CatalogChange {
  if (isThere(state, table, options.ifNotExists)) return NO_CHANGE
  const { tenant, database, name } = table
  if (options.fields.length === 0) {
    throw new CnosError('SQL_SYNTAX', `sql parser error: Table ${name} needs at least one field`, {
      hint: 'tags and time alone are no table',
    })
  }
  if (options.fields.some((field) => field.name === 'time') || options.tags.includes('time')) {
    throw new CnosError('COLUMN_EXISTS', 'Semantic error: Column time already exists: it is made for every table')
  }
  const { precision } = requireDatabase(state, tenant, database).settings
  const time: Column = { name: 'time', kind: 'time', type: timeTypeOf(precision), codec: 'DEFAULT' }
  const columns = [time, ...options.tags.map(tagOf), ...options.fields.map(fieldOf)]
  checkNames(columns)
  const entry: TimeSeriesTable = {
    tenant,
    database,
    name,
    engine: 'TSKV',
    stored: `t${context.newId()}`,
    schema: { columns },
  }
  return {
    objects: [put('tables', keyOf(tenant, database, name), entry)],
    ddl: [createTableSql({ name: entry.stored, schema: entry.schema })],
  }
}

export function createExternalTable(
  state: CatalogState,
  entry: Omit<ExternalTable, 'engine'>,
  ifNotExists: boolean,
): CatalogChange {
  if (isThere(state, entry, ifNotExists)) return NO_CHANGE
  checkNames(entry.columns)
  return {
    objects: [
      put('tables', keyOf(entry.tenant, entry.database, entry.name), {
        ...entry,
        engine: 'EXTERNAL',
      } satisfies ExternalTable),
    ],
  }
}

/** Kept, listed and dumped; the job that would feed the stream is not run by an embedded server. */
export function createStreamTable(
  state: CatalogState,
  entry: Omit<StreamTable, 'engine'>,
  ifNotExists: boolean,
): CatalogChange {
  if (isThere(state, entry, ifNotExists)) return NO_CHANGE
  checkNames(entry.columns)
  checkStream(state, entry)
  const options = Object.fromEntries(
    STREAM_OPTIONS.flatMap((name) => (entry.options[name] === undefined ? [] : [[name, entry.options[name]]])),
  )
  return {
    objects: [
      put('tables', keyOf(entry.tenant, entry.database, entry.name), {
        ...entry,
        options,
        engine: 'STREAM',
      } satisfies StreamTable),
    ],
  }
}

export function dropTable(
  state: CatalogState,
  { tenant, database, name }: TableName,
  { ifExists }: { readonly ifExists: boolean },
): CatalogChange {
  const entry = findTable(state, tenant, database, name)
  if (!entry) {
    if (ifExists) return NO_CHANGE
    throw new CnosError('TABLE_NOT_FOUND', `Table not found: "${name}"`, { hint: 'SHOW TABLES lists the tables' })
  }
  const ddl = entry.engine === 'TSKV' ? [dropTableSql({ name: entry.stored })] : []
  return { objects: [remove('tables', keyOf(tenant, database, name))], ddl }
}

export type TableAlteration =
  | { readonly kind: 'add-field'; readonly column: WrittenColumn }
  | { readonly kind: 'add-tag'; readonly name: string }
  | { readonly kind: 'set-codec'; readonly name: string; readonly codec: string }
  | { readonly kind: 'drop-column'; readonly name: string }
  | { readonly kind: 'rename-column'; readonly from: string; readonly to: string }

/** New columns go to the end of the schema, tags too; rows that are there get NULL. */
export function alterTable(
  state: CatalogState,
  { tenant, database, name }: TableName,
  action: TableAlteration,
): CatalogChange {
  const entry = requireTable(state, tenant, database, name)
  if (entry.engine !== 'TSKV') {
    throw new CnosError(
      'UNSUPPORTED',
      `This feature is not implemented: ALTER TABLE of ${entry.engine.toLowerCase()} table ${name}`,
    )
  }
  const { columns, ddl } = altered(entry, action)
  checkNames(columns)
  return { objects: [put('tables', keyOf(tenant, database, name), { ...entry, schema: { columns } })], ddl }
}

function altered(entry: TimeSeriesTable, action: TableAlteration): { columns: Column[]; ddl: string[] } {
  const stored = { name: entry.stored }
  const columns = [...entry.schema.columns]
  switch (action.kind) {
    case 'add-field':
    case 'add-tag': {
      const column = action.kind === 'add-tag' ? tagOf(action.name) : fieldOf(action.column)
      refusePresent(entry, column.name)
      return { columns: [...columns, column], ddl: [addColumnSql(stored, column)] }
    }
    case 'set-codec': {
      const column = requireColumn(entry, action.name)
      if (column.kind === 'tag')
        throw new CnosError('CODEC_NOT_ALLOWED', `Semantic error: ${column.name} is a tag: tags have no codec`)
      const codec = codecOf(
        { name: column.name, type: column.type, codec: action.codec },
        column.kind === 'time' ? 'BIGINT' : column.type,
      )
      return { columns: columns.map((c) => (c === column ? { ...c, codec } : c)), ddl: [] }
    }
    case 'drop-column': {
      const column = requireColumn(entry, action.name)
      if (column.kind !== 'field' || fieldsOf(entry.schema).length === 1) {
        throw new CnosError(
          'UNSUPPORTED',
          `This feature is not implemented: dropping ${column.kind === 'field' ? 'the last field' : `a ${column.kind}`} (${column.name})`,
        )
      }
      return { columns: columns.filter((c) => c !== column), ddl: [dropColumnSql(stored, column.name)] }
    }
    case 'rename-column': {
      const column = requireColumn(entry, action.from)
      if (column.kind === 'time')
        throw new CnosError('UNSUPPORTED', 'This feature is not implemented: renaming the time column')
      refusePresent(entry, action.to)
      return {
        columns: columns.map((c) => (c === column ? { ...c, name: action.to } : c)),
        ddl: [renameColumnSql(stored, action.from, action.to)],
      }
    }
  }
}

function requireColumn(entry: TimeSeriesTable, name: string): Column {
  const column = entry.schema.columns.find((candidate) => candidate.name === name)
  if (column) return column
  throw new CnosError('COLUMN_NOT_FOUND', `Semantic error: Column ${name} not found in table ${entry.name}`, {
    hint: `it has ${entry.schema.columns.map((c) => c.name).join(', ')}`,
  })
}

function refusePresent(entry: TimeSeriesTable, name: string): void {
  if (entry.schema.columns.some((column) => column.name === name)) {
    throw new CnosError('COLUMN_EXISTS', `Semantic error: Column ${name} already exists in table ${entry.name}`)
  }
}
