import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { type RunningServer, sql } from './programs.ts'

const FLIGHTS = fileURLToPath(new URL('../../node_modules/vega-datasets/data/flights-3m.parquet', import.meta.url))
const HASH = '$2b$12$abcdefghijklmnopqrstuuY6hC9X1Zbyz0Qm5rjLzv8T1pZ9XyQy6'

interface Column {
  readonly name: string
  readonly type: string
  readonly codec: string
  /** Literals, the ends of the type's range among them. */
  readonly values: readonly string[]
}

const TEXTS = [
  "''",
  "'plain'",
  "'two words'",
  "'a,b=c'",
  `'quote " and '' and \\ and\nline'`,
  "'é漢🛫'",
  "'NULL'",
  "'0123'",
]

const COLUMNS: readonly Column[] = [
  { name: 'd', type: 'DOUBLE', codec: 'GORILLA', values: ['0.1', '-1.5e300', '5e-324', '-0.0', '1', '123456789.123'] },
  { name: '"Int 64"', type: 'BIGINT', codec: 'DELTA', values: ['9223372036854775807', '-9223372036854775808', '0'] },
  { name: 'u', type: 'BIGINT UNSIGNED', codec: 'QUANTILE', values: ['18446744073709551615', '0', '7'] },
  { name: '"select"', type: 'BOOLEAN', codec: 'BITPACK', values: ['true', 'false'] },
  { name: '"ünï"', type: 'STRING', codec: 'ZSTD', values: TEXTS },
  { name: 'g', type: 'GEOMETRY(POINT, 0)', codec: 'DEFAULT', values: ["'POINT(1 2)'", "'POINT(-0.5 90)'"] },
]

const TAGS: readonly Column[] = ['t', '"Tag two"', '"t,3=x"'].map((name) => ({
  name,
  type: 'TAG',
  codec: '',
  values: [...TEXTS, 'NULL'],
}))

const TENANTS = [
  { name: 'cnosdb', databases: ['public', 'plant "one"'] },
  { name: 'acme', databases: ['UPPER', 'with.dot'] },
  { name: 'north west', databases: ['é漢', 'select'] },
] as const

const ODD_TABLES = [
  'with space',
  'select',
  'UPPER',
  'dot.ted',
  'back\\slash',
  'quo"te',
  'é漢',
  "apo'strophe",
  '-- x',
  'per%cent',
]

const quote = (name: string) => `"${name.replaceAll('"', '""')}"`

/** The same numbers for the same seed (mulberry32). */
function chance(seed: number) {
  let state = seed >>> 0
  return (below: number) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

/**
 * Fills a new server with every kind of object: tenants, users, roles, grants, members, databases of each precision,
 * `tables` tables with odd names and all column types, a fifth of them empty, an external and a stream table, and
 * `cnosdb.public.flights` with 2,992,108 rows.
 */
export async function generateCluster(server: RunningServer, folder: string, seed: number, tables: number) {
  const below = chance(seed)
  await createAccounts(server)
  for (const [i, { tenant, db }] of databasesOf(below, tables).entries()) {
    const name = i < ODD_TABLES.length * 3 && i % 3 === 0 ? (ODD_TABLES[i / 3] as string) : `table_${i}`
    await createTable(server, { tenant, db }, name, i % 5 === 4 ? 0 : 5 + below(40), below)
  }
  await createOthers(server, folder)
  await sql(server, 'CREATE TABLE flights (delay BIGINT, distance BIGINT, TAGS(origin, destination))')
  await sql(
    server,
    `COPY INTO flights (time, delay, distance, origin, destination) FROM 'file://${FLIGHTS}'
     FILE_FORMAT = (TYPE = 'PARQUET') COPY_OPTIONS = (auto_infer_schema = true)`,
  )
}

function databasesOf(below: (n: number) => number, count: number) {
  const all = TENANTS.flatMap(({ name, databases }) =>
    databases.map((db) => ({ tenant: name as string, db: db as string })),
  )
  return Array.from({ length: count }, () => all[below(all.length)] as (typeof all)[number])
}

async function createAccounts(server: RunningServer): Promise<void> {
  await sql(server, "CREATE TENANT acme WITH comment = 'it''s a test', drop_after = '7d'")
  await sql(server, 'CREATE TENANT "north west"')
  await sql(server, `CREATE USER anna WITH password = 'secret-of-anna', comment = 'ops; and "more"'`)
  await sql(server, `CREATE USER "bob smith" WITH hash_password = '${HASH}', granted_admin = true`)
  await sql(server, `CREATE USER "çelik" WITH hash_password = '${HASH}', must_change_password = true`)
  const options = ["PRECISION 'ms' SHARD 2", "PRECISION 'us' VNODE_DURATION '30d'", "TTL '36500d'"]
  for (const { name: tenant, databases } of TENANTS) {
    for (const [i, db] of databases.entries()) {
      if (db !== 'public')
        await sql(server, `CREATE DATABASE ${quote(db)} WITH ${options[(i + tenant.length) % 3]}`, { tenant })
    }
    const db = quote(databases[1])
    await sql(server, `CREATE ROLE "lead ""one""" INHERIT member`, { tenant })
    await sql(server, 'CREATE ROLE reader', { tenant })
    await sql(server, `GRANT READ ON DATABASE ${db} TO reader`, { tenant })
    await sql(server, `GRANT ALL ON DATABASE ${db} TO "lead ""one"""`, { tenant })
    await sql(server, `ALTER TENANT ${quote(tenant)} ADD USER anna AS reader`, { tenant })
    await sql(server, `ALTER TENANT ${quote(tenant)} ADD USER "çelik" AS "lead ""one"""`, { tenant })
  }
}

async function createTable(
  server: RunningServer,
  scope: { readonly tenant: string; readonly db: string },
  name: string,
  rows: number,
  below: (n: number) => number,
): Promise<void> {
  const fields = COLUMNS.filter((_, i) => below(2) === 0 || i === below(COLUMNS.length)).concat(
    COLUMNS[below(6)] as Column,
  )
  const unique = [...new Set(fields)]
  const tags = TAGS.slice(0, 1 + below(TAGS.length))
  const definition = unique.map(
    (field) => `${field.name} ${field.type} ${field.codec === 'DEFAULT' ? '' : `CODEC(${field.codec})`}`,
  )
  await sql(
    server,
    `CREATE TABLE ${quote(name)} (${definition.join(', ')}, TAGS(${tags.map((tag) => tag.name).join(', ')}))`,
    scope,
  )
  if (rows === 0) return
  const pick = (column: Column) => column.values[below(column.values.length)] as string
  const values = Array.from({ length: rows }, (_, i) => {
    const time = BigInt(below(2_000_000_000) - 100_000_000) * 1_000_000_000n + BigInt(below(1000)) * 1_000_000n
    const set = i % unique.length
    const of = unique.map((field, k) => (k === set || below(3) > 0 ? pick(field) : 'NULL'))
    return `('${new Date(Number(time / 1_000_000n)).toISOString()}', ${[...tags.map(pick), ...of].join(', ')})`
  })
  const columns = ['time', ...tags.map((tag) => tag.name), ...unique.map((field) => field.name)]
  await sql(server, `INSERT INTO ${quote(name)} (${columns.join(', ')}) VALUES ${values.join(', ')}`, scope)
}

async function createOthers(server: RunningServer, folder: string): Promise<void> {
  await writeFile(`${folder}/stations.csv`, 'station,name\ns1,north\ns2,\n')
  await sql(
    server,
    `CREATE EXTERNAL TABLE stations (station STRING, name STRING) STORED AS CSV WITH HEADER ROW LOCATION '${folder}/stations.csv'`,
  )
  await sql(server, 'CREATE TABLE air (temperature DOUBLE, TAGS(station))')
  await sql(
    server,
    "CREATE STREAM TABLE air_stream (time TIMESTAMP, station STRING, temperature DOUBLE) WITH (db = 'public', table = 'air', event_time_column = 'time') ENGINE = tskv",
  )
}

/** Per table one line: its rows, and a hash of every value of every row, NULL apart from text, whatever their order. */
export async function fingerprints(
  server: RunningServer,
  tenants: readonly string[] = TENANTS.map(({ name }) => name),
): Promise<string[]> {
  const lines: string[] = []
  for (const tenant of tenants) {
    const text = await sql(
      server,
      `SELECT database_name, table_name, string_agg(concat('"', replace(column_name, '"', '""'), '"'), '|' ORDER BY ordinal_position) AS names
       FROM information_schema.columns GROUP BY database_name, table_name ORDER BY 1, 2`,
      { tenant, accept: 'application/json' },
    )
    const tables = JSON.parse(text) as { database_name: string; table_name: string; names: string }[]
    for (const { database_name: db, table_name: table, names } of tables) {
      if (['stations', 'air_stream'].includes(table)) continue
      lines.push(`${tenant} ${db} ${table} ${await fingerprint(server, { tenant, db }, table, names.split('|'))}`)
    }
  }
  return lines
}

async function fingerprint(
  server: RunningServer,
  scope: { readonly tenant: string; readonly db: string },
  table: string,
  columns: readonly string[],
): Promise<string> {
  const parts = columns.map((name) => `CASE WHEN ${name} IS NULL THEN 'N' ELSE concat('=', ${name}) END`)
  const row = `md5(concat(${parts.join(', chr(1), ')}))`
  const answer = await sql(
    server,
    `SELECT count(*) AS n, sha256(string_agg(row, '' ORDER BY row)) AS h FROM (SELECT ${row} AS row FROM ${quote(table)}) AS rows`,
    scope,
  )
  return answer.split('\n')[1] as string
}
