import { stat } from 'node:fs/promises'
import type { Abortable } from '../async/abort.ts'
import { CnosError, isCnosError } from '../errors/cnos-error.ts'
import { fileOf } from '../store/local-path.ts'
import type { ObjectMeta } from '../store/object-store.ts'
import type { CopyLocation } from './location.ts'

/** A file of a location, before it is read. */
export interface SourceFile {
  /** In the store. */
  readonly path: string
  /** What messages call it: an absolute path, or `s3://bucket/path`. */
  readonly origin: string
  readonly sizeBytes: number
  readonly etag: string | undefined
}

/**
 * The files a load reads, by ascending path: the object of exactly that path, else everything below it, at any depth
 * and whatever the names; folder markers are left out. Empty only for a local directory without files: a path that
 * does not exist is OBJECT_NOT_FOUND, because a mistyped path must not look like an empty table.
 */
export async function listSources(location: CopyLocation, options: Abortable = {}): Promise<readonly SourceFile[]> {
  const { store, path, isDirectory, glob } = location
  if (!isDirectory) {
    const single = await headOrNothing(location, options)
    if (single) return [sourceOf(location, single)]
  }
  const prefix = path === '' ? '' : `${path}/`
  const files: SourceFile[] = []
  for await (const meta of store.list(prefix, options)) {
    if (meta.path.endsWith('/')) continue
    if (glob && !glob.test(meta.path.slice(prefix.length))) continue
    files.push(sourceOf(location, meta))
  }
  if (files.length === 0 && (glob || !(await isLocalDirectory(location)))) throw nothingThere(location)
  return files
}

async function headOrNothing({ store, path }: CopyLocation, options: Abortable): Promise<ObjectMeta | undefined> {
  try {
    return await store.head(path, options)
  } catch (error) {
    if (isCnosError(error, 'OBJECT_NOT_FOUND')) return undefined
    throw error
  }
}

function sourceOf({ store }: CopyLocation, { path, sizeBytes, etag }: ObjectMeta): SourceFile {
  return { path, origin: store.files ? fileOf(path) : `${store.label}/${path}`, sizeBytes, etag }
}

async function isLocalDirectory({ store, path }: CopyLocation): Promise<boolean> {
  if (!store.files) return false
  try {
    return (await stat(await store.files.filePath(path))).isDirectory()
  } catch (error) {
    if (isCnosError(error)) throw error
    return false
  }
}

function nothingThere({ url, store, glob }: CopyLocation): CnosError {
  const text = glob
    ? 'no file matches'
    : store.files
      ? 'No such file or directory'
      : 'no object there, and none below it'
  return new CnosError('OBJECT_NOT_FOUND', `object store error: Object at location ${url} not found: ${text}`, {
    context: { store: store.label, path: url },
    hint: 'check the path; an export of no rows writes no file',
  })
}
