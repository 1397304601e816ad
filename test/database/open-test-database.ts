import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../src/async/clock.ts'
import { type Credentials, type Database, type DatabaseOptions, openDatabase } from '../../src/database.ts'
import type { EngineRow } from '../../src/engine/engine.ts'
import { CnosError } from '../../src/errors/cnos-error.ts'

const MIB = 1024 * 1024

export interface TestDatabase extends AsyncDisposable {
  readonly database: Database
  /** Below the test's own temporary directory. */
  readonly path: (...names: readonly string[]) => string
  readonly warnings: readonly string[]
  /** Runs a statement as root, in database public, unless told otherwise; answers its rows, or [] for none. */
  run(sql: string, who?: Partial<Credentials>): Promise<readonly EngineRow[]>
  /** Closes the database and opens the same directory again. */
  reopen(): Promise<void>
}

/** A database in a temporary directory that is removed at the end. */
export async function openTestDatabase(options: Partial<DatabaseOptions> = {}): Promise<TestDatabase> {
  const directory = await mkdtemp(join(tmpdir(), 'cnosdb-test-'))
  const warnings: string[] = []
  const open = () =>
    openDatabase({
      dataDir: join(directory, 'data'),
      memoryBytes: 512 * MIB,
      spoolBytes: 512 * MIB,
      copyRoots: [join(directory, 'shared')],
      allowEndpoints: [],
      ambientCredentials: false,
      env: {},
      clock: systemClock,
      warn: (message) => warnings.push(message),
      ...options,
    })
  await mkdir(join(directory, 'shared'))
  let database = await open()
  return {
    get database() {
      return database
    },
    path: (...names) => join(directory, ...names),
    warnings,
    run: (sql, who) => runAs(database, sql, who),
    async reopen() {
      await database.close()
      database = await open()
    },
    async [Symbol.asyncDispose]() {
      await database.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

async function runAs(database: Database, sql: string, who: Partial<Credentials> = {}): Promise<readonly EngineRow[]> {
  const session = await database.authenticate({ user: 'root', password: 'root', ...who })
  const result = await database.execute(session, sql)
  return result.kind === 'none' ? [] : result.all()
}

/** The error a promise rejects with, as far as a client sees it. */
export async function failureOf(promise: Promise<unknown>): Promise<{ name: string; code: string; message: string }> {
  try {
    await promise
  } catch (error) {
    if (error instanceof CnosError) return { name: error.errorName, code: error.code, message: error.fullMessage }
    throw error
  }
  throw new Error('it did not fail')
}
