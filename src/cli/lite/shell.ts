import { createInterface, type Interface } from 'node:readline'
import { systemClock } from '../../async/clock.ts'
import { Cancelled, EXIT_CODES, exitCodeOf } from '../exit-codes.ts'
import { programVersion } from '../program-version.ts'
import { printFailure } from './failure.ts'
import { type History, openHistory } from './history.ts'
import { runStatement, type SqlState } from './run-statement.ts'
import { runCommand, type ShellState } from './shell-commands.ts'
import { takeStatements } from './shell-input.ts'

export interface ShellOptions {
  /** Goes on after an error of a piped statement; a shell on a terminal always does. */
  readonly keepsGoing: boolean
}

/** Reads statements and commands from the terminal, or from a pipe, until its end; gives the exit code. */
export async function runShell(state: SqlState, { keepsGoing }: ShellOptions): Promise<number> {
  const isTty = process.stdin.isTTY === true
  const shell = new Shell(
    { ...state, showsTiming: isTty, isDone: false },
    isTty ? await openHistory(process.env) : undefined,
  )
  if (isTty) process.stdout.write(`cnosdb-lite ${programVersion()} on ${state.connection.label}. \\? for help.\n`)
  return shell.run({ stopsAtError: !isTty && !keepsGoing })
}

class Shell {
  readonly #state: ShellState
  /** Set on a terminal. */
  readonly #history: History | undefined
  readonly #input: Interface
  #typed = ''
  #isInsideQuote = false
  #running: AbortController | undefined
  #exitCode = EXIT_CODES.ok

  constructor(state: ShellState, history: History | undefined) {
    this.#state = state
    this.#history = history
    const isTty = history !== undefined
    this.#input = createInterface({
      input: process.stdin,
      terminal: isTty,
      ...(isTty ? { output: process.stdout, history: [...history.lines], historySize: 1000 } : {}),
    })
  }

  async run({ stopsAtError }: { readonly stopsAtError: boolean }): Promise<number> {
    const interrupt = () => this.#interrupt()
    this.#input.on('SIGINT', interrupt)
    process.on('SIGINT', interrupt)
    process.on('SIGTERM', interrupt)
    try {
      this.#prompt()
      for await (const line of this.#input) {
        await this.#take(line)
        if (this.#state.isDone || (stopsAtError && this.#exitCode !== EXIT_CODES.ok)) return this.#result()
        this.#prompt()
      }
      if (!this.#history && this.#typed.trim() !== '') await this.#attempt(this.#typed)
      return this.#result()
    } finally {
      this.#input.close()
      process.off('SIGINT', interrupt)
      process.off('SIGTERM', interrupt)
    }
  }

  /** On a terminal the person has seen every error. */
  #result(): number {
    return this.#history ? EXIT_CODES.ok : this.#exitCode
  }

  #prompt(): void {
    if (!this.#history) return
    const { tenant, database } = this.#state.scope
    this.#input.setPrompt(`${tenant}.${database}${this.#typed === '' ? '=>' : '->'} `)
    this.#input.prompt()
  }

  /** Ctrl-C ends the running statement, or forgets what is typed; in a pipe it ends the program. */
  #interrupt(): void {
    this.#running?.abort(new Cancelled('SIGINT'))
    if (this.#history && !this.#running) {
      this.#typed = ''
      this.#isInsideQuote = false
      process.stdout.write('\n')
      this.#prompt()
    } else if (!this.#history) {
      this.#exitCode = EXIT_CODES.cancelled
      this.#state.isDone = true
      this.#input.close()
    }
  }

  async #take(line: string): Promise<void> {
    if (!this.#isInsideQuote && line.trimStart().startsWith('\\')) return this.#attempt(line)
    const { statements, rest, isInsideQuote } = takeStatements(`${this.#typed}${line}\n`)
    this.#typed = rest
    this.#isInsideQuote = isInsideQuote
    for (const statement of statements) {
      await this.#history?.add(`${statement};`)
      await this.#attempt(statement)
      if (this.#exitCode === EXIT_CODES.cancelled) return
    }
  }

  /** Runs a statement or a command; an error is printed, and the first one decides the exit code. */
  async #attempt(text: string): Promise<void> {
    const startedMs = systemClock.elapsedMs()
    const running = new AbortController()
    this.#running = running
    try {
      if (text.trimStart().startsWith('\\')) await runCommand(text, this.#state, running.signal)
      else {
        const hasRows = await runStatement(text, this.#state, running.signal)
        const elapsed = this.#state.showsTiming ? ` ${printElapsed(systemClock.elapsedMs() - startedMs)}` : ''
        if (this.#history) process.stdout.write(`${hasRows ? '' : 'OK'}${elapsed}`.trim().concat('\n'))
      }
    } catch (error) {
      printFailure(process.stderr, error)
      if (this.#exitCode === EXIT_CODES.ok) this.#exitCode = exitCodeOf(error)
    } finally {
      this.#running = undefined
    }
  }
}

function printElapsed(ms: number): string {
  return ms < 1000 ? `(${Math.round(ms)} ms)` : `(${(ms / 1000).toFixed(2)} s)`
}
