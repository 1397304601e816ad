import { createHash } from 'node:crypto'
import type { Abortable } from '../async/abort.ts'
import { CnosError, isCnosError } from '../errors/cnos-error.ts'
import type { ObjectMeta } from '../store/object-store.ts'
import type { FileRecord, UnitRecord } from './manifest.ts'
import type { BackupPlace } from './place.ts'

/**
 * The files of a unit's directory. Local files are hashed; an object store's own etag stands for the content there, so
 * that checking a backup of terabytes does not download it.
 */
export async function listUnitFiles(
  place: BackupPlace,
  directory: string,
  { signal }: Abortable,
): Promise<FileRecord[]> {
  const base = `${place.prefix}${directory}/`
  const files: FileRecord[] = []
  for await (const object of place.store.list(base, { signal })) {
    files.push(await describeFile(place, base, object, { signal }))
  }
  return files
}

async function describeFile(
  place: BackupPlace,
  base: string,
  object: ObjectMeta,
  { signal }: Abortable,
): Promise<FileRecord> {
  const { path, sizeBytes, etag } = object
  const name = path.slice(base.length)
  if (place.isLocal) return { name, sizeBytes, sha256: await hashObject(place, path, { signal }) }
  return { name, sizeBytes, ...(etag === undefined ? {} : { etag }) }
}

async function hashObject(place: BackupPlace, path: string, { signal }: Abortable): Promise<string> {
  const hash = createHash('sha256')
  const { body } = await place.store.get(path, { signal })
  for await (const chunk of body) hash.update(chunk)
  return hash.digest('hex')
}

/** What is wrong with the files of a finished unit, one sentence each; empty when they are as recorded. */
export async function checkUnitFiles(place: BackupPlace, unit: UnitRecord, { signal }: Abortable): Promise<string[]> {
  if (!unit.files) return []
  const problems: string[] = []
  const base = `${place.prefix}${unit.directory}/`
  const found = new Map<string, ObjectMeta>()
  for await (const object of place.store.list(base, { signal })) found.set(object.path.slice(base.length), object)
  for (const file of unit.files) {
    const object = found.get(file.name)
    found.delete(file.name)
    const where = `${unit.directory}/${file.name}`
    if (!object) problems.push(`${where} is missing`)
    else if (object.sizeBytes !== file.sizeBytes)
      problems.push(`${where} has ${object.sizeBytes} bytes instead of ${file.sizeBytes}`)
    else if (file.sha256 !== undefined) {
      const hash = await hashObject(place, object.path, { signal }).catch((error: unknown) => {
        if (isCnosError(error)) return error.message
        throw error
      })
      if (hash !== file.sha256) problems.push(`${where} has changed: its SHA-256 is not the recorded one`)
    } else if (file.etag !== undefined && object.etag !== file.etag)
      problems.push(`${where} has changed: its etag is not the recorded one`)
  }
  for (const name of found.keys()) problems.push(`${unit.directory}/${name} is not part of the backup`)
  return problems
}

/** Removes what an attempt that did not finish left behind, where the tool can reach it. */
export async function removeDirectory(place: BackupPlace, directory: string, options: Abortable = {}): Promise<void> {
  for await (const { path } of place.store.list(`${place.prefix}${directory}/`, options))
    await place.store.delete(path, options)
}

/** Throws BACKUP_INVALID listing `problems`, the first ten of them. */
export function refuseProblems(problems: readonly string[], where: string): void {
  if (problems.length === 0) return
  const shown = problems.slice(0, 10).join('\n  ')
  const more = problems.length > 10 ? `\n  … and ${problems.length - 10} more` : ''
  throw new CnosError('BACKUP_INVALID', `the backup in ${where} is damaged:\n  ${shown}${more}`, {
    hint: 'nothing was changed; restore the files from another copy, or export again',
  })
}
