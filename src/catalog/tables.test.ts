import { describe, expect, it } from 'vitest'
import { type Build, startCatalog } from '../../test/catalog/catalog-fixture.ts'
import type { WrittenColumn } from './columns.ts'
import { createDatabase, dropDatabase } from './databases.ts'
import { keyOf, requireTable } from './state.ts'
import {
  alterTable,
  createExternalTable,
  createStreamTable,
  createTable,
  dropTable,
  type TableAlteration,
} from './tables.ts'

const [tenant, database] = ['cnosdb', 'public']
const air = { tenant, database, name: 'air' }
const TEMP: WrittenColumn = { name: 'temp', type: 'DOUBLE', codec: 'GORILLA' }
const create =
  (
    { fields = [TEMP], tags = ['station'], ifNotExists = false, table = air } = {} as {
      fields?: readonly WrittenColumn[]
      tags?: readonly string[]
      ifNotExists?: boolean
      table?: typeof air
    },
  ): Build =>
  (state, context) =>
    createTable(state, table, { ifNotExists, fields, tags }, context)
const alter =
  (action: TableAlteration): Build =>
  (state) =>
    alterTable(state, air, action)
const columns = ({ state }: ReturnType<typeof startCatalog>) => {
  const table = requireTable(state, tenant, database, 'air')
  return table.engine === 'TSKV' ? table.schema.columns.map(({ name, kind, codec }) => `${name} ${kind} ${codec}`) : []
}
const started = (...builds: readonly Build[]) => {
  const catalog = startCatalog()
  catalog.run(create(), ...builds)
  return catalog
}

describe('CREATE TABLE', () => {
  it('stores time, tags, fields', () => {
    expect(columns(started())).toEqual(['time time DEFAULT', 'station tag DEFAULT', 'temp field GORILLA'])
  })

  it.each([
    ['MS', 'TIMESTAMP(MILLISECOND)'],
    ['US', 'TIMESTAMP(MICROSECOND)'],
    ['NS', 'TIMESTAMP(NANOSECOND)'],
  ])('in a database of precision %s has a time of type %s', (precision, type) => {
    const catalog = startCatalog()
    const options = { ifNotExists: false, written: new Map([['precision', precision]]) }
    catalog.run((state) => createDatabase(state, { tenant, name: 'd' }, options))
    catalog.run(create({ table: { tenant, database: 'd', name: 't' } }))
    expect(requireTable(catalog.state, tenant, 'd', 't')).toMatchObject({ schema: { columns: [{ type }, {}, {}] } })
  })

  it('says what CnosDB says of a table that exists', () => {
    const catalog = started()
    expect(() => catalog.run(create())).toThrow('Table air already exists.')
    const before = catalog.state.tables
    expect(catalog.run(create({ ifNotExists: true })).tables).toEqual(before)
  })

  it.each([
    ['no field', { fields: [] }, 'SQL_SYNTAX'],
    ['a declared time', { fields: [{ name: 'time', type: 'BIGINT' }] }, 'COLUMN_EXISTS'],
    ['time as a tag', { tags: ['time'] }, 'COLUMN_EXISTS'],
    ['a column that differs from time in case only', { fields: [{ name: 'Time', type: 'BIGINT' }] }, 'UNSUPPORTED'],
    ['a tag like a field', { tags: ['temp'] }, 'DUPLICATE_COLUMN'],
    ['a column without a name', { tags: [''] }, 'SQL_SYNTAX'],
    ['a missing database', { table: { tenant, database: 'nope', name: 't' } }, 'DATABASE_NOT_FOUND'],
    ['a name that is not allowed', { table: { tenant, database, name: 'a/b' } }, 'SQL_SYNTAX'],
    ['the name of a view', { table: { tenant, database: 'cluster_schema', name: 'Users' } }, 'TABLE_EXISTS'],
  ])('refuses %s', (_, options, expected) => {
    expect(startCatalog().refusal(create(options))).toBe(expected)
  })
})

describe('ALTER TABLE', () => {
  it('adds at the end, renames in place, sets codecs, drops fields', () => {
    const catalog = started(
      alter({ kind: 'add-field', column: { name: 'n', type: 'BIGINT UNSIGNED' } }),
      alter({ kind: 'add-tag', name: 'city' }),
      alter({ kind: 'rename-column', from: 'station', to: 'place' }),
      alter({ kind: 'rename-column', from: 'n', to: 'N' }),
      alter({ kind: 'set-codec', name: 'N', codec: 'DELTA' }),
      alter({ kind: 'set-codec', name: 'time', codec: 'QUANTILE' }),
      alter({ kind: 'drop-column', name: 'temp' }),
    )
    expect(columns(catalog)).toEqual(['time time QUANTILE', 'place tag DEFAULT', 'N field DELTA', 'city tag DEFAULT'])
  })

  it.each<[string, TableAlteration, string]>([
    ['a column that exists', { kind: 'add-tag', name: 'temp' }, 'COLUMN_EXISTS'],
    ['one that differs in case only', { kind: 'add-tag', name: 'TEMP' }, 'UNSUPPORTED'],
    ['a bad type', { kind: 'add-field', column: { name: 'x', type: 'INT' } }, 'DATA_TYPE_NOT_ALLOWED'],
    ['a bad codec', { kind: 'set-codec', name: 'temp', codec: 'DELTA' }, 'CODEC_NOT_ALLOWED'],
    ['an unknown codec', { kind: 'set-codec', name: 'temp', codec: 'LZMA' }, 'CODEC_NOT_ALLOWED'],
    ['a codec of a tag', { kind: 'set-codec', name: 'station', codec: 'GZIP' }, 'CODEC_NOT_ALLOWED'],
    ['to drop the last field', { kind: 'drop-column', name: 'temp' }, 'UNSUPPORTED'],
    ['to drop a tag', { kind: 'drop-column', name: 'station' }, 'UNSUPPORTED'],
    ['to drop time', { kind: 'drop-column', name: 'time' }, 'UNSUPPORTED'],
    ['to rename time', { kind: 'rename-column', from: 'time', to: 'ts' }, 'UNSUPPORTED'],
    ['to rename to what exists', { kind: 'rename-column', from: 'temp', to: 'station' }, 'COLUMN_EXISTS'],
    ['a missing column', { kind: 'rename-column', from: 'nope', to: 'x' }, 'COLUMN_NOT_FOUND'],
    ['a name without letters', { kind: 'rename-column', from: 'temp', to: '' }, 'SQL_SYNTAX'],
  ])('refuses %s', (_, action, expected) => {
    expect(started().refusal(alter(action))).toBe(expected)
  })

  it('names the missing table in full', () => {
    expect(() => startCatalog().run(alter({ kind: 'add-tag', name: 'x' }))).toThrow(
      'Table not found: "cnosdb.public.air"',
    )
  })
})

describe('DROP TABLE', () => {
  const drop =
    (ifExists: boolean): Build =>
    (state) =>
      dropTable(state, air, { ifExists })

  it('drops the physical table with it', () => {
    const catalog = started()
    const table = requireTable(catalog.state, tenant, database, 'air')
    const change = dropTable(catalog.state, air, { ifExists: false })
    expect(change.ddl).toEqual([`DROP TABLE data."${table.engine === 'TSKV' && table.stored}"`])
  })

  it('names the table only', () => {
    expect(() => startCatalog().run(drop(false))).toThrow('Table not found: "air"')
    startCatalog().run(drop(true))
  })

  it('does not reach into a database that is being dropped', () => {
    const catalog = startCatalog()
    const d = { tenant, name: 'd' }
    catalog.run((state) => createDatabase(state, d, { ifNotExists: false, written: new Map() }))
    catalog.run(create({ table: { tenant, database: 'd', name: 'air' } }))
    catalog.run((state, context) => dropDatabase(state, d, { ifExists: false, after: 9n }, context))
    expect(catalog.refusal((state) => dropTable(state, { ...air, database: 'd' }, { ifExists: false }))).toBe(
      'TABLE_NOT_FOUND',
    )
  })
})

describe('a stream table', () => {
  const OPTIONS = { db: 'public', table: 'air', event_time_column: 'time' }
  const stream = (
    options: Readonly<Record<string, string>>,
    declared: readonly { name: string; type: string }[] = [],
  ) => ((state) => createStreamTable(state, { ...air, name: 's', columns: declared, options }, false)) satisfies Build

  it('is kept with its columns and options', () => {
    const declared = [
      { name: 'time', type: 'TIMESTAMP' },
      { name: 'station', type: 'STRING' },
      { name: 'temp', type: 'DOUBLE' },
    ]
    const options = { watermark_delay: '10s', ...OPTIONS }
    const entry = started(stream(options, declared)).state.tables.get(keyOf(tenant, database, 's'))
    expect(entry).toMatchObject({ engine: 'STREAM', columns: declared })
    expect(entry?.engine === 'STREAM' && Object.keys(entry.options)).toEqual([
      'db',
      'table',
      'event_time_column',
      'watermark_delay',
    ])
  })

  it.each([
    ['an option is missing', { db: 'public', table: 'air' }, [], 'BAD_OPTION'],
    ['an option is unknown', { ...OPTIONS, colour: 'red' }, [], 'BAD_OPTION'],
    ['the delay is no duration', { ...OPTIONS, watermark_delay: 'soon' }, [], 'BAD_OPTION'],
    ['the source is missing', { ...OPTIONS, table: 'nope' }, [], 'TABLE_NOT_FOUND'],
    ['the event time is no time', { ...OPTIONS, event_time_column: 'temp' }, [], 'PLANNING'],
    ['a column is not in the source', OPTIONS, [{ name: 'x', type: 'DOUBLE' }], 'COLUMN_NOT_FOUND'],
    ['a column has another type', OPTIONS, [{ name: 'temp', type: 'BIGINT' }], 'PLANNING'],
    [
      'a column comes twice',
      OPTIONS,
      [
        { name: 'temp', type: 'DOUBLE' },
        { name: 'temp', type: 'DOUBLE' },
      ],
      'DUPLICATE_COLUMN',
    ],
  ])('is refused when %s', (_, options, declared, expected) => {
    expect(started().refusal(stream(options as Record<string, string>, declared))).toBe(expected)
  })
})

it('an external table is kept as written, and cannot be altered', () => {
  const columnsOf = [{ name: 'k', type: 'BIGINT' }]
  const entry = { ...air, name: 'ref', columns: columnsOf, fileType: 'CSV', hasHeader: true, location: '/data/' }
  const catalog = startCatalog()
  catalog.run((state) => createExternalTable(state, entry, false))
  expect(catalog.state.tables.get(keyOf(tenant, database, 'ref'))).toEqual({ ...entry, engine: 'EXTERNAL' })
  expect(catalog.refusal((state) => alterTable(state, { ...air, name: 'ref' }, { kind: 'add-tag', name: 'x' }))).toBe(
    'UNSUPPORTED',
  )
  catalog.run((state) => createExternalTable(state, entry, true))
})
