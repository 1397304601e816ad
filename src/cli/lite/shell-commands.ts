import { readFile } from 'node:fs/promises'
import { CnosError } from '../../errors/cnos-error.ts'
import { runStatement, type SqlState } from './run-statement.ts'
import { runScript } from './script.ts'
import { FORMATS, type FormatName } from './sql-connection.ts'

/** What a shell command may change besides the state of SQL. */
export interface ShellState extends SqlState {
  showsTiming: boolean
  isDone: boolean
}

interface ShellCommand {
  /** Without the backslash. */
  readonly names: readonly string[]
  readonly argument?: string
  readonly help: string
  run(argument: string, state: ShellState, signal: AbortSignal): Promise<void>
}

const say = (text: string) => void process.stdout.write(`${text}\n`)

/** Every command of the shell. */
const COMMANDS: readonly ShellCommand[] = [
  {
    names: ['d'],
    argument: '[TABLE]',
    help: 'list the tables, or describe one',
    async run(table, state, signal) {
      await runStatement(table === '' ? 'SHOW TABLES' : `DESCRIBE TABLE ${table}`, state, signal)
    },
  },
  {
    names: ['l'],
    help: 'list the databases',
    async run(_, state, signal) {
      await runStatement('SHOW DATABASES', state, signal)
    },
  },
  {
    names: ['c'],
    argument: 'DATABASE',
    help: 'use another database',
    async run(database, state) {
      state.scope = { ...state.scope, database: required(database, '\\c DATABASE') }
    },
  },
  {
    names: ['change_tenant'],
    argument: 'TENANT',
    help: 'use another tenant',
    async run(tenant, state, signal) {
      const scope = { ...state.scope, tenant: required(tenant, '\\change_tenant TENANT') }
      await state.connection.check(scope, { signal })
      state.scope = scope
    },
  },
  {
    names: ['format'],
    argument: FORMATS.join('|'),
    help: 'how answers are printed',
    async run(name, state) {
      const format = FORMATS.find((candidate) => candidate === name)
      if (!format)
        throw new CnosError('USAGE', `'${name}' is no format`, { hint: `write \\format ${FORMATS.join('|')}` })
      state.format = format satisfies FormatName
    },
  },
  {
    names: ['i'],
    argument: 'FILE',
    help: 'run a script',
    async run(file, state, signal) {
      const text = await readFile(required(file, '\\i FILE'), 'utf8').catch((cause: NodeJS.ErrnoException) => {
        throw new CnosError('USAGE', `${file} cannot be read: ${cause.code}`, { cause })
      })
      await runScript(text, state, { name: file, keepsGoing: false, signal })
    },
  },
  {
    names: ['timing'],
    help: 'show or hide how long statements took',
    async run(_, state) {
      state.showsTiming = !state.showsTiming
      say(`Timing is ${state.showsTiming ? 'on' : 'off'}.`)
    },
  },
  {
    names: ['?', 'h', 'help'],
    help: 'this list',
    async run() {
      say(HELP)
    },
  },
  {
    names: ['q', 'quit', 'exit'],
    help: 'leave',
    async run(_, state) {
      state.isDone = true
    },
  },
]

const HELP = [
  ...COMMANDS.map(({ names, argument = '', help }) => `${`\\${names[0]} ${argument}`.padEnd(34)}${help}`),
  'Statements end in ; and may have several lines. Ctrl-C cancels what runs or is typed, Ctrl-D leaves.',
].join('\n')

/** Runs `\name argument`. Throws USAGE for a command there is not. */
export async function runCommand(line: string, state: ShellState, signal: AbortSignal): Promise<void> {
  const [, name = '', argument = ''] = /^\\(\S*)\s*(.*?)\s*;?\s*$/s.exec(line.trim()) ?? []
  const command = COMMANDS.find((candidate) => candidate.names.includes(name))
  if (!command) throw new CnosError('USAGE', `there is no command \\${name}`, { hint: '\\? lists the commands' })
  await command.run(argument, state, signal)
}

function required(argument: string, usage: string): string {
  if (argument !== '') return argument
  throw new CnosError('USAGE', 'something is missing', { hint: `write ${usage}` })
}
