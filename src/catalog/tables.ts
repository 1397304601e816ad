import { addColumnSql, createTableSql, dropColumnSql, dropTableSql, renameColumnSql } from '../engine/table.ts'
import { CnosError } from '../errors/cnos-error.ts'
import {
  CODECS,
  type Codec,
  type Column,
  type DataType,
  fieldsOf,
  GEOMETRY_TYPES,
  timeTypeOf,
} from '../model/schema.ts'
import { type CatalogChange, type ChangeContext, NO_CHANGE, put, remove } from './catalog.ts'
import { checkObjectName } from './names.ts'
import {
  type CatalogState,
  type ExternalTable,
  keyOf,
  requireDatabase,
  requireTable,
  type StreamTable,
  type TimeSeriesTable,
} from './state.ts'

export interface TableName {
  readonly tenant: string
  readonly database: string
  readonly name: string
}

/** A column as written: `type` upper case with single blanks. */
export interface WrittenColumn {
  readonly name: string
  readonly type: string
  readonly codec?: string | undefined
}

const INTEGER_CODECS = ['DEFAULT', 'NULL', 'DELTA', 'DELTATS', 'QUANTILE']
const TEXT_CODECS = ['DEFAULT', 'NULL', 'GZIP', 'BZIP', 'ZSTD', 'SNAPPY', 'ZLIB']
const CODECS_OF: Readonly<Record<string, readonly string[]>> = {
  BIGINT: INTEGER_CODECS,
  'BIGINT UNSIGNED': INTEGER_CODECS,
  DOUBLE: ['DEFAULT', 'NULL', 'GORILLA', 'QUANTILE'],
  BOOLEAN: ['DEFAULT', 'NULL', 'BITPACK'],
}

/** The type of a field. Throws DATA_TYPE_NOT_ALLOWED, or COLUMN_EXISTS for a second time column. */
export function fieldTypeOf({ name, type }: WrittenColumn): DataType {
  const geometry = /^GEOMETRY\s*\(\s*(\w+)\s*,\s*0\s*\)$/i.exec(type)
  const subType = GEOMETRY_TYPES.find((candidate) => candidate === geometry?.[1]?.toUpperCase())
  if (subType) return `Geometry(${subType}, 0)`
  switch (type) {
    case 'BIGINT':
    case 'BIGINT UNSIGNED':
    case 'DOUBLE':
    case 'BOOLEAN':
    case 'STRING':
      return type
    default:
  }
  if (type.startsWith('TIMESTAMP')) {
    throw new CnosError(
      'COLUMN_EXISTS',
      `Semantic error: Column ${name}: a table has one time column, named time, which is not declared`,
    )
  }
  throw new CnosError(
    'DATA_TYPE_NOT_ALLOWED',
    `Semantic error: The data type of column ${name} is not supported: ${type}`,
    {
      hint: 'use BIGINT, BIGINT UNSIGNED, DOUBLE, STRING, BOOLEAN or GEOMETRY(POINT, 0)',
    },
  )
}

function codecOf(column: WrittenColumn, type: DataType): Codec {
  const written = column.codec ?? 'DEFAULT'
  const allowed = CODECS_OF[type] ?? TEXT_CODECS
  const codec = CODECS.find((candidate) => candidate === written)
  if (codec && allowed.includes(codec)) return codec
  throw new CnosError(
    'CODEC_NOT_ALLOWED',
    `Semantic error: Codec ${written} does not fit column ${column.name} of type ${type}`,
    {
      hint: `use one of ${allowed.join(', ')}`,
    },
  )
}

function fieldOf(written: WrittenColumn): Column {
  const type = fieldTypeOf(written)
  return { name: written.name, kind: 'field', type, codec: codecOf(written, type) }
}

const tagOf = (name: string): Column => ({ name, kind: 'tag', type: 'STRING', codec: 'DEFAULT' })

function checkNames(columns: readonly Column[]): void {
  const seen = new Map<string, string>()
  for (const { name } of columns) {
    const other = seen.get(name.toLowerCase())
    if (other === name) throw new CnosError('DUPLICATE_COLUMN', `Semantic error: Duplicate column ${name}`)
    if (other !== undefined) {
      throw new CnosError(
        'UNSUPPORTED',
        `This feature is not implemented: columns that differ only in case: ${other} and ${name}`,
        { hint: 'rename one of them' },
      )
    }
    seen.set(name.toLowerCase(), name)
  }
}

function refuseExisting(state: CatalogState, { tenant, database, name }: TableName, ifNotExists: boolean): boolean {
  checkObjectName(name)
  requireDatabase(state, tenant, database)
  if (!state.tables.has(keyOf(tenant, database, name))) return false
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
  if (refuseExisting(state, table, options.ifNotExists)) return NO_CHANGE
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
  if (refuseExisting(state, entry, ifNotExists)) return NO_CHANGE
  return {
    objects: [
      put('tables', keyOf(entry.tenant, entry.database, entry.name), {
        ...entry,
        engine: 'EXTERNAL',
      } satisfies ExternalTable),
    ],
  }
}

/** The source table must be there; the job that would feed the stream is not run by an embedded server. */
export function createStreamTable(
  state: CatalogState,
  entry: Omit<StreamTable, 'engine'>,
  ifNotExists: boolean,
): CatalogChange {
  if (refuseExisting(state, entry, ifNotExists)) return NO_CHANGE
  for (const option of ['db', 'table', 'event_time_column']) {
    if (entry.options[option] === undefined)
      throw new CnosError('BAD_OPTION', `Semantic error: \`${option}\` must be initialized`)
  }
  requireTable(state, entry.tenant, entry.options.db ?? '', entry.options.table ?? '')
  return {
    objects: [
      put('tables', keyOf(entry.tenant, entry.database, entry.name), {
        ...entry,
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
  const entry = state.tables.get(keyOf(tenant, database, name))
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
