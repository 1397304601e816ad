import type { Abortable } from '../../async/abort.ts'
import { systemClock } from '../../async/clock.ts'
import { type ExportOptions, exportCluster, planExport } from '../../backup/export.ts'
import type { TransferMode } from '../../backup/export-unit.ts'
import { type ImportOptions, importCluster, planImport } from '../../backup/import.ts'
import type { ConflictPolicy } from '../../backup/import-targets.ts'
import type { DataFormat } from '../../backup/manifest.ts'
import { migrateCluster } from '../../backup/migrate.ts'
import type { ProgressReporter, RunSummary } from '../../backup/progress.ts'
import { parseRenaming } from '../../backup/rename.ts'
import { parseSelection } from '../../backup/selection.ts'
import { describeUnit } from '../../backup/unit.ts'
import { CnosError } from '../../errors/cnos-error.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import {
  DATA_FORMATS,
  type Flags,
  openClient,
  openPlaceOf,
  parseChoice,
  parseContent,
  parseCount,
  parseRange,
  parseWindow,
  storeContext,
} from './arguments.ts'
import { groupDigits, JSON_EVENTS_VERSION, jsonValue, type Output } from './reporters.ts'
import { printSummary, printTable } from './summary.ts'

/** What every verb is given besides its flags. */
export interface VerbContext {
  readonly stdout: Output
  readonly reporter: ProgressReporter
}

const POLICIES: readonly ConflictPolicy[] = ['fail', 'skip', 'merge', 'replace']

const MODES: readonly TransferMode[] = ['server', 'client']

/** Client mode moves JSON: the one text answer of CnosDB that keeps NULL and '' apart. */
function exportFormat(flags: Flags): DataFormat {
  if (flags.mode !== 'client') return parseChoice('--format', flags.format ?? 'parquet', DATA_FORMATS)
  if (flags.format === undefined || flags.format.toLowerCase() === 'json') return 'json'
  throw new CnosError('USAGE', `--mode client cannot write ${flags.format}`, {
    hint: 'leave --format out: rows pass as JSON',
  })
}

async function exportOptions(flags: Flags, { reporter }: VerbContext): Promise<ExportOptions> {
  const context = storeContext(reporter)
  return {
    client: await openClient(flags, 'src', reporter),
    place: await openPlaceOf(flags, context),
    selection: parseSelection(flags),
    selectionText: JSON.stringify([flags.include, flags.exclude]),
    windows: {
      range: parseRange(flags),
      window: parseWindow(flags.window),
      rowsPerUnit: BigInt(parseCount('--rows-per-unit', flags.rowsPerUnit)),
    },
    format: exportFormat(flags),
    mode: parseChoice('--mode', flags.mode, MODES),
    parallel: parseCount('--parallel', flags.parallel),
    content: parseContent(flags),
    metaDirectory: flags.metaDir,
    replaceExisting: flags.onConflict === 'replace',
    clock: systemClock,
    reporter,
    storeContext: context,
  }
}

async function importOptions(flags: Flags, { reporter }: VerbContext): Promise<ImportOptions> {
  const context = storeContext(reporter)
  const policy = parseChoice('--on-conflict', flags.onConflict, POLICIES)
  if (policy === 'replace' && !flags.yes && !flags.dryRun) {
    throw new CnosError('USAGE', '--on-conflict replace deletes rows on the target', {
      hint: 'add --yes when that is what you want',
    })
  }
  return {
    client: await openClient(flags, 'dst', reporter),
    place: await openPlaceOf(flags, context),
    selection: parseSelection(flags),
    selectionText: JSON.stringify([flags.include, flags.exclude, flags.rename]),
    renaming: parseRenaming(flags.rename),
    range: parseRange(flags),
    content: parseContent(flags),
    policy,
    maxReplica: flags.maxReplica === undefined ? undefined : BigInt(parseCount('--max-replica', flags.maxReplica)),
    format: flags.format === undefined ? undefined : parseChoice('--format', flags.format, DATA_FORMATS),
    mode: parseChoice('--mode', flags.mode, MODES),
    parallel: parseCount('--parallel', flags.parallel),
    metaDirectory: flags.metaDir,
    clock: systemClock,
    reporter,
    storeContext: context,
  }
}

export async function runExport(flags: Flags, context: VerbContext, options: Abortable): Promise<number> {
  const request = await exportOptions(flags, context)
  if (flags.dryRun) return showExportPlan(request, flags, context, options)
  return printSummary('export', await exportCluster(request, options), {
    output: context.stdout,
    json: flags.json === true,
  })
}

export async function runImport(flags: Flags, context: VerbContext, options: Abortable): Promise<number> {
  const request = await importOptions(flags, context)
  if (flags.dryRun) return showImportPlan(request, flags, context, options)
  return printSummary('import', await importCluster(request, options), {
    output: context.stdout,
    json: flags.json === true,
  })
}

export async function runMigrate(flags: Flags, context: VerbContext, options: Abortable): Promise<number> {
  const source = await exportOptions({ ...flags, onConflict: 'fail' }, context)
  if (flags.dryRun) return showExportPlan(source, flags, context, options)
  const target = await importOptions(flags, context)
  const print = { output: context.stdout, json: flags.json === true }
  const codes: number[] = [EXIT_CODES.ok]
  const onExported = (summary: RunSummary) => void codes.push(printSummary('export', summary, print))
  const { imported } = await migrateCluster({ source, target, onExported }, options)
  if (imported) codes.push(printSummary('import', imported, print))
  if (!flags.json && imported)
    context.stdout.write(
      `the staged files in ${source.place.url} are a full backup; remove them when you no longer need it\n`,
    )
  return Math.max(...codes)
}

/** `plan`: what export, import or migrate would do with these flags. */
export async function runPlan(flags: Flags, context: VerbContext, options: Abortable): Promise<number> {
  const dry = { ...flags, dryRun: true } as const
  if (flags.src !== undefined) return runExport(dry, context, options)
  return runImport(dry, context, options)
}

async function showExportPlan(
  request: ExportOptions,
  { json }: Flags,
  { stdout }: VerbContext,
  options: Abortable,
): Promise<number> {
  const { metadata, units, notCarried, failures } = await planExport(request, options)
  const exitCode = failures.length === 0 ? EXIT_CODES.ok : EXIT_CODES.partial
  if (json) {
    printPlan(stdout, { verb: 'export', exitCode, units, notCarried, failures })
    return exitCode
  }
  printTable(
    stdout,
    ['unit', 'rows', 'directory'],
    units.map((unit) => [describeUnit(unit), groupDigits(unit.estimatedRows), unit.directory]),
  )
  stdout.write(
    `${metadata.meta.length} statements of metadata, ${metadata.schema.length} tables, ${units.length} units; nothing was moved\n`,
  )
  for (const what of notCarried) stdout.write(`not carried: ${what}\n`)
  for (const { what, error } of failures) stdout.write(`FAILED ${what}: ${error.message}\n`)
  return exitCode
}

async function showImportPlan(
  request: ImportOptions,
  { json }: Flags,
  { stdout }: VerbContext,
  options: Abortable,
): Promise<number> {
  const plan = await planImport(request, options)
  if (json) {
    const units = plan.units.map(({ source, target: { tenant, database, table } }) => ({
      tenant,
      database,
      table,
      window: source.window ?? null,
      directory: source.directory,
      rows: source.rows,
    }))
    const { notCarried } = plan.backup
    printPlan(stdout, { verb: 'import', exitCode: EXIT_CODES.ok, units, notCarried, failures: [] })
    return EXIT_CODES.ok
  }
  printTable(
    stdout,
    ['unit', 'rows', 'into'],
    plan.units.map(({ source, target }) => [
      source.directory,
      source.rows === undefined ? '?' : groupDigits(BigInt(source.rows)),
      `${target.tenant}.${target.database}.${target.table}`,
    ]),
  )
  stdout.write(
    `${plan.meta.length} statements of metadata, ${plan.schema.length} tables, ${plan.units.length} units; nothing was changed\n`,
  )
  return EXIT_CODES.ok
}

function printPlan(stdout: Output, plan: object): void {
  stdout.write(`${JSON.stringify({ v: JSON_EVENTS_VERSION, type: 'plan', ...plan }, jsonValue)}\n`)
}
