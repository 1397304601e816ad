import type { ExternalTable, ForeignColumn } from '../catalog/state.ts'
import { listLocalFiles } from '../copy/input-files.ts'
import type { CopyLocation } from '../copy/location.ts'
import type { RelationColumn } from '../engine/relation.ts'
import { CnosError } from '../errors/cnos-error.ts'
import type { LocalFile, Reader } from '../format/file-format.ts'
import type { OptionLiteral } from '../options/option-spec.ts'
import type { Statement } from '../sql/ast.ts'
import type { PlanContext } from './context.ts'
import { openCopyLocation } from './copy-location.ts'
import { inferTextTypes } from './infer-text-types.ts'
import { literalRelation } from './literal-relation.ts'

type CreateExternalTable = Extract<Statement, { readonly kind: 'create-external-table' }>
type Files = Pick<ExternalTable, 'fileType' | 'hasHeader' | 'location' | 'columns'> & {
  readonly delimiter?: string | undefined
  readonly compression?: string | undefined
}

/** How to read the rows of an external table: its files as they are now, read as the stored columns. */
export async function externalTableReader(context: PlanContext, table: ExternalTable): Promise<Reader> {
  const location = openFiles(context, table)
  const columns = table.columns.map(readColumn)
  const files = await listLocalFiles(location, { signal: context.signal })
  if (files.length > 0) return readFiles(context, location, files, columns)
  return { from: `(${literalRelation(columns, []).select})`, explain: async (error) => error }
}

/** Columns are found by position in CSV, by name elsewhere. */
function readFiles(
  { engine, signal }: PlanContext,
  location: CopyLocation,
  files: readonly LocalFile[],
  columns: readonly RelationColumn[],
): Promise<Reader> {
  const request = {
    files,
    columns: columns.map(({ name, type }) => ({ name, type, source: name })),
    fileColumns: columns.map((column) => column.name),
    namesMatter: false,
    options: location.formatOptions,
    isCareful: true,
  }
  return location.format.reader(request, engine, { signal })
}

/** The statement with the columns the files declare, when it names none. BAD_FILE when there is no file to look at. */
export async function withInferredColumns(
  context: PlanContext,
  statement: CreateExternalTable,
): Promise<CreateExternalTable> {
  refuseClauses(statement)
  const location = openFiles(context, statement)
  for (const column of statement.columns) engineTypeOfForeign(column)
  if (statement.columns.length > 0) {
    if (statement.fileType !== 'PARQUET') return statement
    throw new CnosError(
      'PLANNING',
      'Datafusion: Error during planning: Column definitions can not be specified for PARQUET files.',
      { hint: 'leave the columns out: Parquet files name and type their own' },
    )
  }
  const files = await listLocalFiles(location, { signal: context.signal })
  if (files.length === 0) {
    throw new CnosError('OBJECT_NOT_FOUND', `no file to read the columns from at ${statement.location}`, {
      context: { path: statement.location },
      hint: 'put a file there first, or list the columns in the statement',
    })
  }
  const { signal } = context
  const named = await location.format.inspect(files, location.formatOptions, context.engine, { signal })
  const found =
    statement.fileType === 'CSV'
      ? await inferTextTypes(context.engine, (await readFiles(context, location, files, named)).from, named, { signal })
      : named
  return { ...statement, columns: found.map(({ name, type }) => ({ name, type: SQL_NAME_OF[type] ?? type })) }
}

/** CnosDB reads these clauses and forgets them; a table that silently ignores its partitions shows wrong rows. */
function refuseClauses({ partitionedBy, order, options }: CreateExternalTable): void {
  const clauses = [
    ...(partitionedBy.length > 0 ? ['PARTITIONED BY'] : []),
    ...(order ? ['WITH ORDER'] : []),
    ...(options.size > 0 ? ['OPTIONS'] : []),
  ]
  if (clauses.length === 0) return
  throw new CnosError('UNSUPPORTED', `This feature is not implemented: ${clauses.join(', ')} of an external table`, {
    hint: 'leave it out: a query reads every file below LOCATION, and sorts and filters what it reads',
  })
}

function openFiles(context: PlanContext, table: Files): CopyLocation {
  const isText = table.fileType !== 'PARQUET'
  const format = new Map<string, OptionLiteral>([['type', table.fileType]])
  if (table.fileType === 'CSV') {
    format.set('with_header', table.hasHeader)
    if (table.delimiter !== undefined) format.set('delimiter', table.delimiter)
  }
  if (table.compression !== undefined) {
    if (!isText) {
      throw new CnosError('SQL_SYNTAX', 'sql parser error: File compression type can be specified for CSV/JSON files.')
    }
    format.set('file_compression_type', table.compression)
  }
  const clauses = { path: table.location, connection: undefined, fileFormat: format, copyOptions: undefined }
  const location = openCopyLocation(context, clauses, 'load')
  if (location.store.files) return location
  throw new CnosError('UNSUPPORTED', `This feature is not implemented: external table at ${location.url}`, {
    hint: 'an external table reads local files; COPY INTO a table first to query what lies in an object store',
  })
}

const SQL_NAME_OF: Readonly<Record<string, string>> = {
  VARCHAR: 'STRING',
  UBIGINT: 'BIGINT UNSIGNED',
  TIMESTAMP_NS: 'TIMESTAMP',
  TIMESTAMP_MS: 'TIMESTAMP',
  TIMESTAMP_S: 'TIMESTAMP',
  'TIMESTAMP WITH TIME ZONE': 'TIMESTAMP',
}

const ENGINE_TYPE_OF: Readonly<Record<string, string>> = {
  STRING: 'VARCHAR',
  VARCHAR: 'VARCHAR',
  TEXT: 'VARCHAR',
  CHAR: 'VARCHAR',
  TIMESTAMP: 'TIMESTAMP_NS',
  DATE: 'DATE',
  BOOLEAN: 'BOOLEAN',
  TINYINT: 'TINYINT',
  SMALLINT: 'SMALLINT',
  INT: 'INTEGER',
  INTEGER: 'INTEGER',
  BIGINT: 'BIGINT',
  'TINYINT UNSIGNED': 'UTINYINT',
  'SMALLINT UNSIGNED': 'USMALLINT',
  'INT UNSIGNED': 'UINTEGER',
  'INTEGER UNSIGNED': 'UINTEGER',
  'BIGINT UNSIGNED': 'UBIGINT',
  FLOAT: 'FLOAT',
  REAL: 'FLOAT',
  DOUBLE: 'DOUBLE',
}
const PASSED_ON = /^(DECIMAL\(\d+, ?\d+\)|UTINYINT|USMALLINT|UINTEGER|HUGEINT|TIME|BLOB)$/

function engineTypeOfForeign({ name, type }: ForeignColumn): string {
  const known = ENGINE_TYPE_OF[type.replace(/^(VARCHAR|CHAR)\(\d+\)$/, '$1')]
  if (known !== undefined) return known
  if (PASSED_ON.test(type)) return type
  throw new CnosError(
    'DATA_TYPE_NOT_ALLOWED',
    `Semantic error: The data type of column ${name} is not supported: ${type}`,
    {
      context: { column: name },
      hint: 'use BIGINT, BIGINT UNSIGNED, DOUBLE, STRING, BOOLEAN, TIMESTAMP, DATE or DECIMAL(p, s)',
    },
  )
}

const readColumn = (column: ForeignColumn): RelationColumn => ({ name: column.name, type: engineTypeOfForeign(column) })
