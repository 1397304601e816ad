import type { Abortable } from '../async/abort.ts'
import type { Clock } from '../async/clock.ts'
import type { ClusterClient } from '../client/cluster-client.ts'
import { CnosError, isCnosError } from '../errors/cnos-error.ts'
import type { TableInfo } from './cluster-metadata.ts'
import { compareStats, readStats, refuseFarTimes, refuseLoss } from './column-stats.ts'
import type { Journal } from './journal.ts'
import type { DataFormat, UnitRecord } from './manifest.ts'
import { type BackupPlace, exportStatement, quoteColumns, quoteTable } from './place.ts'
import { hasFieldCondition, rangeConditions, whereSql } from './plan.ts'
import { streamOut } from './stream-unit.ts'
import { type CopyUnit, describeUnit, unitId } from './unit.ts'
import { checkUnitFiles, listUnitFiles, removeDirectory } from './unit-files.ts'

/** Who moves the rows: the node with COPY INTO, or the tool, where node and place do not see each other. */
export type TransferMode = 'server' | 'client'

export interface ExportContext {
  readonly client: ClusterClient
  readonly place: BackupPlace
  /** Whether the tool sees the files the node writes. */
  readonly isShared: boolean
  readonly format: DataFormat
  /** `client`: rows come through the tool instead of going from node to place. */
  readonly mode: TransferMode
  readonly journal: Journal
  readonly clock: Clock
}

/**
 * A unit that an earlier run finished, whose files are still as recorded and hold what the source holds now; undefined
 * when it must be moved (again): rows may have come since, the table may have been altered, the cluster be another one.
 */
export async function finishedUnit(
  context: ExportContext,
  unit: CopyUnit,
  table: TableInfo,
  { signal }: Abortable,
): Promise<UnitRecord | undefined> {
  const known = context.journal.states.get(unitId(unit))
  if (known?.state !== 'finished') return undefined
  const { record } = known
  if (context.isShared && (await checkUnitFiles(context.place, record, { signal })).length > 0) return undefined
  const names = Object.keys(record.columns ?? {})
  if (names.length !== table.columns.length || table.columns.some(({ name }) => !names.includes(name))) return undefined
  const now = await readStats(context.client, table, conditionsOf(unit, table), { signal })
  return compareStats({ rows: BigInt(record.rows), columns: record.columns ?? {} }, now).length === 0
    ? record
    : undefined
}

const conditionsOf = (unit: CopyUnit, table: TableInfo) => [
  ...rangeConditions(table, unit.window ?? { fromNs: undefined, toNs: undefined }),
  hasFieldCondition(table),
]

/**
 * Copies one unit into a directory nobody has written to, and proves it: the rows CnosDB says it wrote lie between the
 * counts before and after. Durable in the journal when it resolves. Throws BACKUP_MISMATCH when the counts disagree.
 */
export async function exportUnit(
  context: ExportContext,
  unit: CopyUnit,
  table: TableInfo,
  { signal }: Abortable,
): Promise<UnitRecord> {
  const { client, place, format, journal, clock } = context
  const began = clock.elapsedMs()
  const attempt = (journal.states.get(unitId(unit))?.attempt ?? 0) + 1
  const directory = attempt === 1 ? unit.directory : `${unit.directory}-${attempt}`
  if (attempt > 1 && context.isShared)
    await removeDirectory(place, attempt === 2 ? unit.directory : `${unit.directory}-${attempt - 1}`, { signal })
  await journal.record(unitId(unit), { state: 'started', attempt }, { signal })

  const conditions = conditionsOf(unit, table)
  await refuseLoss(client, table, format, conditions, { signal })
  const before = await readStats(client, table, conditions, { signal })
  refuseFarTimes(table, format, before)
  const rows = before.rows === 0n ? 0n : await copyOut(context, unit, table, directory, conditions, { signal })
  const after = await readStats(client, table, conditions, { signal })
  const low = before.rows < after.rows ? before.rows : after.rows
  const high = before.rows < after.rows ? after.rows : before.rows
  if (rows < low || rows > high) {
    throw new CnosError(
      'BACKUP_MISMATCH',
      `${describeUnit(unit)}: COPY wrote ${rows} rows, but the table holds ${before.rows === after.rows ? low : `${low} to ${high}`}`,
      {
        hint: 'run the same command again; if it repeats, export a table that nobody writes to',
      },
    )
  }
  const files = context.isShared ? await listUnitFiles(place, directory, { signal }) : undefined
  if (files && rows > 0n && files.length === 0) {
    throw new CnosError(
      'BACKUP_MISMATCH',
      `${describeUnit(unit)}: COPY wrote ${rows} rows, but ${place.url}/${directory}/ is empty`,
    )
  }
  const isStill = compareStats(before, after).length === 0
  const record: UnitRecord = {
    tenant: unit.tenant,
    database: unit.database,
    table: unit.table,
    ...(unit.window ? { window: { fromNs: String(unit.window.fromNs), toNs: String(unit.window.toNs) } } : {}),
    directory,
    rows: String(rows),
    ...(files ? { files } : {}),
    ...(isStill ? { columns: before.columns } : {}),
    elapsedMs: Math.round(clock.elapsedMs() - began),
  }
  await journal.record(unitId(unit), { state: 'finished', attempt, record }, { signal })
  return record
}

async function copyOut(
  { client, place, format, mode }: ExportContext,
  unit: CopyUnit,
  table: TableInfo,
  directory: string,
  conditions: readonly string[],
  { signal }: Abortable,
): Promise<bigint> {
  const names = table.columns.map((column) => column.name)
  const select = `SELECT ${quoteColumns(names)} FROM ${quoteTable(table.database, table.table)}${whereSql(conditions)}`
  if (mode === 'client') {
    return streamOut(client, place, `${place.prefix}${directory}/rows.json`, select, unit, { signal })
  }
  const [row] = await client.query(exportStatement(place, directory, select, format), {
    tenant: unit.tenant,
    database: unit.database,
    signal,
    isRepeatable: false,
  })
  if (row?.rows === undefined) throw new CnosError('BACKUP_MISMATCH', `${describeUnit(unit)}: COPY gave no row count`)
  return BigInt(row.rows)
}

/** Failures that a smaller unit, or the same one a little later, may not have. */
export function mayRetry(error: unknown): boolean {
  if (isCnosError(error, 'CLUSTER_UNREACHABLE')) return true
  if (!isCnosError(error, 'CLUSTER_REFUSED')) return false
  const code = error.context.remoteCode ?? ''
  return (
    code === '' ||
    ['020005', '030015', '030024', '030025', '050014', '050027', '050028', '050029', '010047'].includes(code)
  )
}
