import type { Engine } from '../engine/engine.ts'
import type { LocalFile } from '../format/file-format.ts'
import { Fetching } from './fetch.ts'
import { filesInPlace } from './input-files.ts'
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
import { loadInParts } from './load-parts.ts'
import { LoadTally } from './load-tally.ts'
import type { CopyLocation, CopyStats } from './location.ts'
import { loadStaged } from './stage.ts'
import { targetColumns } from './target-columns.ts'

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
  const tally = new LoadTally(job)
  if (location.store.files) return loadAtOnce(job, await filesInPlace(job.location, sources, options), tally)
  if (bytes > options.spoolBytes) return loadStaged(job, tally)
  await using fetching = await Fetching.start(job, tally)
  return (await loadInParts(job, fetching, tally)) ?? (await loadAtOnce(job, await fetching.all(), tally))
}

/** All files are on this machine: one statement over all of them. */
async function loadAtOnce(job: LoadJob, files: readonly LocalFile[], tally: LoadTally): Promise<bigint> {
  const { engine, location, options } = job
  const mapping = await mappingOf(job, files)
  const reader = await readerOf(job, files, mapping)
  const columns = mapping.columns.map(({ name }) => name)
  return withCareful(reader, engine, options, (from) =>
    appendRows(job, { from, columns, cheapToReread: location.format.cheapToReread }, (percent, rows) =>
      tally.setStored(percent, rows),
    ),
  )
}
