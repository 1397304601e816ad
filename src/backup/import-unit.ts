import type { Abortable } from '../async/abort.ts'
import type { Clock } from '../async/clock.ts'
import type { ClusterClient } from '../client/cluster-client.ts'
import { CnosError } from '../errors/cnos-error.ts'
import type { TableInfo } from './cluster-metadata.ts'
import { compareStats, readStats } from './column-stats.ts'
import type { TransferMode } from './export-unit.ts'
import type { Journal } from './journal.ts'
import type { DataFormat } from './manifest.ts'
import { type BackupPlace, importStatement } from './place.ts'
import { hasFieldCondition, rangeConditions, type TimeRange } from './plan.ts'
import type { BackupUnit } from './read-backup.ts'
import { streamIn } from './stream-unit.ts'

export interface ImportContext {
  readonly client: ClusterClient
  readonly place: BackupPlace
  readonly format: DataFormat
  readonly mode: TransferMode
  /** The units lie wholly in it. */
  readonly range: TimeRange
  readonly journal: Journal
  readonly clock: Clock
}

export interface ImportTarget {
  /** As it is on the target, after any renaming. */
  readonly table: TableInfo
  /** Every row in it comes from this import. */
  readonly isOurs: boolean
}

/**
 * Whether an earlier run's import of the unit still stands: the target is asked again, because a journal proves nothing
 * about a database that may have been restored or emptied since.
 */
export async function isStillImported(
  context: ImportContext,
  unit: BackupUnit,
  target: ImportTarget,
  { signal }: Abortable,
): Promise<boolean> {
  if (context.journal.states.get(unit.directory)?.state !== 'finished') return false
  return (await differences(context, unit, target, { signal })).length === 0
}

/** Imports one unit and proves it by counting on the target. Resolves with the rows that CnosDB says it read. */
export async function importUnit(
  context: ImportContext,
  unit: BackupUnit,
  columns: readonly string[],
  target: ImportTarget,
  { signal }: Abortable,
): Promise<bigint> {
  const { client, place, format, journal } = context
  const rows = unit.rows === '0' ? 0n : await copyIn()
  if (unit.rows !== undefined && rows !== BigInt(unit.rows)) {
    throw new CnosError('BACKUP_MISMATCH', `${unit.directory}: COPY read ${rows} rows, the backup holds ${unit.rows}`, {
      hint: place.isLocal
        ? `check that ${place.url}/${unit.directory}/ is on the disk of ${client.label} and complete`
        : 'check the backup with cnosdb-imexport verify',
    })
  }
  const wrong = await differences(context, unit, target, { signal })
  if (wrong.length > 0) {
    throw new CnosError(
      'BACKUP_MISMATCH',
      `${unit.directory}: after the import the target has ${wrong.slice(0, 5).join('; ')}`,
      {
        hint: 'run the same command again; importing a unit twice is harmless',
      },
    )
  }
  const record = { ...unit, rows: String(rows) }
  await journal.record(unit.directory, { state: 'finished', attempt: 1, record }, { signal })
  return rows

  async function copyIn(): Promise<bigint> {
    if (context.mode === 'client') return streamIn(client, place, unit.directory, target.table, { signal })
    const { tenant, database, table } = target.table
    const sql = importStatement(place, unit.directory, { database, table, columns }, format)
    const [row] = await client.query(sql, { tenant, database, signal })
    return BigInt(row?.rows || '0')
  }
}

async function differences(
  context: ImportContext,
  unit: BackupUnit,
  target: ImportTarget,
  { signal }: Abortable,
): Promise<string[]> {
  if (unit.rows === undefined) return []
  const range = intersection(context.range, unit.window)
  const conditions = [...rangeConditions(target.table, range), hasFieldCondition(target.table)]
  const found = await readStats(context.client, target.table, conditions, { signal })
  const expected = BigInt(unit.rows)
  if (!target.isOurs) return found.rows >= expected ? [] : [`${found.rows} rows instead of at least ${expected}`]
  return compareStats({ rows: expected, columns: unit.columns ?? {} }, found)
}

/** The times that only rows of this unit may have, in a table whose rows all come from the backup. */
function intersection({ fromNs, toNs }: TimeRange, window: BackupUnit['window']): TimeRange {
  if (!window) return { fromNs, toNs }
  const [first, last] = [BigInt(window.fromNs), BigInt(window.toNs)]
  return {
    fromNs: fromNs === undefined || fromNs < first ? first : fromNs,
    toNs: toNs === undefined || toNs > last ? last : toNs,
  }
}
