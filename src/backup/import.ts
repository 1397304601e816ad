import type { Abortable } from '../async/abort.ts'
import type { Clock } from '../async/clock.ts'
import { mapLimited } from '../async/limit.ts'
import type { ClusterClient } from '../client/cluster-client.ts'
import { CnosError, isCnosError } from '../errors/cnos-error.ts'
import type { StoreContext } from '../store/store-driver.ts'
import type { MetadataStatement, TableInfo } from './cluster-metadata.ts'
import { expiringRows } from './expiry.ts'
import { mayRetry, type TransferMode } from './export-unit.ts'
import {
  type ConflictPolicy,
  isIn,
  judgeTargets,
  keyOf,
  prepareTarget,
  readTargetTables,
  type WantedTable,
} from './import-targets.ts'
import { type ImportContext, type ImportTarget, importUnit, isStillImported } from './import-unit.ts'
import { type Journal, openJournal } from './journal.ts'
import type { DataFormat } from './manifest.ts'
import type { BackupPlace } from './place.ts'
import type { TimeRange } from './plan.ts'
import type { ProgressReporter, RunSummary } from './progress.ts'
import { type Backup, type BackupUnit, checkFiles, placeBesideTool, readBackup, tablesOf } from './read-backup.ts'
import { checkRenaming, type Renaming, renamedMetadata, renameStatement } from './rename.ts'
import { isLeftAlone, leftAlone, runSteps, stepsAfterData, stepsBeforeData } from './restore-metadata.ts'
import { runUnits } from './run-units.ts'
import { refuseUnmatched, type Selection } from './selection.ts'
import { readTargetObjects, rememberTargetObjects } from './target-objects.ts'
import { type CopyUnit, describeUnit, parseTimeNs } from './unit.ts'
import { refuseProblems } from './unit-files.ts'

export interface ImportOptions {
  readonly client: ClusterClient
  readonly place: BackupPlace
  readonly selection: Selection
  readonly selectionText: string
  readonly renaming: Renaming
  readonly range: TimeRange
  readonly content: 'all' | 'schema' | 'data'
  readonly policy: ConflictPolicy
  readonly maxReplica: bigint | undefined
  readonly format: DataFormat | undefined
  readonly mode: TransferMode
  readonly parallel: number
  readonly metaDirectory: string
  readonly clock: Clock
  readonly reporter: ProgressReporter
  readonly storeContext: StoreContext
}

/** The part of a backup that was asked for, with its names as they will be on the target. */
export interface ImportPlan {
  readonly backup: Backup
  readonly meta: readonly MetadataStatement[]
  readonly schema: readonly MetadataStatement[]
  /** Every time-series table that was asked for, with rows or without. */
  readonly tables: readonly WantedTable[]
  readonly units: readonly PlannedUnit[]
}

interface PlannedUnit {
  readonly source: BackupUnit
  /** Columns of the unit's files, in their order. */
  readonly columns: readonly string[]
  readonly target: TableInfo
}

/** Reads and checks the backup, applies filters and renamings; touches nothing. Throws BACKUP_INVALID. */
export async function planImport(options: ImportOptions, { signal }: Abortable): Promise<ImportPlan> {
  const { place, renaming, selection, reporter } = options
  reporter.report({ type: 'phase', phase: 'reading the backup' })
  const backup = await readBackup(options, { signal })
  const isWanted = ({ tenant = 'cnosdb', statement }: MetadataStatement) => {
    if (statement.kind === 'create-tenant') return selection.includesTenant(statement.name)
    if (statement.kind === 'create-database') return selection.includesDatabase(tenant, statement.name)
    if ('table' in statement)
      return selection.includesTable(
        tenant,
        statement.table.parts.at(-2) ?? 'public',
        statement.table.parts.at(-1) ?? '',
      )
    return statement.kind === 'create-user' || selection.includesTenant(tenant)
  }
  const metaBefore = backup.meta.filter(isWanted)
  const schemaBefore = backup.schema.filter(isWanted)
  refuseUnmatched(selection, [...metaBefore, ...schemaBefore], place.url)
  const sources = new Map(tablesOfBackup(schemaBefore, backup).map((table) => [keyOf(table), table]))
  checkRenaming(renaming, [...sources.values()], metaBefore)
  const units =
    options.content === 'schema' ? [] : backup.units.flatMap((source) => plannedUnit(source, sources, options))
  refuseParts(units, options.range)
  const withUnits = new Set(units.map(({ target }) => keyOf(target)))
  reporter.report({ type: 'phase', phase: 'checking the files of the backup' })
  refuseProblems(
    await checkFiles(
      place,
      units.map((unit) => unit.source),
      options.parallel,
      { signal },
    ),
    place.url,
  )
  const rows = units.reduce((sum, unit) => sum + BigInt(unit.source.rows ?? '0'), 0n)
  reporter.report({ type: 'planned', verb: 'import', units: units.length, rows })
  return {
    backup,
    meta: options.content === 'data' ? [] : renamedMetadata(metaBefore, renaming),
    schema: schemaBefore.map((step) => renameStatement(step, renaming)),
    tables: [...sources.values()].map((source) => {
      const table = { ...source, ...renaming.table(source.database, source.table) }
      return { table, hasUnits: withUnits.has(keyOf(table)) }
    }),
    units,
  }
}

/** The tables that the schema file creates, with the types of their columns where the manifest tells. */
function tablesOfBackup(schema: readonly MetadataStatement[], { manifest, meta }: Backup): TableInfo[] {
  const recorded = new Map(manifest?.tables.map((table) => [keyOf(table), table.columns]))
  const precisions = new Map(
    meta.flatMap(({ tenant, statement }) =>
      statement.kind === 'create-database'
        ? [[JSON.stringify([tenant, statement.name]), String(statement.options.get('precision') ?? 'NS').toUpperCase()]]
        : [],
    ),
  )
  return tablesOf(schema).map((table) => {
    const precision = precisions.get(JSON.stringify([table.tenant, table.database])) ?? 'NS'
    const time = { name: 'time', kind: 'time' as const, type: TIME_TYPES[precision] ?? 'TIMESTAMP', codec: 'DEFAULT' }
    return { ...table, columns: recorded.get(keyOf(table)) ?? [time, ...table.columns.slice(1)] }
  })
}

const TIME_TYPES: Readonly<Record<string, string>> = {
  NS: 'TIMESTAMP(NANOSECOND)',
  US: 'TIMESTAMP(MICROSECOND)',
  MS: 'TIMESTAMP(MILLISECOND)',
}

function plannedUnit(
  source: BackupUnit,
  tables: ReadonlyMap<string, TableInfo>,
  options: ImportOptions,
): PlannedUnit[] {
  const table = tables.get(keyOf(source))
  if (!table || placeOf(source, options.range) === 'outside') return []
  const columns = table.columns.map((column) => column.name)
  return [{ source, columns, target: { ...table, ...options.renaming.table(table.database, table.table) } }]
}

/** Where the rows of a unit lie: their recorded first and last time tell, or else the unit's window. */
function placeOf(unit: BackupUnit, { fromNs, toNs }: TimeRange): 'inside' | 'outside' | 'across' {
  if (fromNs === undefined && toNs === undefined) return 'inside'
  const first = parseTimeNs(unit.columns?.time?.min ?? '') ?? (unit.window && BigInt(unit.window.fromNs))
  const last = parseTimeNs(unit.columns?.time?.max ?? '') ?? (unit.window && BigInt(unit.window.toNs) - 1n)
  if (first === undefined || last === undefined) return 'across'
  if ((fromNs !== undefined && last < fromNs) || (toNs !== undefined && first >= toNs)) return 'outside'
  return (fromNs === undefined || first >= fromNs) && (toNs === undefined || last < toNs) ? 'inside' : 'across'
}

/** COPY INTO takes files whole: `--from` and `--to` must not ask for a part of a unit. Throws USAGE. */
function refuseParts(units: readonly PlannedUnit[], range: TimeRange): void {
  const parts = units.filter(({ source }) => placeOf(source, range) === 'across')
  const [first] = parts
  if (!first) return
  throw new CnosError(
    'USAGE',
    `--from and --to cut through ${parts.length} of ${units.length} units of the backup, the first is ${first.source.directory}`,
    {
      hint: 'a unit is imported whole: choose bounds between units (plan without --from and --to lists them), or import into another database with --rename DB=PART and take the rows from there with INSERT INTO … SELECT … WHERE time',
    },
  )
}

/**
 * Restores a backup: metadata, rows, then TTLs and limits. The backup is checked whole before the target is touched;
 * every unit is counted on the target afterwards. Re-running the same options continues.
 */
export async function importCluster(options: ImportOptions, { signal }: Abortable): Promise<RunSummary> {
  const { client, place, clock, policy, reporter } = options
  const began = clock.elapsedMs()
  // Checking the files of a large backup takes long: first see that there is a target, and that it lets this user in.
  await client.query('SELECT 1 AS x', { signal })
  const plan = await planImport(options, { signal })
  const aside = placeBesideTool(options, `import-${client.label.replace(/[^a-z0-9]+/gi, '-')}`)
  const journal = await openJournal(aside, planIdentity(options, plan), { signal })
  if (journal.isComplete) {
    await journal.finish()
    return alreadyDone(plan, clock.elapsedMs() - began)
  }
  const objects = await readTargetObjects(client, [...plan.meta, ...plan.schema], journal, { signal })
  const { occupied, skipped } = await judgeTargets(client, plan.tables, objects, options, journal, { signal }).catch(
    async (error) => {
      // Nothing was begun: the next run may choose other options.
      if (journal.states.size === 0) await journal.discard()
      throw error
    },
  )

  reporter.report({ type: 'phase', phase: 'restoring metadata' })
  await rememberTargetObjects(journal, objects, { signal })
  const restoring = { maxReplica: options.maxReplica, updateExisting: policy === 'replace', target: objects }
  const stepOptions = { client, parallel: options.parallel }
  const failures = await runSteps(stepsBeforeData(plan.meta, plan.schema, restoring), stepOptions, { signal })

  const tables = plan.tables.map(({ table }) => table).filter((table) => !isIn(skipped, table))
  const targets = await prepareTargets(tables, occupied, journal, failures, options, { signal })
  const wanted = plan.units.filter((unit) => targets.has(keyOf(unit.target)))
  const context: ImportContext = {
    client,
    place,
    format: plan.backup.format,
    mode: options.mode,
    range: options.range,
    journal,
    clock,
  }
  const totals = await importUnits(context, wanted, targets, options, { signal })
  reporter.report({ type: 'phase', phase: 'restoring TTLs and limits' })
  failures.push(
    ...totals.failures,
    ...(await runSteps(stepsAfterData(plan.meta, plan.schema, restoring), stepOptions, { signal })),
  )
  if (failures.length === 0) await journal.finish()
  return {
    units: wanted.length,
    skipped: totals.skipped,
    rows: totals.rows,
    bytes: totals.bytes,
    elapsedMs: clock.elapsedMs() - began,
    failures,
    notCarried: [
      ...plan.backup.notCarried,
      ...leftAlone(plan.meta, restoring),
      ...expiringRows(
        plan.meta.filter((step) => !isLeftAlone(step, restoring)),
        wanted,
        clock.nowNs(),
      ),
      ...plan.tables
        .filter(({ table }) => isIn(skipped, table))
        .map(({ table }) => `rows of ${table.tenant}.${table.database}.${table.table}: it holds rows already, skipped`),
    ],
  }
}

/** The tables that are ready for rows; those that are not are named in `failures`. */
async function prepareTargets(
  tables: readonly TableInfo[],
  occupied: ReadonlySet<string>,
  journal: Journal,
  failures: { what: string; error: Error }[],
  { client, policy, range, parallel }: ImportOptions,
  { signal }: Abortable,
): Promise<Map<string, ImportTarget>> {
  const tenants = tables.map(({ tenant }) => tenant)
  const there = await readTargetTables(client, tenants, { signal })
  const targets = new Map<string, ImportTarget>()
  const prepare = async (table: TableInfo, inner: Abortable) => {
    const wish = { table, range, policy, isOccupied: isIn(occupied, table) }
    try {
      targets.set(keyOf(table), await prepareTarget(client, wish, there.get(keyOf(table)), journal, inner))
      return []
    } catch (error) {
      if (!isCnosError(error) || error.errorName === 'CLUSTER_UNREACHABLE') throw error
      return [{ what: `${table.tenant}.${table.database}.${table.table}`, error }]
    }
  }
  failures.push(...(await mapLimited(tables, parallel, prepare, { signal })).flat())
  return targets
}

/** Of a run that an earlier process had finished but for clearing its journal. */
function alreadyDone({ units, backup }: ImportPlan, elapsedMs: number): RunSummary {
  return {
    units: units.length,
    skipped: units.length,
    rows: units.reduce((sum, unit) => sum + BigInt(unit.source.rows ?? '0'), 0n),
    bytes: 0,
    elapsedMs,
    failures: [],
    notCarried: backup.notCarried,
  }
}

async function importUnits(
  context: ImportContext,
  planned: readonly PlannedUnit[],
  targets: ReadonlyMap<string, ImportTarget>,
  options: ImportOptions,
  { signal }: Abortable,
) {
  const byDirectory = new Map(planned.map((unit) => [unit.source.directory, unit]))
  const tries = new Map<string, number>()
  return runUnits(
    planned.map(({ source, target }) => copyUnitOf(source, target)),
    {
      async run(unit, inner) {
        const { source, columns, target } = byDirectory.get(unit.directory) as PlannedUnit
        const into = targets.get(keyOf(target)) as ImportTarget
        const began = context.clock.elapsedMs()
        const isDone = await isStillImported(context, source, into, inner)
        const rows = isDone ? BigInt(source.rows ?? '0') : await importUnit(context, source, columns, into, inner)
        const bytes = source.files?.reduce((sum, file) => sum + file.sizeBytes, 0)
        const outcome = { rows, bytes, elapsedMs: context.clock.elapsedMs() - began }
        return isDone ? { ...outcome, skipped: 'already imported, and the target still has its rows' } : outcome
      },
      async split(unit, error) {
        const count = (tries.get(unit.directory) ?? 0) + 1
        tries.set(unit.directory, count)
        return count < 3 && mayRetry(error) ? [unit] : []
      },
      awaitNode: (inner) => context.client.ping(inner),
    },
    { parallel: options.parallel, reporter: options.reporter, describe: describeUnit, signal },
  )
}

function copyUnitOf(source: BackupUnit, target: TableInfo): CopyUnit {
  const window = source.window ? { fromNs: BigInt(source.window.fromNs), toNs: BigInt(source.window.toNs) } : null
  const { tenant, database, table } = target
  return { tenant, database, table, window, directory: source.directory, estimatedRows: BigInt(source.rows ?? '0') }
}

function planIdentity(options: ImportOptions, plan: ImportPlan): unknown {
  return {
    verb: 'import',
    target: options.client.label,
    place: options.place.url,
    finishedAt: plan.backup.manifest?.finishedAt ?? null,
    selection: options.selectionText,
    content: options.content,
    policy: options.policy,
    from: options.range.fromNs?.toString() ?? null,
    to: options.range.toNs?.toString() ?? null,
    units: plan.units.map((unit) => [unit.source.directory, unit.target.database, unit.target.table]),
  }
}
