import { systemClock } from '../../async/clock.ts'
import { CnosError, isCnosError } from '../../errors/cnos-error.ts'
import { parseSizeFlag } from './budget-flags.ts'
import { createHttpConnection } from './http-connection.ts'
import { askPassword, readPasswordFile } from './password.ts'
import type { SqlConnection, SqlScope } from './sql-connection.ts'

/** The flags that say where SQL runs and who asks. */
export interface ConnectionFlags {
  readonly url?: string
  readonly dataDir?: string
  readonly user: string
  readonly passwordFile?: string
  readonly memory: string
  readonly spool: string
}

const DEFAULT_URL = 'http://127.0.0.1:8902'
const INITIAL_PASSWORD = 'root'

/** Opens what the flags name and checks that the user may use it. Asks for the password when that is all that is missing. */
export async function openConnection(flags: ConnectionFlags, scope: SqlScope): Promise<SqlConnection> {
  const open = await opener(flags)
  const given = await givenPassword(flags)
  const connection = open(given ?? INITIAL_PASSWORD)
  try {
    await connection.check(scope)
    return connection
  } catch (error) {
    const mayAsk = given === undefined && isCnosError(error, 'ACCESS_DENIED') && process.stdin.isTTY
    if (!mayAsk) {
      await connection[Symbol.asyncDispose]()
      throw given === undefined ? withPasswordHint(error) : error
    }
    const again = open(await askPassword(`Password of ${flags.user}: `))
    await again.check(scope)
    return again
  }
}

/** What opens a connection with a password; a data directory is opened once. */
async function opener(flags: ConnectionFlags): Promise<(password: string) => SqlConnection> {
  const { user } = flags
  if (flags.dataDir === undefined) {
    const origin = parseOrigin(flags.url ?? DEFAULT_URL)
    return (password) => createHttpConnection(origin, { user, password })
  }
  const { dataDir } = flags
  const { openDatabase } = await import('../../database.ts')
  const { createEmbeddedConnection } = await import('./embedded-connection.ts')
  const database = await openDatabase({
    dataDir,
    memoryBytes: parseSizeFlag(flags.memory, '--memory'),
    spoolBytes: parseSizeFlag(flags.spool, '--spool'),
    rootPassword: process.env.CNOSDB_ROOT_PASSWORD || undefined,
    copyRoots: [],
    allowEndpoints: [],
    ambientCredentials: true,
    env: process.env,
    clock: systemClock,
    warn: (message) => process.stderr.write(`warning: ${message}\n`),
  })
  return (password) => createEmbeddedConnection(database, dataDir, { user, password })
}

async function givenPassword({ passwordFile, user, dataDir }: ConnectionFlags): Promise<string | undefined> {
  if (passwordFile !== undefined) return readPasswordFile(passwordFile, '--password-file')
  const isRootHere = dataDir !== undefined && user === 'root'
  return process.env.CNOSDB_PASSWORD || (isRootHere && process.env.CNOSDB_ROOT_PASSWORD) || undefined
}

function withPasswordHint(error: unknown): unknown {
  if (!isCnosError(error, 'ACCESS_DENIED')) return error
  return new CnosError('ACCESS_DENIED', error.message, {
    cause: error,
    hint: 'give the password with --password-file FILE or CNOSDB_PASSWORD',
  })
}

/** Credentials in a URL end up in `ps` and histories: refused. */
function parseOrigin(text: string): string {
  const withScheme = /^https?:\/\//.test(text) ? text : `http://${text}`
  const url = URL.canParse(withScheme) ? new URL(withScheme) : undefined
  if (url && url.username === '' && url.password === '') return url.origin
  throw new CnosError('USAGE', url ? '--url holds a user or password' : `--url: '${text}' is not a URL`, {
    hint: 'write --url http://HOST:PORT -u USER --password-file FILE',
  })
}
