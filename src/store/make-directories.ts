import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Makes a directory with its parents; resolves with the first one that had to be made. Like `mkdir` with `recursive`,
 * which in Node 20 never ends where a file system answers ENOENT to a new directory (`/proc/x`).
 */
export async function makeDirectories(directory: string): Promise<string | undefined> {
  if (await isDirectory(directory)) return undefined
  const parent = dirname(directory)
  const first = parent === directory ? undefined : await makeDirectories(parent)
  try {
    await mkdir(directory)
  } catch (error) {
    const isThere = error instanceof Error && 'code' in error && error.code === 'EEXIST'
    if (isThere && (await isDirectory(directory))) return first
    throw error
  }
  return first ?? directory
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
    throw error
  }
}
