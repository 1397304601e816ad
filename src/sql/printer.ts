import { type OptionLiteral, printLiteral } from '../options/option-spec.ts'
import type {
  ColumnDefinition,
  CopyLocationClauses,
  DatabaseOptions,
  ObjectName,
  Options,
  Statement,
  StatementKind,
  TenantOptions,
  UserOptions,
} from './ast.ts'

/** An identifier in double quotes, so that case and odd characters survive. */
export function printIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A string literal in single quotes. */
export function printString(text: string): string {
  return printLiteral(text)
}

/** `"db"."table"`. */
function printObjectName(name: ObjectName): string {
  return name.parts.map(printIdentifier).join('.')
}

type StatementOf<K extends StatementKind> = Statement & { readonly kind: K }
type Print<K extends StatementKind> = (statement: StatementOf<K>) => string

const UPPER_WORD = /^[A-Z_][A-Z0-9_]*$/
const BARE_KEY = /^[a-z_][a-z0-9_]*$/

const join = (...parts: readonly (string | false | undefined)[]) => parts.filter(Boolean).join(' ')
const printNames = (names: readonly string[]) => `(${names.map(printIdentifier).join(', ')})`
const printColumnList = (columns: readonly string[] | undefined) => columns && printNames(columns)
const printIfExists = ({ ifExists }: { readonly ifExists: boolean }) => ifExists && 'IF EXISTS'
const printIfNotExists = ({ ifNotExists }: { readonly ifNotExists: boolean }) => ifNotExists && 'IF NOT EXISTS'
const printAfter = (after: string | undefined) => after !== undefined && `AFTER ${printString(after)}`
const printOn = (database: string | undefined) => database !== undefined && `ON ${printIdentifier(database)}`

function printKey(key: string): string {
  return BARE_KEY.test(key) ? key : printIdentifier(key)
}

/** A word that the parser puts into upper case, such as a file type; quoted when it is no word. */
function printUpperWord(word: string): string {
  return UPPER_WORD.test(word) ? word : printIdentifier(word)
}

function printOptions(options: Options): string {
  return `(${[...options].map(([key, value]) => `${printKey(key)} = ${printLiteral(value)}`).join(', ')})`
}

function printClauses({ connection, fileFormat, copyOptions }: CopyLocationClauses): string {
  return join(
    connection && `CONNECTION = ${printOptions(connection)}`,
    fileFormat && `FILE_FORMAT = ${printOptions(fileFormat)}`,
    copyOptions && `COPY_OPTIONS = ${printOptions(copyOptions)}`,
  )
}

function printDatabaseOptions(options: DatabaseOptions): string {
  return [...options].map(([name, value]) => `${name.toUpperCase()} ${printLiteral(value)}`).join(' ')
}

function printColumn({ name, type, codec, notNull }: ColumnDefinition): string {
  return join(
    printIdentifier(name),
    type,
    codec !== undefined && `CODEC(${printUpperWord(codec)})`,
    notNull && 'NOT NULL',
  )
}

function printPlainColumns(columns: readonly ColumnDefinition[]): string | false {
  return columns.length > 0 && `(${columns.map(printColumn).join(', ')})`
}

function printUserOptions(options: UserOptions): string {
  const written: readonly (readonly [string, OptionLiteral | undefined])[] = [
    ['password', options.password],
    ['hash_password', options.hashPassword],
    ['comment', options.comment],
    ['must_change_password', options.mustChangePassword],
    ['rsa_public_key', options.rsaPublicKey],
    ['granted_admin', options.grantedAdmin],
  ]
  return written
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name} = ${printLiteral(value)}`]))
    .join(', ')
}

function printNumbers(group: string, numbers: ReadonlyMap<string, bigint>): string {
  return join(group, ...[...numbers].map(([name, value]) => `${name} = ${value}`))
}

function printTenantOptions(options: TenantOptions): string {
  const parts: readonly (string | false | undefined)[] = [
    options.comment !== undefined && `comment = ${printString(options.comment)}`,
    options.dropAfter !== undefined && `drop_after = ${printString(options.dropAfter)}`,
    options.limiterJson !== undefined && `_limiter = ${printString(options.limiterJson)}`,
    options.objectConfig && printNumbers('object_config', options.objectConfig),
    ...[...(options.requestConfig ?? [])].map(([group, numbers]) => printNumbers(group, numbers)),
  ]
  return parts.filter(Boolean).join(', ')
}

function printCreateTable(statement: StatementOf<'create-table'>): string {
  const tags = statement.tags.length > 0 ? [`TAGS ${printNames(statement.tags)}`] : []
  const columns = [...statement.fields.map(printColumn), ...tags].join(', ')
  return join('CREATE TABLE', printIfNotExists(statement), printObjectName(statement.table), `(${columns})`)
}

function printExternalTable(statement: StatementOf<'create-external-table'>): string {
  const { delimiter, compression, partitionedBy, options, order, location } = statement
  const tableOptions = [...options].map(([key, value]) => `${printString(key)} ${printLiteral(value)}`)
  return join(
    'CREATE EXTERNAL TABLE',
    printIfNotExists(statement),
    printObjectName(statement.table),
    printPlainColumns(statement.columns),
    `STORED AS ${printUpperWord(statement.fileType)}`,
    statement.hasHeader && 'WITH HEADER ROW',
    delimiter !== undefined && `DELIMITER ${printString(delimiter)}`,
    compression !== undefined && `COMPRESSION TYPE ${printUpperWord(compression)}`,
    partitionedBy.length > 0 && `PARTITIONED BY ${printNames(partitionedBy)}`,
    order && `WITH ORDER (${order.text})`,
    tableOptions.length > 0 && `OPTIONS (${tableOptions.join(', ')})`,
    `LOCATION ${printString(location)}`,
  )
}

function printAlterTableAction(action: StatementOf<'alter-table'>['action']): string {
  switch (action.kind) {
    case 'add-field':
      return `ADD FIELD ${printColumn(action.column)}`
    case 'add-tag':
      return `ADD TAG ${printIdentifier(action.name)}`
    case 'set-codec':
      return `ALTER ${printIdentifier(action.name)} SET CODEC(${printUpperWord(action.codec)})`
    case 'drop-column':
      return `DROP ${printIdentifier(action.name)}`
    case 'rename-column':
      return `RENAME COLUMN ${printIdentifier(action.from)} TO ${printIdentifier(action.to)}`
  }
}

function printAlterTenantAction(action: StatementOf<'alter-tenant'>['action']): string {
  switch (action.kind) {
    case 'set':
      return `SET ${printTenantOptions(action.options)}`
    case 'unset':
      return `UNSET ${action.option}`
    case 'add-user':
      return `ADD USER ${printIdentifier(action.user)} AS ${printIdentifier(action.role)}`
    case 'set-user':
      return `SET USER ${printIdentifier(action.user)} AS ${printIdentifier(action.role)}`
    case 'remove-user':
      return `REMOVE USER ${printIdentifier(action.user)}`
  }
}

function printAlterUserAction(action: StatementOf<'alter-user'>['action']): string {
  return action.kind === 'set' ? `SET ${printUserOptions(action.options)}` : `RENAME TO ${printIdentifier(action.to)}`
}

function printPrivileges(statement: StatementOf<'grant' | 'revoke'>): string {
  return statement.privileges
    .map(({ privilege, database }) => `${privilege.toUpperCase()} ON DATABASE ${printIdentifier(database)}`)
    .join(', ')
}

function printTagKey(key: StatementOf<'show-tag-values'>['key']): string {
  const isSingle = key.operator === '=' || key.operator === '!='
  return `WITH KEY ${key.operator} ${isSingle ? printIdentifier(key.keys[0]) : printNames(key.keys)}`
}

function printUpdate({ table, assignments, where }: StatementOf<'update'>): string {
  const set = assignments.map(({ column, value }) => `${printIdentifier(column)} = ${value.text}`).join(', ')
  return join(`UPDATE ${printObjectName(table)} SET ${set}`, where && `WHERE ${where.text}`)
}

function printCopyIntoLocation({ location, source }: StatementOf<'copy-into-location'>): string {
  const from = source.kind === 'table' ? printObjectName(source.table) : `(${source.query.text})`
  return join(`COPY INTO ${printString(location.path)} FROM ${from}`, printClauses(location))
}

const PRINTERS: { readonly [K in StatementKind]: Print<K> } = {
  query: ({ query }) => query.text,
  insert: ({ table, columns, source }) =>
    join('INSERT INTO', printObjectName(table), printColumnList(columns), source.text),
  delete: ({ table, where }) => join(`DELETE FROM ${printObjectName(table)}`, where && `WHERE ${where.text}`),
  update: printUpdate,
  'copy-into-table': ({ table, columns, location }) =>
    join(
      `COPY INTO ${printObjectName(table)}`,
      printColumnList(columns),
      `FROM ${printString(location.path)}`,
      printClauses(location),
    ),
  'copy-into-location': printCopyIntoLocation,
  explain: ({ analyze, verbose, format, statement }) =>
    join(
      'EXPLAIN',
      analyze && 'ANALYZE',
      verbose && 'VERBOSE',
      format !== undefined && `FORMAT ${printUpperWord(format)}`,
      printStatement(statement),
    ),
  'create-database': (statement) =>
    join(
      'CREATE DATABASE',
      printIfNotExists(statement),
      printIdentifier(statement.name),
      statement.options.size > 0 && `WITH ${printDatabaseOptions(statement.options)}`,
    ),
  'alter-database': ({ name, options }) =>
    `ALTER DATABASE ${printIdentifier(name)} SET ${printDatabaseOptions(options)}`,
  'drop-database': (statement) =>
    join('DROP DATABASE', printIfExists(statement), printIdentifier(statement.name), printAfter(statement.after)),
  'recover-database': (statement) =>
    join('RECOVER DATABASE', printIfExists(statement), printIdentifier(statement.name)),
  'describe-database': ({ name }) => `DESCRIBE DATABASE ${printIdentifier(name)}`,
  'create-table': printCreateTable,
  'create-external-table': printExternalTable,
  'create-stream-table': (statement) =>
    join(
      'CREATE STREAM TABLE',
      printIfNotExists(statement),
      printObjectName(statement.table),
      printPlainColumns(statement.columns),
      `WITH ${printOptions(statement.options)} ENGINE = ${printKey(statement.engine)}`,
    ),
  'alter-table': ({ table, action }) => `ALTER TABLE ${printObjectName(table)} ${printAlterTableAction(action)}`,
  'drop-table': (statement) => join('DROP TABLE', printIfExists(statement), printObjectName(statement.table)),
  'describe-table': ({ table }) => `DESCRIBE TABLE ${printObjectName(table)}`,
  'create-tenant': (statement) => {
    const options = printTenantOptions(statement.options)
    const head = join('CREATE TENANT', printIfNotExists(statement), printIdentifier(statement.name))
    return join(head, options && `WITH ${options}`)
  },
  'alter-tenant': ({ name, action }) => `ALTER TENANT ${printIdentifier(name)} ${printAlterTenantAction(action)}`,
  'drop-tenant': (statement) =>
    join('DROP TENANT', printIfExists(statement), printIdentifier(statement.name), printAfter(statement.after)),
  'recover-tenant': (statement) => join('RECOVER TENANT', printIfExists(statement), printIdentifier(statement.name)),
  'create-user': (statement) => {
    const options = printUserOptions(statement.options)
    const head = join('CREATE USER', printIfNotExists(statement), printIdentifier(statement.name))
    return join(head, options && `WITH ${options}`)
  },
  'alter-user': ({ name, action }) => `ALTER USER ${printIdentifier(name)} ${printAlterUserAction(action)}`,
  'drop-user': (statement) => join('DROP USER', printIfExists(statement), printIdentifier(statement.name)),
  'create-role': (statement) =>
    join(
      'CREATE ROLE',
      printIfNotExists(statement),
      printIdentifier(statement.name),
      statement.inherit !== undefined && `INHERIT ${printKey(statement.inherit)}`,
    ),
  'drop-role': (statement) => join('DROP ROLE', printIfExists(statement), printIdentifier(statement.name)),
  grant: (statement) => `GRANT ${printPrivileges(statement)} TO ${printIdentifier(statement.role)}`,
  revoke: (statement) => `REVOKE ${printPrivileges(statement)} FROM ${printIdentifier(statement.role)}`,
  show: ({ subject, database }) => join('SHOW', subject.toUpperCase(), printOn(database)),
  'show-series': ({ table, database, tail }) =>
    join('SHOW SERIES', printOn(database), `FROM ${printObjectName(table)}`, tail.text),
  'show-tag-values': ({ table, database, key, tail }) =>
    join('SHOW TAG VALUES', printOn(database), `FROM ${printObjectName(table)}`, printTagKey(key), tail.text),
  'kill-query': ({ queryId }) => `KILL QUERY ${queryId}`,
  unsupported: ({ feature }) => feature,
}

/**
 * Canonical SQL without a final `;`, in the grammar that CnosDB itself accepts. Parsed again, it is the same tree.
 * Secrets are printed as they are.
 */
export function printStatement(statement: Statement): string {
  const print = PRINTERS[statement.kind] as (statement: Statement) => string
  return print(statement)
}
