import { Command, CommanderError, Option } from 'commander'
import { EXIT_CODES, exitCodeOf } from './exit-codes.ts'
import { printFailure } from './lite/failure.ts'
import type { ServeFlags } from './lite/serve.ts'
import type { SqlFlags } from './lite/sql.ts'
import { programVersion } from './program-version.ts'

const collect = (value: string, all: readonly string[]) => [...all, value]

const SERVE_HELP = `
Prints one line to stdout when it is ready: cnosdb-lite listening on http://HOST:PORT. Logs go to stderr.
A fresh data directory has the user root with the password root, or what --root-password-file or
CNOSDB_ROOT_PASSWORD says. Ctrl-C or SIGTERM ends it cleanly; a second one at once.
When the database file cannot be written it ends with exit code 5 or 70: let a supervisor start it again.

Examples:
  cnosdb-lite serve --data-dir ./data
  cnosdb-lite serve --data-dir /var/lib/cnosdb-lite --listen 0.0.0.0:8902 --root-password-file /etc/cnosdb/root
  cnosdb-lite serve --data-dir ./data --listen 127.0.0.1:0 --memory 4GiB --spool 20GiB --copy-root /exports`

const SQL_HELP = `
Without -e and -f it is a shell: statements end in ;, \\? lists its commands. Statements may also come from a pipe.
A script stops at its first error, and the message tells file and line; --keep-going goes on.
The password comes from --password-file, CNOSDB_PASSWORD, or a question; a fresh server has root with password root.

Examples:
  cnosdb-lite sql
  cnosdb-lite sql -e 'SELECT count(*) AS n FROM air' --format csv
  cnosdb-lite sql --data-dir ./data -e "COPY INTO 'file:///backup/air' FROM air FILE_FORMAT = (TYPE = 'PARQUET')"
  cnosdb-lite sql --url http://db.example:8902 -u anna -d plant --tenant acme -f schema.sql

Exit codes: 0 done · 1 a statement was refused · 2 wrong flags · 4 access denied · 5 object store or disk
  6 server not reachable · 130 cancelled`

type Action =
  | { readonly kind: 'serve'; readonly flags: ServeFlags }
  | { readonly kind: 'sql'; readonly flags: SqlFlags }

/** The program; `act` receives what was asked for. */
export function buildProgram(act: (action: Action) => void): Command {
  const program = new Command('cnosdb-lite')
    .description('An embedded, CnosDB-compatible time-series server, and its SQL shell.')
    .version(programVersion())
    .exitOverride()
    .addHelpText('after', '\nExamples:\n  cnosdb-lite serve --data-dir ./data\n  cnosdb-lite sql')
  describeServe(program.command('serve')).action((flags: ServeFlags) => act({ kind: 'serve', flags }))
  describeSql(program.command('sql')).action((flags: SqlFlags) => act({ kind: 'sql', flags }))
  return program
}

function describeServe(command: Command): Command {
  return command
    .description('Serve a data directory over HTTP.')
    .requiredOption('--data-dir <dir>', 'where everything is kept; made when missing')
    .option('--listen <host:port>', 'address; port 0 picks a free one', '127.0.0.1:8902')
    .option('--memory <size>', 'budget for queries, loads and uploads', '1GiB')
    .option('--spool-dir <dir>', 'where files wait on their way in and out; default: inside the data directory')
    .option('--spool <size>', 'budget of the spool', '4GiB')
    .addOption(
      new Option('--log-level <level>', 'how much goes to stderr')
        .choices(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
        .default('info'),
    )
    .option(
      '--copy-root <dir>',
      'directory below which any user may COPY; repeatable; root may use any path',
      collect,
      [],
    )
    .option('--allow-endpoint <host>', 'object store endpoint any user may name; repeatable; * for all', collect, [])
    .option(
      '--ambient-credentials',
      'let administrators COPY with the credentials of this process, such as AWS_ACCESS_KEY_ID',
    )
    .option('--influx-write', 'serve POST /write for InfluxDB clients')
    .option('--insecure', 'listen beyond this machine although root has the initial password')
    .option('--root-password-file <file>', 'password of root for a fresh data directory')
    .addHelpText('after', SERVE_HELP)
}

function describeSql(command: Command): Command {
  return command
    .description('Run SQL: one statement, a script, or a shell.')
    .option('-e, --execute <sql>', 'statements to run')
    .option('-f, --file <file>', 'script to run; - reads stdin')
    .addOption(new Option('--url <url>', 'server; default: http://127.0.0.1:8902').conflicts('dataDir'))
    .option('--data-dir <dir>', 'open a data directory in this process; no server is needed')
    .option('-u, --user <user>', 'who asks', 'root')
    .option('--password-file <file>', 'file with the password')
    .option('-d, --database <database>', 'where unqualified tables are', 'public')
    .option('--tenant <tenant>', 'whose databases', 'cnosdb')
    .addOption(
      new Option('--format <format>', 'of the answers').choices(['table', 'csv', 'json', 'nd-json']).default('table'),
    )
    .option('--keep-going', 'do not stop a script at its first error')
    .option('--memory <size>', 'with --data-dir: budget for queries and loads', '1GiB')
    .option('--spool <size>', 'with --data-dir: budget of the spool', '4GiB')
    .addHelpText('after', SQL_HELP)
}

/** Runs the program of this process. The engine is loaded only when it is used. */
export async function main(): Promise<void> {
  process.title = 'cnosdb-lite'
  const given = process.argv.slice(2)
  let action: Action | undefined
  const program = buildProgram((chosen) => {
    action = chosen
  })
  try {
    await program.parseAsync(given[0] === '--' ? given.slice(1) : given, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    process.exitCode = error.exitCode === 0 ? EXIT_CODES.ok : EXIT_CODES.usage
    return
  }
  if (action) await run(action)
}

async function run(action: Action): Promise<void> {
  try {
    if (action.kind === 'serve') {
      const { runServe } = await import('./lite/serve.ts')
      process.exitCode = await runServe(action.flags)
    } else {
      const { runSql } = await import('./lite/sql.ts')
      process.exitCode = await runSql(action.flags)
    }
  } catch (error) {
    printFailure(process.stderr, error)
    process.exitCode = exitCodeOf(error)
  }
}
