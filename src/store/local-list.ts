import type { Dirent, Stats } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Abortable } from '../async/abort.ts'
import { localStoreError } from './local-error.ts'
import { confineToRoots, fileOf, pathOf } from './local-path.ts'
import { isUnfinished } from './local-publish.ts'

export interface FoundFile {
  readonly path: string
  readonly found: Stats
}

const PARALLEL_STATS = 64

export interface ListFilesOptions extends Abortable {
  readonly roots?: readonly string[] | undefined
}

/**
 * The regular files whose object path starts with `prefix`, by ascending path: recursive, hidden files included,
 * symbolic links followed unless they leave the roots or loop; unfinished uploads and broken links left out.
 * A directory that does not exist holds nothing.
 */
export async function listFiles(prefix: string, options: ListFilesOptions = {}): Promise<readonly FoundFile[]> {
  const file = fileOf(prefix)
  const isDirectory = prefix === '' || prefix.endsWith('/')
  const top = isDirectory ? file : dirname(file)
  const path = pathOf(file)
  const wanted = isDirectory && path !== '' ? `${path}/` : path
  const files: { readonly key: Buffer; readonly file: FoundFile }[] = []
  const take = (file: FoundFile) => files.push({ key: Buffer.from(file.path), file })
  await walk(top, { ...options, wanted, take, ancestors: [] })
  files.sort((a, b) => Buffer.compare(a.key, b.key))
  return files.map(({ file }) => file)
}

interface Walk extends ListFilesOptions {
  readonly wanted: string
  readonly take: (file: FoundFile) => void
  /** The real paths of the directories above, to notice a link that points back. */
  readonly ancestors: readonly string[]
}

async function walk(directory: string, state: Walk): Promise<void> {
  state.signal?.throwIfAborted()
  const real = await realDirectory(directory, state)
  if (real === undefined || state.ancestors.includes(real)) return
  const inside = { ...state, ancestors: [...state.ancestors, real] }
  const entries = (await entriesOf(directory)).filter((entry) => mayMatch(directory, entry, state))
  const directories: string[] = []
  for (let first = 0; first < entries.length; first += PARALLEL_STATS) {
    state.signal?.throwIfAborted()
    const some = entries.slice(first, first + PARALLEL_STATS)
    const found = await Promise.all(some.map((entry) => visit(join(directory, entry.name), entry, inside)))
    for (const one of found) if (one !== undefined) directories.push(one)
  }
  for (const one of directories) await walk(one, inside)
}

function mayMatch(directory: string, { name }: Dirent, { wanted }: Walk): boolean {
  const path = pathOf(join(directory, name))
  return !isUnfinished(name) && (path.startsWith(wanted) || wanted.startsWith(`${path}/`))
}

/** Takes a file; resolves to a directory that is still to be walked. */
async function visit(file: string, entry: Dirent, state: Walk): Promise<string | undefined> {
  if (entry.isDirectory()) return file
  const path = pathOf(file)
  const found = await statIfThere(file)
  if (found?.isDirectory()) return file
  if (!found?.isFile() || !path.startsWith(state.wanted)) return undefined
  if (entry.isSymbolicLink()) await confineToRoots(file, state.roots)
  state.take({ path, found })
  return undefined
}

async function realDirectory(directory: string, state: Walk): Promise<string | undefined> {
  try {
    const real = await realpath(directory)
    await confineToRoots(directory, state.roots)
    return real
  } catch (error) {
    if (isMissing(error)) return undefined
    throw localStoreError(error, directory)
  }
}

async function entriesOf(directory: string): Promise<readonly Dirent[]> {
  try {
    return await readdir(directory, { withFileTypes: true })
  } catch (error) {
    if (isMissing(error)) return []
    throw localStoreError(error, directory)
  }
}

async function statIfThere(file: string): Promise<Stats | undefined> {
  try {
    return await stat(file)
  } catch (error) {
    if (isMissing(error)) return undefined
    throw localStoreError(error, file)
  }
}

const isMissing = (error: unknown) => error instanceof Error && 'code' in error && error.code === 'ENOENT'
