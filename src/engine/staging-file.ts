import { mkdir, open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { DataType } from '../model/schema.ts'
import { type Batch, type BatchLayout, cellsOf, timeColumnOf } from './batch.ts'
import type { ConnectionSession, StatementOptions } from './duckdb-connection.ts'
import type { Engine } from './engine.ts'
import { betweenSql, type TimeRange } from './merge-sql.ts'
import { quoteString } from './quote.ts'
import { engineTypeOf } from './table.ts'

const SUFFIX = '.parquet'

/** A name nobody uses: leftovers of other runs are removed before the first. */
let stagedFiles = 0

/**
 * Writes the batch to a Parquet file in the staging directory, rows in order. A file, not a temporary table: it costs
 * no memory, a time range of it is read without the rest, and it survives a crash. Without dictionaries: DuckDB looks
 * doubles up by value, so that -0.0 would come back as 0.0. Removed by `removeStaged`.
 */
export async function stageBatch(
  session: ConnectionSession,
  engine: Engine,
  batch: Batch,
  layout: BatchLayout,
  options: StatementOptions,
): Promise<string> {
  const { stagingDirectory } = engine.bulk
  await mkdir(stagingDirectory, { recursive: true })
  stagedFiles += 1
  const file = join(stagingDirectory, `rows-${stagedFiles}${SUFFIX}`)
  try {
    await session.run(
      `COPY (SELECT ${cellsOf(layout)} FROM ${batch.from}) TO ${quoteString(file)} ` +
        '(FORMAT parquet, COMPRESSION snappy, PRESERVE_ORDER true, DICTIONARY_SIZE_LIMIT 0)',
      options,
    )
    return file
  } catch (error) {
    await removeStaged(file)
    throw error
  }
}

/** The rows of a staged file, or of a time range of it. */
export function stagedBatch(file: string, layout: BatchLayout, range?: TimeRange): Batch {
  const cells = layout.columns.map(({ cell, type }) => readBack(cell, type))
  const time = timeColumnOf(layout)
  const where = range === undefined ? '' : ` WHERE ${betweenSql(time.cell, layout, range)}`
  const rows = `read_parquet(${quoteString(file)}, file_row_number = true)`
  return { from: `(SELECT ${[...cells, 'file_row_number'].join(', ')} FROM ${rows}${where})`, row: 'file_row_number' }
}

/** Parquet has milliseconds, DuckDB reads them as microseconds. */
function readBack(cell: string, type: DataType): string {
  return type === 'TIMESTAMP(MILLISECOND)' ? `CAST(${cell} AS ${engineTypeOf(type)}) AS ${cell}` : cell
}

/** Resolves when the file would survive the machine's crash. */
export async function syncStaged(file: string, directory: string): Promise<void> {
  await syncPath(file)
  await syncPath(directory)
}

async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } catch (error) {
    // Windows has no way to sync a directory or a file opened for reading.
    if (!['EPERM', 'EISDIR', 'EINVAL'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  } finally {
    await handle.close()
  }
}

export async function removeStaged(file: string): Promise<void> {
  await rm(file, { force: true })
}

/** Removes the files of imports that never came to be. */
export async function removeAllStaged(directory: string): Promise<void> {
  const names = await readdir(directory).catch(() => [])
  for (const name of names) if (name.endsWith(SUFFIX)) await removeStaged(join(directory, name))
}
