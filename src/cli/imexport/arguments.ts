import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { systemClock } from '../../async/clock.ts'
import type { DataFormat } from '../../backup/manifest.ts'
import { openPlace } from '../../backup/place.ts'
import type { TimeRange } from '../../backup/plan.ts'
import type { ProgressReporter } from '../../backup/progress.ts'
import { parseTimeNs } from '../../backup/unit.ts'
import { parseClusterAddress } from '../../client/cluster-address.ts'
import type { ClusterClient } from '../../client/cluster-client.ts'
import { createHttpClient } from '../../client/http-client.ts'
import { CnosError } from '../../errors/cnos-error.ts'
import type { StoreContext } from '../../store/store-driver.ts'
import { Cancelled } from '../exit-codes.ts'

/** The flags of every verb as commander hands them over; each verb declares those it knows. */
export interface Flags {
  readonly src?: string
  readonly dst?: string
  readonly srcPasswordFile?: string
  readonly dstPasswordFile?: string
  readonly path?: string
  readonly conn?: string
  readonly connFile?: string
  readonly metaDir: string
  readonly include: readonly string[]
  readonly exclude: readonly string[]
  readonly rename: readonly string[]
  readonly from?: string
  readonly to?: string
  readonly schemaOnly?: true
  readonly dataOnly?: true
  readonly format?: string
  readonly mode: string
  readonly parallel: string
  readonly wait?: string
  readonly window: string
  readonly rowsPerUnit: string
  readonly onConflict: string
  readonly maxReplica?: string
  readonly dryRun?: true
  readonly json?: true
  readonly quiet?: true
  readonly yes?: true
}

type Side = 'src' | 'dst'

/** The client of `--src` or `--dst`; asks for the password when nothing tells it. */
export async function openClient(flags: Flags, side: Side, reporter: ProgressReporter): Promise<ClusterClient> {
  const text = flags[side]
  if (text === undefined) throw missing(`--${side}`, `--${side} user:password@host:port`)
  const address = parseClusterAddress(text, `--${side}`)
  const password = address.password ?? (await readPassword(flags, side, address.user, address.label))
  return createHttpClient(address, {
    clock: systemClock,
    password,
    patienceMs: flags.wait === undefined ? undefined : parseCount('--wait', flags.wait) * 1000,
    notice: (message) => reporter.report({ type: 'notice', message }),
  })
}

async function readPassword(flags: Flags, side: Side, user: string, label: string): Promise<string> {
  const file = side === 'src' ? flags.srcPasswordFile : flags.dstPasswordFile
  if (file !== undefined) return (await readNamedFile(`--${side}-password-file`, file)).replace(/\r?\n$/, '')
  const variable = `CNOSDB_${side.toUpperCase()}_PASSWORD`
  const fromEnvironment = process.env[variable]
  if (fromEnvironment !== undefined) return fromEnvironment
  if (!process.stdin.isTTY) {
    throw new CnosError('USAGE', `no password for ${user}@${label}`, {
      hint: `write --${side} ${user}:PASSWORD@…, or use --${side}-password-file FILE, or set ${variable}`,
    })
  }
  process.stderr.write(`password of ${user}@${label}: `)
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const prompt = createInterface({ input: process.stdin, output: silent, terminal: true })
  try {
    return await prompt.question('')
  } catch (error) {
    // Ctrl-C or Ctrl-D.
    throw error instanceof Error && error.name === 'AbortError' ? new Cancelled('the keyboard') : error
  } finally {
    prompt.close()
    process.stderr.write('\n')
  }
}

async function readNamedFile(flag: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new CnosError('USAGE', `${flag} ${file}: ${cause instanceof Error ? cause.message : cause}`, { cause })
  }
}

const missing = (flag: string, example: string) =>
  new CnosError('USAGE', `${flag} is missing`, { hint: `add ${example}` })

/** The tool runs as its user: it may use that user's own cloud credentials and reach any host. */
export function storeContext(reporter: ProgressReporter): StoreContext {
  return {
    clock: systemClock,
    env: process.env,
    ambientCredentials: true,
    checkEndpoint: () => {},
    warn: (message) => reporter.report({ type: 'notice', message }),
  }
}

export async function openPlaceOf(flags: Flags, context: StoreContext) {
  if (flags.path === undefined) throw missing('--path', '--path file:///backup/monday')
  const conn = flags.connFile === undefined ? flags.conn : (await readNamedFile('--conn-file', flags.connFile)).trim()
  return openPlace(flags.path, conn, context)
}

/** `--from` inclusive, `--to` exclusive, UTC. */
export function parseRange(flags: Flags): TimeRange {
  const read = (flag: '--from' | '--to', text: string | undefined) => {
    if (text === undefined) return undefined
    const ns = parseTimeNs(text)
    if (ns === undefined)
      throw new CnosError('USAGE', `${flag} ${text}: not a time`, {
        hint: `write ${flag} 2024-01-31 or ${flag} 2024-01-31T12:00:00Z`,
      })
    return ns
  }
  const range = { fromNs: read('--from', flags.from), toNs: read('--to', flags.to) }
  if (range.fromNs !== undefined && range.toNs !== undefined && range.fromNs >= range.toNs) {
    throw new CnosError('USAGE', '--from is not before --to', { hint: '--from is included, --to is not' })
  }
  return range
}

const UNIT_NS: Readonly<Record<string, bigint>> = {
  s: 10n ** 9n,
  m: 60n * 10n ** 9n,
  h: 3600n * 10n ** 9n,
  d: 86_400n * 10n ** 9n,
  w: 604_800n * 10n ** 9n,
}

export function parseWindow(text: string): bigint | 'auto' {
  if (text === 'auto') return 'auto'
  const match = /^([1-9]\d*)([smhdw])$/.exec(text)
  if (!match)
    throw new CnosError('USAGE', `--window ${text}: not a width`, {
      hint: 'write --window auto, --window 6h, --window 1d or --window 4w',
    })
  return BigInt(match[1] as string) * (UNIT_NS[match[2] as string] as bigint)
}

export function parseCount(flag: string, text: string): number {
  const count = Number(text)
  if (Number.isSafeInteger(count) && count >= 1) return count
  throw new CnosError('USAGE', `${flag} ${text}: not a number from 1`, { hint: `write ${flag} 4` })
}

export function parseChoice<T extends string>(flag: string, text: string, choices: readonly T[]): T {
  const choice = choices.find((candidate) => candidate === text.toLowerCase())
  if (choice) return choice
  throw new CnosError('USAGE', `${flag} ${text}: not one of ${choices.join(', ')}`)
}

export const DATA_FORMATS: readonly DataFormat[] = ['parquet', 'csv', 'json']

export function parseContent(flags: Flags): 'all' | 'schema' | 'data' {
  if (flags.schemaOnly && flags.dataOnly)
    throw new CnosError('USAGE', '--schema-only and --data-only exclude each other')
  if (flags.schemaOnly) return 'schema'
  return flags.dataOnly ? 'data' : 'all'
}
