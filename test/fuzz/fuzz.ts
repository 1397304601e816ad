import { mkdirSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { systemClock } from '../../src/async/clock.ts'
import { type Database, openDatabase, type Session, type WritePrecision } from '../../src/database.ts'
import { isCnosError } from '../../src/errors/cnos-error.ts'
import { FILES, SETUP } from './corpus.ts'
import { mutatedLines, mutatedStatement } from './mutate.ts'
import { type Random, randomFrom } from './random.ts'

export interface FuzzOptions {
  readonly seed: number
  readonly count: number
  /** Stops early, without a failure, after this time. Default: never. */
  readonly maxMs?: number
  /** A case that takes longer has failed. Default 5000; a busy machine needs more. */
  readonly slowMs?: number
  readonly onProgress?: (report: FuzzReport) => void
}

export interface FuzzReport {
  readonly cases: number
  readonly succeeded: number
  readonly refused: number
  readonly failures: readonly FuzzFailure[]
}

interface FuzzFailure {
  /** Its round: `round(seed)` alone shows it again. */
  readonly seed: number
  readonly input: string
  readonly reason: string
}

/** Cases that share one database, so that what one leaves behind meets the next. */
const ROUND = 2_500
/** After so many cases, what they dropped is made again. */
const MEND_EVERY = 100
/** What ends when it is told to ends within this. */
const ABORT_MS = 5_000
const CLOUD = /\b(s3|gcs|gs|azblob|azure|https?)\b/i
const FILE_ACCESS = /copy|external|location|explain/i

/** Runs rounds of mutated statements and line protocol until `count` cases are through. */
export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  const { seed, count, maxMs = Infinity, slowMs = 5_000, onProgress } = options
  const started = performance.now()
  let total: FuzzReport = { cases: 0, succeeded: 0, refused: 0, failures: [] }
  for (let round = 0; total.cases < count && performance.now() - started < maxMs; round += 1) {
    const isOver = (cases: number) => total.cases + cases >= count || performance.now() - started >= maxMs
    const { cases, succeeded, refused, failures } = await runRound(seed + round, isOver, slowMs)
    total = {
      cases: total.cases + cases,
      succeeded: total.succeeded + succeeded,
      refused: total.refused + refused,
      failures: [...total.failures, ...failures],
    }
    onProgress?.(total)
  }
  return total
}

interface Target {
  readonly database: Database
  readonly root: Session
  /** An owner, who may not leave `directory`. */
  readonly owner: Session
  readonly directory: string
  readonly slowMs: number
}

async function runRound(seed: number, isOver: (cases: number) => boolean, slowMs: number): Promise<FuzzReport> {
  const directory = await mkdtemp(join(tmpdir(), 'cnosdb-fuzz-'))
  const random = randomFrom(seed)
  const failures: FuzzFailure[] = []
  let [cases, succeeded, refused] = [0, 0, 0]
  try {
    const target = await openTarget(directory, slowMs)
    while (cases < ROUND && !isOver(cases)) {
      if (cases > 0 && cases % MEND_EVERY === 0) await mend(target)
      const { input, outcome } = await runCase(target, random)
      cases += 1
      if (outcome === 'succeeded') succeeded += 1
      else if (outcome === 'refused') refused += 1
      else failures.push({ seed, input, reason: outcome.failed })
      if (typeof outcome === 'object' && outcome.failed === HANGS) break
    }
    await checkAlive(target)
    await target.database.close()
    await (await open(directory)).close()
  } catch (error) {
    failures.push({ seed, input: `(the database itself, after ${cases} cases)`, reason: describe(error) })
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
  return { cases, succeeded, refused, failures }
}

const open = (directory: string) =>
  openDatabase({
    dataDir: join(directory, 'data'),
    memoryBytes: 512 * 1024 * 1024,
    spoolBytes: 256 * 1024 * 1024,
    copyRoots: [join(directory, 'files')],
    allowEndpoints: [],
    ambientCredentials: false,
    env: {},
    clock: systemClock,
    warn: () => {},
  })

async function openTarget(directory: string, slowMs: number): Promise<Target> {
  for (const [path, content] of Object.entries(FILES)) {
    mkdirSync(dirname(join(directory, 'files', path)), { recursive: true })
    writeFileSync(join(directory, 'files', path), content)
  }
  const database = await open(directory)
  const root = await database.authenticate({ user: 'root', password: 'root' })
  for (const sql of SETUP) await drain(database, root, sql)
  const owner = await database.authenticate({ user: 'olga', password: 'olga-pw' })
  return { database, root, owner, directory: join(directory, 'files'), slowMs }
}

async function mend({ database, root, slowMs }: Target): Promise<void> {
  for (const sql of SETUP) await outcomeOf(() => drain(database, root, sql), slowMs)
}

async function drain(database: Database, session: Session, sql: string, signal?: AbortSignal): Promise<void> {
  const result = await database.execute(session, sql, { signal })
  if (result.kind === 'none') return
  const text = result.columns.map(({ name }) => `"${name.replaceAll('"', '""')}"::VARCHAR`)
  for await (const _ of result.lines(text.length === 0 ? "''" : `concat(${text.join(', ')})`, { signal }));
}

type Outcome = 'succeeded' | 'refused' | { readonly failed: string }

const PRECISIONS: readonly WritePrecision[] = ['NS', 'US', 'MS']

async function runCase(target: Target, random: Random): Promise<{ input: string; outcome: Outcome }> {
  if (random.below(2) === 0) {
    const body = mutatedLines(random)
    const session = { ...target.root, database: random.pick(['public', 'public', 'db', 'strict', 'nope']) }
    const precision = random.pick(PRECISIONS)
    const run = (signal: AbortSignal) => target.database.writeLineProtocol(session, body, { precision, signal })
    return {
      input: `line protocol ${JSON.stringify(body.toString('latin1'))}`,
      outcome: await outcomeOf(run, target.slowMs),
    }
  }
  const statement = mutatedStatement(random).replaceAll('$DIR', target.directory)
  const sql = CLOUD.test(statement) ? `EXPLAIN ${statement}` : statement
  const session = FILE_ACCESS.test(sql) ? target.owner : target.root
  return {
    input: sql,
    outcome: await outcomeOf((signal) => drain(target.database, session, sql, signal), target.slowMs),
  }
}

const HANGS = `does not end, although it was told to ${ABORT_MS} ms ago`

async function outcomeOf(run: (signal: AbortSignal) => Promise<unknown>, slowMs: number): Promise<Outcome> {
  const abort = new AbortController()
  const slow = setTimeout(() => abort.abort(new Error(`takes longer than ${slowMs} ms`)), slowMs)
  let hangs: NodeJS.Timeout | undefined
  const hung = new Promise<Outcome>((resolve) => {
    hangs = setTimeout(() => resolve({ failed: HANGS }), slowMs + ABORT_MS)
  })
  const ended = run(abort.signal).then((): Outcome => 'succeeded', outcomeOfError)
  try {
    return await Promise.race([ended, hung])
  } finally {
    clearTimeout(slow)
    clearTimeout(hangs)
  }
}

/** An error is an answer when it has a code and blames somebody else than us. */
function outcomeOfError(error: unknown): Outcome {
  if (!isCnosError(error) || error.entry.kind === 'internal') return { failed: describe(error) }
  return error.fullMessage.length > 20_000
    ? { failed: `a message of ${error.fullMessage.length} characters` }
    : 'refused'
}

function describe(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? `, caused by ${String(error.cause)}` : ''
  return `${isCnosError(error) ? error.errorName : ''} ${error instanceof Error ? error.stack : String(error)}${cause}`
}

/** After all that, the database answers, and its dump can be printed. */
async function checkAlive({ database, root }: Target): Promise<void> {
  await drain(database, root, 'SELECT 1 AS one')
  await database.dumpDdl(root)
}
