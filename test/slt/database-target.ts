import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../src/async/clock.ts'
import { type Database, openDatabase } from '../../src/database.ts'
import { columnReferences } from '../../src/engine/relation.ts'
import type { SltAnswer, SltTarget } from './run-slt.ts'
import { ROOT, type SltConnection } from './slt-file.ts'

const MEBIBYTE = 1024 * 1024

/** The database of an .slt file, below `directory`. */
export function openSltDatabase(directory: string): Promise<Database> {
  return openDatabase({
    dataDir: join(directory, 'data'),
    memoryBytes: 512 * MEBIBYTE,
    spoolBytes: 256 * MEBIBYTE,
    rootPassword: ROOT.password,
    copyRoots: [join(directory, 'files')],
    allowEndpoints: [],
    ambientCredentials: false,
    env: {},
    clock: systemClock,
    warn: () => {},
  })
}

async function execute(database: Database, connection: SltConnection, sql: string): Promise<SltAnswer> {
  const session = await database.authenticate(connection)
  const result = await database.execute(session, sql)
  if (result.kind === 'none') return { columns: [], rows: [] }
  const values = columnReferences(result.columns).map((reference) => `${reference}::VARCHAR`)
  const rows: (string | null)[][] = []
  for await (const batch of result.lines(`to_json([${values.join(', ')}])::VARCHAR`)) {
    for (const line of batch) rows.push(JSON.parse(line))
  }
  return { columns: result.columns, rows }
}

export interface DatabaseTarget extends SltTarget, AsyncDisposable {
  /** Where the .slt file may write; COPY may reach it. */
  readonly files: string
}

/** A fresh database below `directory`, which must exist. */
export async function openDatabaseTarget(directory: string): Promise<DatabaseTarget> {
  const files = join(directory, 'files')
  mkdirSync(files, { recursive: true })
  let database = await openSltDatabase(directory)
  return {
    files,
    execute: (connection, sql) => execute(database, connection, sql),
    async restart() {
      await database.close()
      database = await openSltDatabase(directory)
    },
    [Symbol.asyncDispose]: () => database.close(),
  }
}
