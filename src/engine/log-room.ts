import { stat, statfs } from 'node:fs/promises'

/**
 * Whether the log may be moved into the database file. DuckDB gives the whole database up when the disk becomes full
 * meanwhile, whereas a COMMIT that finds no room fails alone: so the log stays where it is while less than twice its
 * length is free.
 */
export async function hasRoomForLog(directory: string, logBytes: number): Promise<boolean> {
  const { bavail, bsize } = await statfs(directory)
  return bavail * bsize >= 2 * logBytes
}

/** In bytes; 0 for a file that is not there. */
export async function lengthOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0
    throw error
  }
}
