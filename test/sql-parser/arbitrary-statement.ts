import fc, { type Arbitrary } from 'fast-check'
import {
  type ColumnDefinition,
  type CopyLocationClauses,
  type DatabaseOptionName,
  type Expression,
  LIMITER_GROUPS,
  type LimiterGroup,
  type ObjectName,
  type Options,
  type Statement,
  type StatementKind,
  type TenantOptions,
  type UserOptions,
} from '../../src/sql/ast.ts'

type StatementOf<K extends StatementKind> = Statement & { readonly kind: K }

const oddText = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom("it's", '"', "''", ';', '--', '/*', '*/', '\\', '\n', '$$', 'Ü ber', '日本', '\u2011', ' ', ''),
  fc.constantFrom('select', 'from', 'tags', 'role', 'null', 'true', 'where', 'table', 'A', 'aB'),
)
/** Any identifier at all. */
const name = oddText
/** What CnosDB lets a new object be called. */
const newName = oddText.map((text) => text.replaceAll('/', '_')).filter((text) => text.trim() !== '')
const maybe = <T>(item: Arbitrary<T>): Arbitrary<T | undefined> => fc.option(item, { nil: undefined })
const qualified = (last: Arbitrary<string>): Arbitrary<ObjectName> =>
  fc.tuple(fc.array(name, { maxLength: 2 }), last).map(([before, end]) => ({ parts: [...before, end] }))
const table = qualified(name)
const newTable = qualified(newName)
const names = fc.array(name, { minLength: 1, maxLength: 4 })
const unsigned = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })

const verbatim = (...texts: readonly string[]): Arbitrary<Expression> =>
  fc.constantFrom(...texts).map((text) => ({ text, offset: 0 }))
const query = verbatim(
  'SELECT 1',
  `select a, "b;""c" from t where x = 'it''s; -- )' /* ) */ and (y in (1, 2))`,
  'WITH q AS (select 1) select * from q',
  "VALUES (1, 'a'), (2, $$ ) $$)",
  "(select E'\\'' ) union all (select 2)",
)
const expression = verbatim(
  '1',
  "a > 'x''y;'",
  "case when a in (1, 2) then f(b, ',') end",
  'x is not null and "where" = 2',
)
const where = maybe(expression)
const tail = verbatim('', 'WHERE a = 1', "WHERE t > '2024' ORDER BY a DESC, b LIMIT 3 OFFSET 4", 'LIMIT 1')

const literal = fc.oneof(oddText, fc.boolean(), unsigned, fc.constant(null))
const optionKey = fc.oneof(fc.constantFrom('type', 'region', 'secret_key', 'with_header', 'TYPE', 'table'), name)
const options: Arbitrary<Options> = fc
  .array(fc.tuple(optionKey, literal), { minLength: 1, maxLength: 4 })
  .map((pairs) => new Map(pairs))
const location: Arbitrary<CopyLocationClauses> = fc.record({
  path: oddText,
  connection: maybe(options),
  fileFormat: maybe(options),
  copyOptions: maybe(options),
})

const type = fc.constantFrom(
  'BIGINT',
  'BIGINT UNSIGNED',
  'DOUBLE',
  'STRING',
  'BOOLEAN',
  'GEOMETRY(POINT, 0)',
  'DECIMAL(10,6)',
  'TIMESTAMP WITH TIME ZONE',
  'DOUBLE PRECISION',
)
const codec = fc.constantFrom('DELTA', 'GORILLA', 'DEFAULT', 'NULL', 'ODD ONE')
const field: Arbitrary<ColumnDefinition> = fc.oneof(fc.record({ name, type }), fc.record({ name, type, codec }))
const plainColumn: Arbitrary<ColumnDefinition> = fc.oneof(
  fc.record({ name, type }),
  fc.record({ name, type, notNull: fc.constant(true as const) }),
)
const plainColumns = fc.array(plainColumn, { maxLength: 3 })

const STRING_OPTIONS: readonly DatabaseOptionName[] = [
  'ttl',
  'vnode_duration',
  'precision',
  'wal_sync',
  'max_memcache_size',
]
const INTEGER_OPTIONS: readonly DatabaseOptionName[] = ['shard', 'replica', 'max_cache_readers', 'memcache_partitions']
const databaseOption: Arbitrary<readonly [DatabaseOptionName, string | bigint]> = fc.oneof(
  fc.tuple(fc.constantFrom(...STRING_OPTIONS), oddText),
  fc.tuple(fc.constantFrom(...INTEGER_OPTIONS), unsigned),
)
const alterableOption: Arbitrary<readonly [DatabaseOptionName, string | bigint]> = fc.oneof(
  fc.tuple(fc.constantFrom<DatabaseOptionName>('ttl', 'vnode_duration'), oddText),
  fc.tuple(fc.constantFrom<DatabaseOptionName>('shard', 'replica'), unsigned),
)

const numbers = (...keys: readonly string[]) =>
  fc.array(fc.tuple(fc.constantFrom(...keys), unsigned), { maxLength: 3 }).map((pairs) => new Map(pairs))
const requestConfig: Arbitrary<ReadonlyMap<LimiterGroup, ReadonlyMap<string, bigint>>> = fc
  .array(fc.tuple(fc.constantFrom(...LIMITER_GROUPS), numbers('remote_max', 'remote_refill', 'local_max')), {
    minLength: 1,
    maxLength: 3,
  })
  .map((pairs) => new Map(pairs))
const tenantOptions: Arbitrary<TenantOptions> = fc.record(
  {
    comment: oddText,
    dropAfter: oddText,
    limiterJson: oddText,
    objectConfig: numbers('max_users_number', 'max_databases'),
    requestConfig,
  },
  { requiredKeys: [] },
)
const someTenantOptions = tenantOptions.filter((written) => Object.keys(written).length > 0)
const userOption: Arbitrary<UserOptions> = fc.oneof(
  fc.record({ password: oddText }),
  fc.record({ hashPassword: oddText }),
  fc.record({ mustChangePassword: fc.boolean() }),
  fc.record({ rsaPublicKey: oddText }),
  fc.record({ comment: oddText }),
  fc.record({ grantedAdmin: fc.boolean() }),
)
const userOptions = fc.array(userOption, { maxLength: 4 }).map((parts): UserOptions => Object.assign({}, ...parts))

const privileges = fc.array(
  fc.record({ privilege: fc.constantFrom('Read' as const, 'Write' as const, 'All' as const), database: name }),
  { minLength: 1, maxLength: 3 },
)
const subject = fc.oneof(
  fc.record({
    subject: fc.constantFrom('databases' as const, 'queries' as const, 'streams' as const, 'replicas' as const),
    database: fc.constant(undefined),
  }),
  fc.record({ subject: fc.constant('tables' as const), database: maybe(name) }),
)
const tagKey: Arbitrary<StatementOf<'show-tag-values'>['key']> = fc.oneof(
  fc.record({ operator: fc.constantFrom('=' as const, '!=' as const), keys: fc.tuple(name) }),
  fc.record({ operator: fc.constantFrom('IN' as const, 'NOT IN' as const), keys: names }),
)

const tableAction: Arbitrary<StatementOf<'alter-table'>['action']> = fc.oneof(
  fc.record({ kind: fc.constant('add-field' as const), column: field }),
  fc.record({ kind: fc.constant('add-tag' as const), name }),
  fc.record({ kind: fc.constant('set-codec' as const), name, codec }),
  fc.record({ kind: fc.constant('drop-column' as const), name }),
  fc.record({ kind: fc.constant('rename-column' as const), from: name, to: name }),
)
const tenantAction: Arbitrary<StatementOf<'alter-tenant'>['action']> = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), options: someTenantOptions }),
  fc.record({
    kind: fc.constant('unset' as const),
    option: fc.constantFrom('comment' as const, 'drop_after' as const, '_limiter' as const),
  }),
  fc.record({ kind: fc.constantFrom('add-user' as const, 'set-user' as const), user: name, role: name }),
  fc.record({ kind: fc.constant('remove-user' as const), user: name }),
)
const userAction: Arbitrary<StatementOf<'alter-user'>['action']> = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), options: userOption }),
  fc.record({ kind: fc.constant('rename' as const), to: newName }),
)

const of = <K extends StatementKind>(kind: K) => fc.constant(kind)
const createNamed = { ifNotExists: fc.boolean(), name: newName }
const dropNamed = { ifExists: fc.boolean(), name }

type Arbitraries = { readonly [K in Exclude<StatementKind, 'explain'>]: Arbitrary<Statement & { readonly kind: K }> }

const ARBITRARIES: Arbitraries = {
  query: fc.record({ kind: of('query'), query }),
  insert: fc.record({ kind: of('insert'), table, columns: maybe(names), source: query }),
  delete: fc.record({ kind: of('delete'), table, where }),
  update: fc.record({
    kind: of('update'),
    table,
    assignments: fc.array(fc.record({ column: name, value: expression }), { minLength: 1, maxLength: 3 }),
    where,
  }),
  'copy-into-table': fc.record({ kind: of('copy-into-table'), table, columns: maybe(names), location }),
  'copy-into-location': fc.record({
    kind: of('copy-into-location'),
    location,
    source: fc.oneof(
      fc.record({ kind: fc.constant('table' as const), table }),
      fc.record({ kind: fc.constant('query' as const), query }),
    ),
  }),
  'create-database': fc.record({
    kind: of('create-database'),
    ...createNamed,
    options: fc.array(databaseOption, { maxLength: 4 }).map((pairs) => new Map(pairs)),
  }),
  'alter-database': fc.record({
    kind: of('alter-database'),
    name,
    options: alterableOption.map((option) => new Map([option])),
  }),
  'drop-database': fc.record({ kind: of('drop-database'), ...dropNamed, after: maybe(oddText) }),
  'recover-database': fc.record({ kind: of('recover-database'), ...dropNamed }),
  'describe-database': fc.record({ kind: of('describe-database'), name }),
  'create-table': fc.record({
    kind: of('create-table'),
    table: newTable,
    ifNotExists: fc.boolean(),
    fields: fc.array(field, { minLength: 1, maxLength: 4 }),
    tags: fc.array(name, { maxLength: 3 }),
  }),
  'create-external-table': fc
    .record({
      kind: of('create-external-table'),
      table: newTable,
      ifNotExists: fc.boolean(),
      columns: plainColumns,
      fileType: fc.constantFrom('CSV', 'PARQUET', 'NDJSON', 'A B'),
      hasHeader: fc.boolean(),
      delimiter: maybe(oddText),
      compression: maybe(fc.constantFrom('GZIP', 'ZSTD')),
      partitionedBy: fc.array(name, { maxLength: 2 }),
      options: fc.oneof(options, fc.constant(new Map<string, string>())),
      location: oddText,
      order: maybe(expression),
    })
    .map(({ order, ...rest }) => (order ? { ...rest, order } : rest)),
  'create-stream-table': fc.record({
    kind: of('create-stream-table'),
    table: newTable,
    ifNotExists: fc.boolean(),
    columns: plainColumns,
    options,
    engine: fc.oneof(fc.constant('tskv'), name),
  }),
  'alter-table': fc.record({ kind: of('alter-table'), table, action: tableAction }),
  'drop-table': fc.record({ kind: of('drop-table'), table, ifExists: fc.boolean() }),
  'describe-table': fc.record({ kind: of('describe-table'), table }),
  'create-tenant': fc.record({ kind: of('create-tenant'), ...createNamed, options: tenantOptions }),
  'alter-tenant': fc.record({ kind: of('alter-tenant'), name, action: tenantAction }),
  'drop-tenant': fc.record({ kind: of('drop-tenant'), ...dropNamed, after: maybe(oddText) }),
  'recover-tenant': fc.record({ kind: of('recover-tenant'), ...dropNamed }),
  'create-user': fc.record({ kind: of('create-user'), ...createNamed, options: userOptions }),
  'alter-user': fc.record({ kind: of('alter-user'), name, action: userAction }),
  'drop-user': fc.record({ kind: of('drop-user'), ...dropNamed }),
  'create-role': fc.record({
    kind: of('create-role'),
    ...createNamed,
    inherit: maybe(fc.oneof(fc.constant('member'), name)),
  }),
  'drop-role': fc.record({ kind: of('drop-role'), ...dropNamed }),
  grant: fc.record({ kind: of('grant'), privileges, role: name }),
  revoke: fc.record({ kind: of('revoke'), privileges, role: name }),
  show: subject.map((what) => ({ kind: 'show' as const, ...what })),
  'show-series': fc.record({ kind: of('show-series'), table, database: maybe(name), tail }),
  'show-tag-values': fc.record({ kind: of('show-tag-values'), table, database: maybe(name), key: tagKey, tail }),
  'kill-query': fc.record({ kind: of('kill-query'), queryId: unsigned }),
  unsupported: fc.record({
    kind: of('unsupported'),
    feature: fc.constantFrom('CREATE STREAM', 'DROP STREAM', 'COMPACT', 'COPY VNODE', 'SHOW COLUMNS'),
  }),
}

const plainStatement: Arbitrary<Statement> = fc.oneof(...Object.values<Arbitrary<Statement>>(ARBITRARIES))

/** Any statement, with names and texts as odd as they come. */
export const arbitraryStatement: Arbitrary<Statement> = fc.oneof(
  { weight: 12, arbitrary: plainStatement },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: of('explain'),
      analyze: fc.boolean(),
      verbose: fc.boolean(),
      format: maybe(fc.constantFrom('TREE', 'INDENT')),
      statement: plainStatement,
    }),
  },
)
