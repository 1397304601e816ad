import { splitScript } from '../../sql/script.ts'
import { Cancelled, EXIT_CODES, exitCodeOf } from '../exit-codes.ts'
import { printFailure } from './failure.ts'
import { runStatement, type SqlState } from './run-statement.ts'

export interface ScriptOptions {
  /** What error messages call it, such as a file's name. */
  readonly name: string
  readonly keepsGoing: boolean
  readonly signal: AbortSignal
}

/**
 * Runs the statements of a script in order, `\change_tenant` and `\c` included, and gives the exit code. The first
 * error ends it, unless it keeps going: then the first error's exit code is given in the end. Errors name the line.
 */
export async function runScript(text: string, state: SqlState, options: ScriptOptions): Promise<number> {
  let exitCode = EXIT_CODES.ok
  let failures = 0
  let line = 1
  const items = splitScript(text)
  for (;;) {
    try {
      const next = items.next()
      if (next.done) break
      const item = next.value
      line = item.line
      if (item.kind === 'statement') await runStatement(item.text, state, options.signal)
      else if (item.kind === 'change-tenant') state.scope = { ...state.scope, tenant: item.name }
      else state.scope = { ...state.scope, database: item.name }
    } catch (error) {
      options.signal.throwIfAborted()
      if (error instanceof Cancelled) throw error
      printFailure(process.stderr, error, `${options.name}:${line}`)
      failures += 1
      exitCode ||= exitCodeOf(error)
      if (!options.keepsGoing) return exitCode
    }
  }
  if (failures > 0) process.stderr.write(`${options.name}: ${failures} statement${failures === 1 ? '' : 's'} failed\n`)
  return exitCode
}
