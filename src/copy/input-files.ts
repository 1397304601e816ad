import type { Abortable } from '../async/abort.ts'
import { forEachLimited } from '../async/limit.ts'
import type { LocalFile } from '../format/file-format.ts'
import { localStoreError } from '../store/local-error.ts'
import { listSources, type SourceFile } from './list.ts'
import type { CopyLocation } from './location.ts'
import { compressionOf, verifyPacked } from './packed-file.ts'

/** Packed files are checked this many at a time: each keeps a thread busy. */
const CHECKS_AT_ONCE = 2

/** A file on this machine, its packing known and, if packed, checked to its end. */
export async function localFile(
  { format, formatOptions }: CopyLocation,
  path: string,
  origin: string,
  options: Abortable = {},
): Promise<LocalFile> {
  try {
    const compression = format.compression(formatOptions) ?? (await compressionOf(path))
    const file: LocalFile = { path, origin, compression }
    await verifyPacked(file, options)
    return file
  } catch (error) {
    throw localStoreError(error, origin)
  }
}

/** Local files, read where they are. PATH_NOT_ALLOWED when one leads out of the permitted roots. */
export async function filesInPlace(
  location: CopyLocation,
  sources: readonly SourceFile[],
  { signal }: Abortable = {},
): Promise<readonly LocalFile[]> {
  const access = location.store.files
  if (!access) throw new TypeError(`${location.url} is not on this machine`)
  return mapInOrder(sources, CHECKS_AT_ONCE, { signal }, async (source, options) =>
    localFile(location, await access.filePath(source.path), source.origin, options),
  )
}

async function mapInOrder<T, R>(
  items: readonly T[],
  limit: number,
  options: Abortable,
  work: (item: T, options: Abortable) => Promise<R>,
): Promise<readonly R[]> {
  const results = new Array<R>(items.length)
  await forEachLimited(
    items.entries(),
    limit,
    async ([i, item], linked) => {
      results[i] = await work(item, linked)
    },
    options,
  )
  return results
}

/** The files of a local location as they are now, by ascending path, packed ones checked. */
export async function listLocalFiles(location: CopyLocation, options: Abortable = {}): Promise<readonly LocalFile[]> {
  return filesInPlace(location, await listSources(location, options), options)
}
