import type { Abortable } from '../async/abort.ts'
import type { ClusterClient } from '../client/cluster-client.ts'
import { CnosError } from '../errors/cnos-error.ts'
import { type ExportOptions, exportCluster } from './export.ts'
import { type ImportOptions, importCluster } from './import.ts'
import { readManifest } from './manifest.ts'
import { isShared } from './place.ts'
import type { RunSummary } from './progress.ts'
import { placeBesideTool } from './read-backup.ts'

export interface MigrateOptions {
  readonly source: ExportOptions
  readonly target: ImportOptions
}

export interface MigrateSummary {
  /** Absent when an earlier run had finished this half. */
  readonly exported: RunSummary | undefined
  readonly imported: RunSummary | undefined
}

/**
 * Export, then import, through the staging place. A failed export stops before the target is touched; re-running
 * continues, and does not export again what is staged and complete. The staged files are a full backup and stay.
 */
export async function migrateCluster(
  { source, target }: MigrateOptions,
  { signal }: Abortable,
): Promise<MigrateSummary> {
  await refuseUnseenPlace(target.client, source, { signal })
  const exported = (await isStaged(source, target, { signal })) ? undefined : await exportCluster(source, { signal })
  if (exported && exported.failures.length > 0) return { exported, imported: undefined }
  return { exported, imported: await importCluster(target, { signal }) }
}

/** The staged backup of an earlier run whose import has begun but not ended. */
async function isStaged(source: ExportOptions, target: ImportOptions, { signal }: Abortable): Promise<boolean> {
  const journal = placeBesideTool(target, `import-${target.client.label.replace(/[^a-z0-9]+/gi, '-')}`)
  for await (const _entry of journal.store.list(`${journal.prefix}plan.json`, { signal })) {
    return (await readManifest(source.place.store, source.place.prefix, { signal })) !== undefined
  }
  return false
}

/** Both clusters must see the staging place; a bucket always is, a directory only on one machine or a shared mount. */
async function refuseUnseenPlace(target: ClusterClient, source: ExportOptions, { signal }: Abortable): Promise<void> {
  if (!source.place.isLocal || source.mode === 'client' || (await isShared(source.place, target, { signal }))) return
  throw new CnosError('USAGE', `${target.label} does not see ${source.place.url}`, {
    hint: 'stage in an object store with --path s3://… --conn …, or on a mount that both clusters and this machine share, or let the rows pass through this machine with --mode client',
  })
}
