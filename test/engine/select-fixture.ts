import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEngine } from '../../src/engine/duckdb.ts'
import type { Engine, EngineRow } from '../../src/engine/engine.ts'
import { planSelect, type SelectResolver } from '../../src/engine/select.ts'
import { CnosError } from '../../src/errors/cnos-error.ts'

/** Stands in every planted file and foreign table; no query may ever show it. */
export const SECRET = 'the planted secret'

export interface SelectFixture {
  readonly engine: Engine
  readonly directory: string
  readonly resolver: SelectResolver
  /** Plans and runs. */
  query(text: string): Promise<readonly EngineRow[]>
  close(): Promise<void>
}

const AIR = `CREATE TABLE data.t1 (time TIMESTAMP_NS, station VARCHAR, temp DOUBLE, n UBIGINT, k BIGINT, ok BOOLEAN, "Upper Case" VARCHAR)`
const AIR_ROWS = `INSERT INTO data.t1 VALUES
  ('2024-01-01 00:00:00.123456789', 's1', 1.5, 18446744073709551615, 9223372036854775807, true, 'x'),
  ('2024-01-01 01:30:00', 's2', NULL, 2, -3, false, NULL),
  ('2024-01-01 02:00:00', 's1', 4.5, 3, 10, NULL, 'y')`
const MS = 'CREATE TABLE data.t2 (time TIMESTAMP_MS, host VARCHAR, v BIGINT)'
const MS_ROWS = `INSERT INTO data.t2 VALUES ('2024-01-01 00:00:00.001', 'h1', 1), ('2024-01-01 00:00:10', 'h1', 5)`

const TABLES: Readonly<Record<string, string>> = { air: 'data.t1', slow: 'data.t2' }

/** A real engine with tables `air` and `slow`, and with secrets around it. */
export async function openSelectFixture(): Promise<SelectFixture> {
  const directory = await mkdtemp(join(tmpdir(), 'select-'))
  await writeFile(join(directory, 'secret.csv'), `a\n${SECRET}\n`)
  await writeFile(join(directory, 'secret.json'), `{"a":"${SECRET}"}\n`)
  await writeFile(join(directory, 'secret.txt'), SECRET)
  const engine = await openEngine({
    path: join(directory, 'cnosdb.duckdb'),
    memoryBytes: 256 * 1024 * 1024,
    tempDirectory: join(directory, 'spill'),
    tempBytes: 64 * 1024 * 1024,
    maxQueries: 4,
  })
  await engine.run('CREATE SCHEMA data; CREATE SCHEMA catalog')
  for (const sql of [AIR, AIR_ROWS, MS, MS_ROWS]) await engine.run(sql)
  await engine.run(`CREATE TABLE catalog.objects AS SELECT '${SECRET}' AS value`)
  await engine.run(`CREATE TABLE data.secret AS SELECT '${SECRET}' AS a`)
  await engine.run(`COPY (SELECT '${SECRET}' AS a) TO '${join(directory, 'secret.parquet')}'`)
  return {
    engine,
    directory,
    resolver: RESOLVER,
    query: async (text) => engine.all((await planSelect(engine, { text, offset: 0 }, RESOLVER)).select),
    close: async () => {
      await engine.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

const RESOLVER: SelectResolver = {
  sessionValues: { current_user: 'root', current_tenant: 'cnosdb', current_database: 'public' },
  table(parts) {
    const name = parts.at(-1) as string
    const from = Object.hasOwn(TABLES, name) ? TABLES[name] : undefined
    const isOurs =
      parts.length === 1 ||
      (parts.length <= 3 && parts.at(-2) === 'public' && (parts[2] === undefined || parts[0] === 'cnosdb'))
    if (from === undefined || !isOurs) throw new CnosError('TABLE_NOT_FOUND', `Table not found: "${parts.join('.')}"`)
    return { from, alias: name, path: ['cnosdb', 'public', name] }
  },
}
