import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { CnosError } from '../../errors/cnos-error.ts'
import { Cancelled } from '../exit-codes.ts'
import { endAtOnce } from './end-at-once.ts'
import { type ConnectionFlags, openConnection } from './open-connection.ts'
import type { SqlState } from './run-statement.ts'
import { runScript } from './script.ts'
import { runShell } from './shell.ts'
import type { FormatName } from './sql-connection.ts'

/** The flags of `sql` as commander hands them over. */
export interface SqlFlags extends ConnectionFlags {
  readonly execute?: string
  readonly file?: string
  readonly database: string
  readonly tenant: string
  readonly format: FormatName
  readonly keepGoing?: true
}

/** Runs what the flags ask for, and gives the exit code. */
export async function runSql(flags: SqlFlags): Promise<number> {
  const script = await givenScript(flags)
  const scope = { tenant: flags.tenant, database: flags.database }
  await using connection = await openConnection(flags, scope)
  const state: SqlState = { connection, scope, format: flags.format }
  const keepsGoing = flags.keepGoing ?? false
  if (script === undefined) return await runShell(state, { keepsGoing })
  return await cancellable((signal) => runScript(script.text, state, { name: script.name, keepsGoing, signal }))
}

async function givenScript(flags: SqlFlags): Promise<{ readonly name: string; readonly text: string } | undefined> {
  if (flags.execute !== undefined && flags.file !== undefined)
    throw new CnosError('USAGE', '-e and -f exclude each other', { hint: 'put both into one file' })
  if (flags.execute !== undefined) return { name: '-e', text: flags.execute }
  if (flags.file === undefined) return undefined
  try {
    return {
      name: flags.file,
      text: flags.file === '-' ? await text(process.stdin) : await readFile(flags.file, 'utf8'),
    }
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? String(cause)
    throw new CnosError('USAGE', `-f: ${flags.file} cannot be read: ${reason}`, { cause })
  }
}

/** Runs `work` with a signal that SIGINT and SIGTERM abort; a second one ends the process at once. */
async function cancellable(work: (signal: AbortSignal) => Promise<number>): Promise<number> {
  const controller = new AbortController()
  const onSignal = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) endAtOnce()
    controller.abort(new Cancelled(name))
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  try {
    return await work(controller.signal)
  } finally {
    process.off('SIGINT', onSignal)
    process.off('SIGTERM', onSignal)
  }
}
