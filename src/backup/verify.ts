import type { Abortable } from '../async/abort.ts'
import { isCnosError } from '../errors/cnos-error.ts'
import type { Manifest } from './manifest.ts'
import { readManifest, readObject } from './manifest.ts'
import type { ProgressReporter } from './progress.ts'
import { placeBesideTool, type ReadBackupOptions, readBackup } from './read-backup.ts'
import { checkUnitFiles } from './unit-files.ts'

export interface VerifyResult {
  readonly manifest: Manifest | undefined
  readonly files: number
  readonly bytes: number
  /** One sentence each; empty when the backup is whole. */
  readonly problems: readonly string[]
}

/**
 * Checks a backup without restoring it: manifest seal, metadata checksums, and every data file's presence, size and
 * SHA-256 (etag on object stores). Damage is a result, not an exception.
 */
export async function verifyBackup(
  options: ReadBackupOptions & { readonly reporter: ProgressReporter },
  { signal }: Abortable,
): Promise<VerifyResult> {
  try {
    const { manifest, units } = await readBackup(options, { signal })
    const problems: string[] = []
    let files = 0
    let bytes = 0
    options.reporter.report({ type: 'phase', phase: `checking ${units.length} units` })
    for (const unit of manifest?.units ?? []) {
      problems.push(...(await checkUnitFiles(options.place, unit, { signal })))
      files += unit.files?.length ?? 0
      bytes += unit.files?.reduce((sum, file) => sum + file.sizeBytes, 0) ?? 0
    }
    if (!manifest)
      problems.push('there is no manifest: an old backup, of which only the metadata files could be checked')
    return { manifest, files, bytes, problems }
  } catch (error) {
    if (!isCnosError(error, 'BACKUP_INVALID')) throw error
    return { manifest: undefined, files: 0, bytes: 0, problems: [error.fullMessage] }
  }
}

export interface BackupListing {
  /** Below the location that was listed; empty for the location itself. */
  readonly path: string
  readonly state: 'complete' | 'unfinished' | 'damaged'
  readonly manifest: Manifest | undefined
}

/** The backups in a location and one level below it, by path. */
export async function listBackups(options: ReadBackupOptions, { signal }: Abortable): Promise<BackupListing[]> {
  const { store, prefix } = options.place
  const found = new Map<string, 'manifest' | 'journal'>()
  for await (const { path } of store.list(prefix, { signal })) {
    const match = /^((?:[^/]+\/)?)(manifest\.json|journal\/plan\.json)$/.exec(path.slice(prefix.length))
    if (match && found.get(match[1] as string) !== 'manifest') {
      found.set(match[1] as string, match[2] === 'manifest.json' ? 'manifest' : 'journal')
    }
  }
  const listings: BackupListing[] = []
  for (const [below, kind] of found) listings.push(await describe(below, kind, { store, prefix: `${prefix}${below}` }))
  const aside = placeBesideTool(options, 'backup')
  if (await readObject(aside.store, `${aside.prefix}manifest.json`, { signal }))
    listings.push(await describe('', 'manifest', aside))
  return listings.sort((a, b) => (a.path < b.path ? -1 : 1))

  async function describe(
    path: string,
    kind: 'manifest' | 'journal',
    home: { store: typeof store; prefix: string },
  ): Promise<BackupListing> {
    if (kind === 'journal') return { path, state: 'unfinished', manifest: undefined }
    try {
      return { path, state: 'complete', manifest: await readManifest(home.store, home.prefix, { signal }) }
    } catch (error) {
      if (!isCnosError(error, 'BACKUP_INVALID')) throw error
      return { path, state: 'damaged', manifest: undefined }
    }
  }
}
