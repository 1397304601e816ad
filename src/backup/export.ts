import type { Abortable } from '../async/abort.ts'
import type { Clock } from '../async/clock.ts'
import { forEachLimited } from '../async/limit.ts'
import type { ClusterClient } from '../client/cluster-client.ts'
import { CnosError, isCnosError } from '../errors/cnos-error.ts'
import type { StoreContext } from '../store/store-driver.ts'
import type { ClusterMetadata, TableInfo } from './cluster-metadata.ts'
import { META_FILE, printDdl, SCHEMA_FILE, writePrivateFile } from './ddl-files.ts'
import { type ExportContext, exportUnit, finishedUnit, mayRetry, type TransferMode } from './export-unit.ts'
import { type Journal, type JournalPlace, openJournal } from './journal.ts'
import {
  type DataFormat,
  MANIFEST_VERSION,
  type Manifest,
  readManifest,
  removeManifest,
  sha256,
  type UnitRecord,
  writeManifest,
} from './manifest.ts'
import { type BackupPlace, isShared } from './place.ts'
import { halves, measure, planTable, type TablePlan, type WindowOptions } from './plan.ts'
import type { ProgressReporter, RunSummary } from './progress.ts'
import { placeBesideTool } from './read-backup.ts'
import { readMetadata } from './read-metadata.ts'
import { type RunTotals, runUnits } from './run-units.ts'
import { refuseUnmatched, type Selection } from './selection.ts'
import { type CopyUnit, describeUnit, unitId } from './unit.ts'
import { removeDirectory } from './unit-files.ts'

export interface ExportOptions {
  readonly client: ClusterClient
  readonly place: BackupPlace
  readonly selection: Selection
  /** The written form of the selection, part of the plan's identity. */
  readonly selectionText: string
  readonly windows: WindowOptions
  readonly format: DataFormat
  readonly mode: TransferMode
  readonly parallel: number
  readonly content: 'all' | 'schema' | 'data'
  /** Where `meta_data.src` and `schema_data.src` go, besides the backup itself. */
  readonly metaDirectory: string
  /** Remove a backup that is already in the place. */
  readonly replaceExisting: boolean
  readonly clock: Clock
  readonly reporter: ProgressReporter
  readonly storeContext: StoreContext
  /** Called when the place was found free, or this plan's own, and is about to be filled. */
  readonly onClaim?: () => Promise<unknown>
}

/** What an export would do. */
export interface ExportPlan {
  readonly metadata: ClusterMetadata
  readonly units: readonly CopyUnit[]
  /** What the backup will lack, one sentence each. */
  readonly notCarried: readonly string[]
  /** Tables that could not be counted. */
  readonly failures: { readonly what: string; readonly error: Error }[]
}

/** Reads the metadata and cuts the tables into units; moves nothing. */
export async function planExport(options: ExportOptions, { signal }: Abortable): Promise<ExportPlan> {
  const { client, reporter } = options
  reporter.report({ type: 'phase', phase: 'reading metadata' })
  const metadata = await readMetadata(client, options.selection, { signal })
  refuseUnmatched(options.selection, [...metadata.meta, ...metadata.schema], client.label)
  const units: CopyUnit[] = []
  const notCarried = [...metadata.notCarried]
  const failures: { what: string; error: Error }[] = []
  if (options.content !== 'schema') {
    reporter.report({ type: 'phase', phase: 'counting rows' })
    for (const { table, plan } of await planTables(metadata.tables, failures, options, { signal })) {
      units.push(...plan.units)
      if (plan.fieldless > 0n)
        notCarried.push(
          `${plan.fieldless} rows of ${table.tenant}.${table.database}.${table.table} without any field, left by a dropped column: CnosDB does not take such rows`,
        )
    }
  }
  const rows = units.reduce((sum, unit) => sum + unit.estimatedRows, 0n)
  reporter.report({ type: 'planned', verb: 'export', units: units.length, rows })
  return { metadata, units, notCarried, failures }
}

/** In the order of `tables`, whatever was counted first; one that cannot be counted does not stop the others. */
async function planTables(
  tables: readonly TableInfo[],
  failures: { what: string; error: Error }[],
  { client, windows, parallel }: ExportOptions,
  { signal }: Abortable,
): Promise<readonly { readonly table: TableInfo; readonly plan: TablePlan }[]> {
  const plans = new Map<TableInfo, TablePlan>()
  await forEachLimited(
    tables,
    parallel,
    async (table, inner) => {
      try {
        plans.set(table, await planTable(client, table, windows, inner))
      } catch (error) {
        if (!isCnosError(error) || error.errorName === 'CLUSTER_UNREACHABLE') throw error
        failures.push({ what: `${table.tenant}.${table.database}.${table.table}`, error })
      }
    },
    { signal },
  )
  return tables.flatMap((table) => {
    const plan = plans.get(table)
    return plan ? [{ table, plan }] : []
  })
}

/**
 * Exports metadata and rows. Re-running the same options continues an unfinished run. The manifest is written last and
 * only when nothing failed: without it the place is no backup.
 */
export async function exportCluster(options: ExportOptions, { signal }: Abortable): Promise<RunSummary> {
  const { client, place, clock } = options
  const began = clock.elapsedMs()
  const startedAt = printNow(clock)
  const { version } = await client.ping({ signal })
  const { metadata, units, notCarried, failures } = await planExport(options, { signal })
  const meta = printDdl(metadata.meta)
  const schema = printDdl(metadata.schema)
  await writePrivateFile(options.metaDirectory, META_FILE, meta)
  await writePrivateFile(options.metaDirectory, SCHEMA_FILE, schema)

  const shared = options.mode === 'client' || (await isShared(place, client, { signal }))
  if (!shared)
    options.reporter.report({ type: 'notice', message: notSharedNotice(client, place, options.metaDirectory) })
  const home = shared ? { store: place.store, prefix: place.prefix } : placeBesideTool(options, 'backup')
  const journal = await openJournal({ store: home.store, prefix: `${home.prefix}journal/` }, planIdentity(options), {
    signal,
  })
  const earlier = journal.isComplete ? await readManifest(home.store, home.prefix, { signal }) : undefined
  if (earlier) {
    await journal.finish()
    return summaryOf(earlier, clock.elapsedMs() - began)
  }
  await claimPlace(options, home, journal, { signal })
  await options.onClaim?.()

  const context: ExportContext = {
    client,
    place,
    isShared: shared,
    format: options.format,
    mode: options.mode,
    journal,
    clock,
  }
  const records = new Map<string, UnitRecord>()
  const totals = await exportUnits(context, plannedOrSplit(units, journal), metadata.tables, records, options, {
    signal,
  })
  failures.push(...totals.failures)
  if (failures.length === 0) {
    await removeLeftovers(context, records, { signal })
    const manifest: Manifest = {
      formatVersion: MANIFEST_VERSION,
      source: client.label,
      serverVersion: version,
      startedAt,
      finishedAt: printNow(clock),
      format: options.format,
      ...rangeOf(options),
      ...partOf(options),
      metadata: { meta: sha256(meta), schema: sha256(schema) },
      tables: metadata.tables.map(({ tenant, database, table, columns }) => ({ tenant, database, table, columns })),
      units: [...records.values()].sort((a, b) => (a.directory < b.directory ? -1 : 1)),
      notCarried,
    }
    if (shared) {
      await home.store.put(`${home.prefix}${META_FILE}`, Buffer.from(meta), { signal })
      await home.store.put(`${home.prefix}${SCHEMA_FILE}`, Buffer.from(schema), { signal })
    }
    await journal.refuseReplaced({ signal })
    await writeManifest(home.store, home.prefix, manifest, { signal })
    await journal.finish()
  }
  return {
    units: records.size + failures.length,
    skipped: totals.skipped,
    rows: totals.rows,
    bytes: totals.bytes,
    elapsedMs: clock.elapsedMs() - began,
    failures,
    notCarried,
  }
}

/** Removes the files of units that an earlier run has moved and the backup does not hold: they were cut otherwise since. */
async function removeLeftovers(
  { journal, place, isShared }: ExportContext,
  records: ReadonlyMap<string, UnitRecord>,
  { signal }: Abortable,
): Promise<void> {
  if (!isShared) return
  for (const [directory, { attempt }] of journal.states) {
    if (records.has(directory)) continue
    for (let i = 1; i <= attempt; i += 1)
      await removeDirectory(place, i === 1 ? directory : `${directory}-${i}`, { signal })
  }
}

/** Of a run that an earlier process had finished but for clearing its journal. */
function summaryOf(manifest: Manifest, elapsedMs: number): RunSummary {
  const units = manifest.units
  return {
    units: units.length,
    skipped: units.length,
    rows: units.reduce((sum, unit) => sum + BigInt(unit.rows), 0n),
    bytes: units.reduce((sum, unit) => sum + (sizeOf(unit) ?? 0), 0),
    elapsedMs,
    failures: [],
    notCarried: manifest.notCarried,
  }
}

async function exportUnits(
  context: ExportContext,
  units: readonly CopyUnit[],
  tables: readonly TableInfo[],
  records: Map<string, UnitRecord>,
  options: ExportOptions,
  { signal }: Abortable,
): Promise<RunTotals> {
  const tableOf = new Map(tables.map((table) => [JSON.stringify([table.tenant, table.database, table.table]), table]))
  const find = (unit: CopyUnit) => tableOf.get(JSON.stringify([unit.tenant, unit.database, unit.table])) as TableInfo
  const depths = new Map<string, number>()
  return runUnits(
    units,
    {
      async run(unit, inner) {
        const earlier = await finishedUnit(context, unit, find(unit), inner)
        const record = earlier ?? (await exportUnit(context, unit, find(unit), inner))
        records.set(unitId(unit), record)
        const outcome = { rows: BigInt(record.rows), bytes: sizeOf(record), elapsedMs: record.elapsedMs }
        return earlier ? { ...outcome, skipped: 'already in the backup, and as the source is' } : outcome
      },
      async split(unit, error) {
        const depth = depths.get(unitId(unit)) ?? 0
        if (depth === MAX_HALVINGS && isTriedTwice(context, unit)) return []
        const pieces = await splitUnit(context, unit, find(unit), error, { signal })
        if (pieces.length > 1) for (const piece of pieces) depths.set(unitId(piece), depth + 1)
        return pieces
      },
      awaitNode: (inner) => context.client.ping(inner),
    },
    { parallel: options.parallel, reporter: options.reporter, describe: describeUnit, signal },
  )
}

/** A failure that has not gone at a sixteenth of the size is not one of size: where all fail, the run must end. */
const MAX_HALVINGS = 4

const isTriedTwice = ({ journal }: ExportContext, unit: CopyUnit) =>
  (journal.states.get(unitId(unit))?.attempt ?? 1) >= 2

/** A unit whose failure a smaller size may heal is halved, and the journal remembers it. */
async function splitUnit(
  context: ExportContext,
  unit: CopyUnit,
  table: TableInfo,
  error: unknown,
  { signal }: Abortable,
) {
  const attempt = context.journal.states.get(unitId(unit))?.attempt ?? 1
  if (!mayRetry(error)) return []
  if (!isTriedTwice(context, unit)) return [unit]
  const found = await measure(context.client, table, unit.window ?? { fromNs: undefined, toNs: undefined }, {
    signal,
  }).catch(() => undefined)
  if (!found || found.rows < 2n) return []
  const pieces = halves(unit, unit.window ?? { fromNs: found.firstNs, toNs: found.lastNs + 1n })
  if (pieces.length > 0) await context.journal.record(unitId(unit), { state: 'split', attempt }, { signal })
  return pieces
}

/** Units as planned, those that an earlier run had to halve as their halves. */
function plannedOrSplit(units: readonly CopyUnit[], journal: Journal): readonly CopyUnit[] {
  return units.flatMap((unit) => {
    if (journal.states.get(unitId(unit))?.state !== 'split' || unit.window === null) return [unit]
    return plannedOrSplit(halves(unit, unit.window), journal)
  })
}

/**
 * Makes sure that this run's files are the only ones below the place: continues its own unfinished run, and otherwise
 * refuses a place that holds a backup unless told to replace it, manifest first.
 */
async function claimPlace(
  options: ExportOptions,
  home: JournalPlace,
  journal: Journal,
  { signal }: Abortable,
): Promise<void> {
  if (journal.states.size > 0) return
  const manifest = await readManifest(home.store, home.prefix, { signal }).catch(() => undefined)
  const isEmpty = manifest === undefined && !(await holdsData(options.place, { signal }))
  if (isEmpty) return
  if (!options.replaceExisting) {
    await journal.discard()
    const what = manifest ? `a finished backup of ${manifest.finishedAt}` : 'data files of an unknown run'
    throw new CnosError('TARGET_CONFLICT', `${options.place.url} holds ${what}`, {
      hint: 'choose another --path, or replace it with export --on-conflict replace',
    })
  }
  await removeManifest(home.store, home.prefix, { signal })
  await removeDirectory(options.place, 'data', { signal })
}

async function holdsData(place: BackupPlace, { signal }: Abortable): Promise<boolean> {
  for await (const _object of place.store.list(`${place.prefix}data/`, { signal })) return true
  return false
}

function notSharedNotice(client: ClusterClient, place: BackupPlace, metaDirectory: string): string {
  return `the files of ${place.url} are on the disk of ${client.label}, which this machine does not see: sizes and checksums are not recorded, and manifest and journal stay in ${metaDirectory}`
}

/** What must be the same for a run to continue an earlier one. */
export function planIdentity(options: ExportOptions): unknown {
  const { range, window, rowsPerUnit } = options.windows
  return {
    verb: 'export',
    source: options.client.label,
    place: options.place.url,
    selection: options.selectionText,
    format: options.format,
    mode: options.mode,
    content: options.content,
    from: range.fromNs?.toString() ?? null,
    to: range.toNs?.toString() ?? null,
    window: window.toString(),
    rowsPerUnit: rowsPerUnit.toString(),
  }
}

function rangeOf(options: ExportOptions): Pick<Manifest, 'range'> {
  const { fromNs, toNs } = options.windows.range
  if (fromNs === undefined && toNs === undefined) return {}
  return {
    range: {
      ...(fromNs === undefined ? {} : { fromNs: String(fromNs) }),
      ...(toNs === undefined ? {} : { toNs: String(toNs) }),
    },
  }
}

function partOf({ selectionText, content }: ExportOptions): Pick<Manifest, 'part'> {
  const [include, exclude] = JSON.parse(selectionText) as [string[], string[]]
  return include.length + exclude.length === 0 && content === 'all' ? {} : { part: { include, exclude, content } }
}

const sizeOf = (record: UnitRecord) => record.files?.reduce((sum, file) => sum + file.sizeBytes, 0)

const printNow = (clock: Clock) => new Date(Number(clock.nowNs() / 1_000_000n)).toISOString()
