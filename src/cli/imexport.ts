import { Command, CommanderError } from 'commander'
import { systemClock } from '../async/clock.ts'
import type { ProgressReporter } from '../backup/progress.ts'
import { Cancelled, EXIT_CODES, exitCodeOf } from './exit-codes.ts'
import type { Flags } from './imexport/arguments.ts'
import { runDoctor, runInfo, runList, runVerify } from './imexport/inspect.ts'
import { createJsonReporter, createTextReporter, type Output, silentReporter } from './imexport/reporters.ts'
import { printError } from './imexport/summary.ts'
import { runExport, runImport, runMigrate, runPlan, type VerbContext } from './imexport/verbs.ts'
import { programVersion } from './program-version.ts'

type Verb = (flags: Flags, context: VerbContext, options: { readonly signal: AbortSignal }) => Promise<number>

const EXIT_HELP = `
Exit codes: 0 everything asked for is done and was checked · 1 a statement was refused · 2 wrong flags
  3 some units failed (run the same command again) · 4 access denied · 5 object store or disk
  6 cluster not reachable, or it refuses what the run needs · 7 backup damaged, incomplete, or the target is not free · 130 cancelled`

const collect = (value: string, all: readonly string[]) => [...all, value]

function place(command: Command): Command {
  return command
    .option('-p, --path <location>', 'where the backup is: file:///dir, a directory, s3://…, gcs://… or azblob://…')
    .option(
      '-c, --conn <options>',
      `inside of CONNECTION = (…): "region = 'us-east-1', access_key_id = '…', secret_key = '…'"`,
    )
    .option('--conn-file <file>', 'the same, from a file that others cannot read')
    .option('--meta-dir <dir>', 'where meta_data.src and schema_data.src are', '.')
    .option('--json', 'events and result as JSON, one object a line')
    .option('--quiet', 'no progress')
}

function source(command: Command): Command {
  return command
    .option('-s, --src <address>', 'the cluster to export: user:password@host:port')
    .option('--src-password-file <file>', 'its password; or set CNOSDB_SRC_PASSWORD')
    .option('--format <format>', 'parquet (loses nothing), csv or json')
    .option('--window <width>', 'time per unit: auto, 6h, 1d, 4w …', 'auto')
    .option('--rows-per-unit <rows>', 'what auto aims at', '5000000')
}

function target(command: Command): Command {
  return command
    .option('-d, --dst <address>', 'the cluster to fill: user:password@host:port')
    .option('--dst-password-file <file>', 'its password; or set CNOSDB_DST_PASSWORD')
    .option('--rename <rule>', 'db=db2 or db.table=db2.table2; repeatable', collect, [])
    .option('--max-replica <n>', 'upper bound of REPLICA, for a target with fewer nodes')
    .option('--yes', 'do what --on-conflict replace says')
}

function filters(command: Command): Command {
  return command
    .option('--include <pattern>', 'tenant[.database[.table]] with * and ?; repeatable', collect, [])
    .option('--exclude <pattern>', 'the same, left out; repeatable', collect, [])
    .option('--from <time>', 'rows from this time on, UTC (import: between units of the backup)')
    .option('--to <time>', 'rows before this time, UTC (import: between units)')
    .option('--schema-only', 'no rows')
    .option('--data-only', 'no metadata but tables')
    .option('--parallel <n>', 'units at once', '4')
    .option('--wait <seconds>', 'for a node that does not answer (60, and 2 if it never did), before the run ends')
    .option('--on-conflict <policy>', 'fail, skip, merge or replace what is there already', 'fail')
    .option(
      '--mode <who>',
      'who moves the rows: server (COPY INTO), or client: through this machine, as JSON',
      'server',
    )
    .option('--dry-run', 'show the plan, do nothing')
}

const example = (text: string) => `\nExamples:\n${text}\n${EXIT_HELP}`

/** The program; `act` receives the verb to run with its flags. */
export function buildProgram(act: (verb: Verb, flags: Flags) => void): Command {
  const program = new Command('cnosdb-imexport')
    .description('Backup, restore and migrate CnosDB clusters over their HTTP API.')
    .version(programVersion())
    .exitOverride()
    // A flag that is misspelt may be the one of a password.
    .configureOutput({ outputError: (text, write) => write(text.replace(/('--[^'=]+)=[^']*'/, "$1=…'")) })
    .addHelpText('after', EXIT_HELP)
  const verb = (name: string, description: string, run: Verb) =>
    program
      .command(name)
      .description(description)
      .action((flags: Flags) => act(run, flags))
  filters(place(source(verb('export', 'Back up a cluster: metadata and rows.', runExport)))).addHelpText(
    'after',
    example('  cnosdb-imexport export --src root:root@127.0.0.1:8902 --path file:///backup/monday'),
  )
  filters(place(target(verb('import', 'Restore a backup into a cluster.', runImport))))
    .option('--format <format>', 'of a backup of the old tool whose files do not tell')
    .addHelpText(
      'after',
      example('  cnosdb-imexport import --dst root:root@127.0.0.1:8902 --path file:///backup/monday'),
    )
  filters(
    place(target(source(verb('migrate', 'Copy a cluster to another, staged in --path.', runMigrate)))),
  ).addHelpText(
    'after',
    example(
      '  cnosdb-imexport migrate --src root:root@old:8902 --dst root:root@new:8902 --path s3://bucket/move --conn "…"',
    ),
  )
  filters(place(target(source(verb('plan', 'Show what export (--src) or import (--dst) would do.', runPlan)))))
  place(verb('list', 'List the backups in a location and one level below.', runList))
  place(verb('info', 'Show what a backup holds.', runInfo))
  place(verb('verify', 'Check every file of a backup against its manifest.', runVerify)).addHelpText(
    'after',
    example('  cnosdb-imexport verify --path file:///backup/monday'),
  )
  place(target(source(verb('doctor', 'Check connections, privileges, paths, clocks and space.', runDoctor))))
  return program
}

/** Runs the program of this process. A stray `--`, as in old documentation, is dropped. */
export async function main(): Promise<void> {
  let chosen: { readonly verb: Verb; readonly flags: Flags } | undefined
  const program = buildProgram((verb, flags) => {
    chosen = { verb, flags }
  })
  try {
    const given = process.argv.slice(2).filter((argument) => argument !== '--')
    await program.parseAsync(given, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    process.exitCode = error.exitCode === 0 ? EXIT_CODES.ok : EXIT_CODES.usage
    return
  }
  if (chosen) process.exitCode = await runVerb(chosen.verb, chosen.flags)
}

async function runVerb(verb: Verb, flags: Flags): Promise<number> {
  const stdout: Output = { write: (text) => process.stdout.write(text), isTty: process.stdout.isTTY === true }
  const stderr: Output = { write: (text) => process.stderr.write(text), isTty: process.stderr.isTTY === true }
  const controller = new AbortController()
  const onSignal = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) process.exit(EXIT_CODES.cancelled)
    stderr.write(`\n${name}: stopping; run the same command again to continue (once more to quit at once)\n`)
    controller.abort(new Cancelled(name))
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  // A reader that has gone, such as `head` or a closed terminal, ends no run; a full disk is told by the exit code.
  let isCut = false
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      isCut ||= stream === process.stdout && error.code !== 'EPIPE'
    })
  }
  try {
    const exitCode = await verb(
      flags,
      { stdout, reporter: reporterOf(flags, stdout, stderr) },
      { signal: controller.signal },
    )
    return isCut && exitCode === EXIT_CODES.ok ? EXIT_CODES.store : exitCode
  } catch (error) {
    const exitCode = exitCodeOf(error)
    printError(error, { stderr, stdout, json: flags.json === true, exitCode })
    return exitCode
  } finally {
    process.off('SIGINT', onSignal)
    process.off('SIGTERM', onSignal)
  }
}

function reporterOf(flags: Flags, stdout: Output, stderr: Output): ProgressReporter {
  if (flags.json) return createJsonReporter(stdout)
  return flags.quiet ? silentReporter : createTextReporter(stderr, systemClock)
}
