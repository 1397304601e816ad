import { createHash } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { CnosError } from '../errors/cnos-error.ts'

/** Where a database keeps what; every path is absolute. */
export interface DataPaths {
  readonly databaseFile: string
  /** Files on their way in or out. Belongs to this data directory alone, even below a shared spool directory. */
  readonly spool: string
  /** Where DuckDB spills. */
  readonly spill: string
}

/** The paths of a data directory. Touches nothing. */
export function dataPaths(dataDir: string, spoolDir: string | undefined): DataPaths {
  const directory = resolve(dataDir)
  const own = createHash('sha256').update(directory).digest('hex').slice(0, 12)
  const scratch = spoolDir === undefined ? directory : join(resolve(spoolDir), `cnosdb-${own}`)
  return {
    databaseFile: join(directory, 'cnosdb.duckdb'),
    spool: join(scratch, 'spool'),
    spill: join(scratch, 'spill'),
  }
}

/** An empty spool: what a crash left in it is removed. To be called only while the data directory is held. */
export async function emptySpool({ spool }: DataPaths): Promise<void> {
  try {
    await rm(spool, { recursive: true, force: true })
    await mkdir(spool, { recursive: true, mode: 0o700 })
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new CnosError('DATA_DIRECTORY', `The spool directory ${spool} cannot be used: ${reason}.`, {
      cause,
      hint: 'Check its permissions, or choose another spool directory.',
    })
  }
}
