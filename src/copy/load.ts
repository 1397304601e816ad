import type { Engine } from '../engine/engine.ts'
import type { LocalFile } from '../format/file-format.ts'
import { fetchedFiles, filesInPlace } from './input-files.ts'
import { listSources } from './list.ts'
import {
  appendRows,
  type LoadJob,
  type LoadOptions,
  type LoadTarget,
  mappingOf,
  readerOf,
  withCareful,
} from './load-job.ts'
import type { CopyLocation, CopyStats } from './location.ts'
import { loadStaged } from './stage.ts'
import { targetColumns } from './target-columns.ts'

/** Larger inputs of a store are loaded while the next file is fetched. */
const FETCH_FIRST_BYTES = 256 * 1024 * 1024

/**
 * Reads every file of the location into the table: all or nothing, in path order, so that the last of two equal points
 * wins. `rows` counts input rows. Throws OBJECT_NOT_FOUND, INSERT_COLUMN_UNKNOWN, INSERT_COLUMNS_MISMATCH, BAD_FILE,
 * FILE_TRUNCATED, TIME_IS_NULL, FIELDS_EMPTY, NO_SPACE and what the store throws; the table is unchanged then.
 */
export async function load(
  engine: Engine,
  target: LoadTarget,
  location: CopyLocation,
  options: LoadOptions,
): Promise<CopyStats> {
  const columns = targetColumns(target.schema, target.columns)
  const sources = await listSources(location, { signal: options.signal })
  const bytes = sources.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  if (sources.length === 0) return { files: 0, rows: 0n, bytes: 0 }
  const job: LoadJob = { engine, target, columns, location, sources, bytes, options }
  const rows = await loadSources(job)
  return { files: sources.length, rows, bytes }
}

async function loadSources(job: LoadJob): Promise<bigint> {
  const { location, sources, bytes, options } = job
  if (location.store.files) return loadAtOnce(job, await filesInPlace(job.location, sources, options))
  const fitsSpool = bytes <= options.spoolBytes
  const isWorthOverlapping = sources.length > 1 && bytes > FETCH_FIRST_BYTES && !location.format.cheapToReread
  if (!fitsSpool || isWorthOverlapping) return loadStaged(job)
  await using fetched = await fetchedFiles(job)
  return await loadAtOnce(job, fetched.files)
}

/** All files are on this machine: one statement over all of them. */
async function loadAtOnce(job: LoadJob, files: readonly LocalFile[]): Promise<bigint> {
  const { engine, location, bytes, options } = job
  const { signal, onProgress } = options
  const mapping = await mappingOf(job, files)
  const reader = await readerOf(job, files, mapping)
  const fetchedShare = location.store.files ? 0 : 50
  return withCareful(reader, engine, options, (from) =>
    appendRows(
      job,
      { from, columns: mapping.columns.map(({ name }) => name), cheapToReread: location.format.cheapToReread },
      (percent, rows) =>
        onProgress?.({
          rows,
          bytes,
          percent: percent < 0 ? fetchedShare : fetchedShare + (percent * (100 - fetchedShare)) / 100,
        }),
      signal,
    ),
  )
}
