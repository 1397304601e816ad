import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '../../async/clock.ts'
import type { ClusterClient } from '../../client/cluster-client.ts'

const TABLE = 'flights'
const DEFINITION = '(delay BIGINT, distance BIGINT, TAGS(origin, destination))'
const COLUMNS = 'time, delay, distance, origin, destination'

const quoted = (path: string) => `'${path.replaceAll("'", "''")}'`

async function timed<T>(work: () => Promise<T>): Promise<{ readonly value: T; readonly elapsedMs: number }> {
  const startedMs = systemClock.elapsedMs()
  const value = await work()
  return { value, elapsedMs: systemClock.elapsedMs() - startedMs }
}

async function copy(client: ClusterClient, statement: string) {
  const { value, elapsedMs } = await timed(() => client.query(statement, { isRepeatable: false }))
  return { rows: BigInt(value[0]?.rows ?? 0), elapsedMs }
}

async function count(client: ClusterClient, from: string): Promise<bigint> {
  const [row] = await client.query(`SELECT count(*) AS n FROM ${from}`)
  return BigInt(row?.n ?? -1)
}

/** Loads the file, whose time column is called `date`: the columns of the table are listed in the file's order. */
export async function loadFlights(client: ClusterClient, file: string) {
  await client.execute(`CREATE TABLE ${TABLE} ${DEFINITION}`)
  const statement = `COPY INTO ${TABLE} (${COLUMNS}) FROM ${quoted(`file://${file}`)}
  FILE_FORMAT = (TYPE = 'PARQUET') COPY_OPTIONS = (auto_infer_schema = true)`
  const { rows: answered, elapsedMs } = await copy(client, statement)
  return { statement, answered, elapsedMs, counted: await count(client, TABLE) }
}

export interface Leg {
  readonly format: string
  readonly files: number
  readonly bytes: number
  readonly rows: bigint
  readonly outMs: number
  readonly inMs: number
  readonly compareMs: number
  /** Both tables hold the same rows, value by value. */
  readonly isEqual: boolean
}

export interface Round {
  readonly format: string
  readonly rows: bigint
  /** Does not exist yet. */
  readonly directory: string
}

/** Exports the table, imports the files into a fresh one, and compares all rows of both. */
export async function sendRound(client: ClusterClient, { format, rows, directory }: Round): Promise<Leg> {
  const again = `${TABLE}_${format.toLowerCase()}`
  const location = `${quoted(`file://${directory}/`)}`
  const out = await copy(client, `COPY INTO ${location} FROM ${TABLE} FILE_FORMAT = (TYPE = '${format}')`)
  const names = await readdir(directory)
  const sizes = await Promise.all(names.map((name) => stat(join(directory, name))))
  await client.execute(`CREATE TABLE ${again} ${DEFINITION}`)
  const back = await copy(client, `COPY INTO ${again} FROM ${location} FILE_FORMAT = (TYPE = '${format}')`)
  const compared = await timed(() => countDifferences(client, again))
  const isEqual =
    compared.value === 0n && (await count(client, again)) === rows && out.rows === rows && back.rows === rows
  await client.execute(`DROP TABLE ${again}`)
  return {
    format,
    files: names.length,
    bytes: sizes.reduce((sum, { size }) => sum + size, 0),
    rows,
    outMs: out.elapsedMs,
    inMs: back.elapsedMs,
    compareMs: compared.elapsedMs,
    isEqual,
  }
}

/** Rows that only one of the tables has. A row occurs once in a table, so nothing is hidden by EXCEPT. */
async function countDifferences(client: ClusterClient, other: string): Promise<bigint> {
  const except = (a: string, b: string) => `(SELECT ${COLUMNS} FROM ${a} EXCEPT SELECT ${COLUMNS} FROM ${b}) AS d`
  return (await count(client, except(TABLE, other))) + (await count(client, except(other, TABLE)))
}
