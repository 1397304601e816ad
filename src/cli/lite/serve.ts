import { systemClock } from '../../async/clock.ts'
import { type Database, openDatabase } from '../../database.ts'
import { CnosError } from '../../errors/cnos-error.ts'
import { printByteSize } from '../../model/byte-size.ts'
import { type RunningServer, startServer } from '../../server/http-server.ts'
import { EXIT_CODES, exitCodeOf } from '../exit-codes.ts'
import { programVersion } from '../program-version.ts'
import { parseSizeFlag } from './budget-flags.ts'
import { endAtOnce } from './end-at-once.ts'
import { createLog, type Log } from './log.ts'
import { readPasswordFile } from './password.ts'

/** The flags of `serve` as commander hands them over. */
export interface ServeFlags {
  readonly dataDir: string
  readonly listen: string
  readonly memory: string
  readonly spoolDir?: string
  readonly spool: string
  readonly logLevel: string
  readonly copyRoot: readonly string[]
  readonly allowEndpoint: readonly string[]
  readonly ambientCredentials?: true
  readonly influxWrite?: true
  readonly insecure?: true
  readonly rootPasswordFile?: string
}

/** What running requests get to finish, and the whole end at most. */
const GRACE_MS = 3_000
const END_WITHIN_MS = 10_000

/** Serves until SIGINT or SIGTERM, or until the database gives up; gives the exit code. */
export async function runServe(flags: ServeFlags): Promise<number> {
  const log = createLog(flags.logLevel)
  const { host, port } = parseListen(flags.listen)
  const stopping = stopSignal(log)
  let onBroken = (_error: CnosError) => {}
  const broken = new Promise<CnosError>((resolve) => {
    onBroken = resolve
  })
  const database = await openServed(flags, log, onBroken)
  let server: RunningServer
  try {
    server = await startServer(database, {
      host,
      port,
      clock: systemClock,
      log,
      influxWrite: flags.influxWrite ?? false,
      allowInitialPassword: flags.insecure ?? false,
    })
  } catch (error) {
    await database.close()
    throw error
  }
  process.stdout.write(`cnosdb-lite listening on ${server.url}\n`)
  const reason = await Promise.race([stopping, broken])
  if (typeof reason === 'string') log.info({ signal: reason }, 'stopping')
  else log.error({ error: reason.fullMessage }, 'the database gave up: start again; what was acknowledged is safe')
  await stop(server, database, log)
  return typeof reason === 'string' ? EXIT_CODES.ok : exitCodeOf(reason)
}

/** Ends the process at once when ending cleanly takes too long. */
async function stop(server: RunningServer, database: Database, log: Log): Promise<void> {
  const ended = new AbortController()
  systemClock.sleep(END_WITHIN_MS, { signal: ended.signal }).then(
    () => {
      log.error({}, 'a statement did not end in time; what was acknowledged is safe')
      endAtOnce()
    },
    () => {},
  )
  await server.close({ graceMs: GRACE_MS })
  await database.close()
  ended.abort()
  log.info({}, 'stopped')
}

/** Resolves with the first SIGINT or SIGTERM; the second ends the process at once. */
function stopSignal(log: Log): Promise<string> {
  return new Promise((resolve) => {
    let seen = 0
    const onSignal = (name: NodeJS.Signals) => {
      seen += 1
      if (seen === 1) return resolve(name)
      log.warn({ signal: name }, 'ending at once')
      endAtOnce()
    }
    process.on('SIGINT', onSignal)
    process.on('SIGTERM', onSignal)
  })
}

async function openServed(flags: ServeFlags, log: Log, onBroken: (error: CnosError) => void): Promise<Database> {
  const rootPassword =
    flags.rootPasswordFile === undefined
      ? process.env.CNOSDB_ROOT_PASSWORD || undefined
      : await readPasswordFile(flags.rootPasswordFile, '--root-password-file')
  const memoryBytes = parseSizeFlag(flags.memory, '--memory')
  const spoolBytes = parseSizeFlag(flags.spool, '--spool')
  const database = await openDatabase({
    dataDir: flags.dataDir,
    memoryBytes,
    spoolDir: flags.spoolDir,
    spoolBytes,
    rootPassword,
    copyRoots: flags.copyRoot,
    allowEndpoints: flags.allowEndpoint,
    ambientCredentials: flags.ambientCredentials ?? false,
    env: process.env,
    clock: systemClock,
    warn: (message) => log.warn({}, message),
    onBroken,
  })
  log.info({ version: programVersion(), dataDir: flags.dataDir, ...budgetFields(database, memoryBytes) }, 'opened')
  return database
}

const size = (bytes: number) => printByteSize(BigInt(bytes))

function budgetFields({ budgets }: Database, memoryBytes: number): Record<string, string> {
  return {
    memory: size(memoryBytes),
    duckdbMemory: size(budgets.duckdbMemoryBytes),
    parts: `${budgets.partsInFlight} × ${size(budgets.partBytes)}`,
    spool: size(budgets.spoolBytes),
  }
}

/** `HOST:PORT`, IPv6 in brackets; `:PORT` and a bare port mean loopback. Throws USAGE. */
function parseListen(text: string): { readonly host: string; readonly port: number } {
  const [, bracketed, plain, digits] = /^(?:(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]*)):)?(\d{1,5})$/.exec(text) ?? []
  const port = Number(digits)
  if (digits !== undefined && port <= 65_535) return { host: bracketed ?? (plain || '127.0.0.1'), port }
  throw new CnosError('USAGE', `--listen: '${text}' is not an address and port`, {
    hint: 'write --listen 127.0.0.1:8902, --listen [::1]:8902, or port 0 for a free one',
  })
}
