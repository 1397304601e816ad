import type { Abortable } from '../async/abort.ts'
import type { ClusterClient } from '../client/cluster-client.ts'
import { CnosError } from '../errors/cnos-error.ts'
import { type ExportOptions, exportCluster, planIdentity } from './export.ts'
import { type ImportOptions, importCluster } from './import.ts'
import { openJournal } from './journal.ts'
import { readManifest, readObject } from './manifest.ts'
import { isShared } from './place.ts'
import type { RunSummary } from './progress.ts'
import { placeBesideTool } from './read-backup.ts'

export interface MigrateOptions {
  readonly source: ExportOptions
  readonly target: ImportOptions
  /** Called between the two halves, also when the second then fails. */
  readonly onExported?: (summary: RunSummary) => void
}

export interface MigrateSummary {
  /** Absent when an earlier run had finished this half. */
  readonly exported: RunSummary | undefined
  readonly imported: RunSummary | undefined
}

/**
 * Export, then import, through the staging place. A failed export stops before the target is touched; re-running
 * continues, and does not export again what it has staged, whatever was then wrong with the target: a claim beside the
 * tool says that the backup in the place is this migration's. The staged files are a full backup and stay.
 */
export async function migrateCluster(
  { source, target, onExported = () => {} }: MigrateOptions,
  { signal }: Abortable,
): Promise<MigrateSummary> {
  await refuseUnseenPlace(target.client, source, { signal })
  const claim = placeBesideTool(target, `migrate-${target.client.label.replace(/[^a-z0-9]+/gi, '-')}`)
  const openClaim = () => openJournal(claim, planIdentity(source), { signal })
  const isClaimed = (await readObject(claim.store, `${claim.prefix}plan.json`, { signal })) !== undefined
  if (isClaimed) await openClaim()
  const { store, prefix } = source.place
  const staged = isClaimed ? await readManifest(store, prefix, { signal }) : undefined
  const exported = staged ? undefined : await exportCluster({ ...source, onClaim: openClaim }, { signal })
  if (exported) onExported(exported)
  if (exported && exported.failures.length > 0) return { exported, imported: undefined }
  const imported = await importCluster(target, { signal })
  if (imported.failures.length === 0) await (await openClaim()).finish()
  if (!staged) return { exported, imported }
  const since = `what came to ${source.client.label} since ${staged.startedAt}: an earlier run staged the backup then`
  return { exported, imported: { ...imported, notCarried: [...imported.notCarried, since] } }
}

/** Both clusters must see the staging place; a bucket always is, a directory only on one machine or a shared mount. */
async function refuseUnseenPlace(target: ClusterClient, source: ExportOptions, { signal }: Abortable): Promise<void> {
  if (!source.place.isLocal || source.mode === 'client' || (await isShared(source.place, target, { signal }))) return
  throw new CnosError('USAGE', `${target.label} does not see ${source.place.url}`, {
    hint: 'stage in an object store with --path s3://… --conn …, or on a mount that both clusters and this machine share, or let the rows pass through this machine with --mode client',
  })
}
