import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Abortable } from '../async/abort.ts'
import { quoteIdentifier, quoteString } from '../engine/quote.ts'
import { CnosError } from '../errors/cnos-error.ts'
import type { LocalFile, ReadColumn, Reader } from '../format/file-format.ts'
import { Fetching } from './fetch.ts'
import { appendRows, type LoadJob, mappingOf, readerOf, withCareful } from './load-job.ts'
import type { LoadTally } from './load-tally.ts'
import type { ColumnMapping } from './target-columns.ts'

/** Without dictionaries: DuckDB looks doubles up by value, so that one of 0.0 and -0.0 would come back as the other. */
const STAGED = 'FORMAT parquet, COMPRESSION snappy, PRESERVE_ORDER true, DICTIONARY_SIZE_LIMIT 0'

/** What staging a file has come to. */
interface Staging {
  readonly job: LoadJob
  readonly fetching: Fetching
  readonly directory: string
  /** Set by the first file; the others are mapped as it was, unless each names its own columns. */
  mapping: ColumnMapping | undefined
}

/**
 * Loads files of a store that do not fit the spool together: each is turned into a staged file of the engine's while
 * the next are fetched, and all staged files are appended at once in the end.
 */
export async function loadStaged(job: LoadJob, tally: LoadTally): Promise<bigint> {
  const { engine } = job
  checkSpool(job)
  await mkdir(engine.bulk.stagingDirectory, { recursive: true })
  const directory = await mkdtemp(join(engine.bulk.stagingDirectory, 'load-'))
  try {
    await using fetching = await Fetching.start(job, tally)
    const staging: Staging = { job, fetching, directory, mapping: undefined }
    const staged = await stageAll(staging)
    const columns = staging.mapping?.columns ?? []
    const values = columns.map(
      ({ name, type }) => `CAST(${quoteIdentifier(name)} AS ${type}) AS ${quoteIdentifier(name)}`,
    )
    const from = `(SELECT ${values.join(', ')} FROM read_parquet([${staged.map(quoteString).join(', ')}], hive_partitioning = false))`
    const source = { from, columns: columns.map(({ name }) => name), cheapToReread: true }
    return await appendRows(job, source, (percent, rows) => tally.setStored(percent, rows))
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

function checkSpool({ sources, options }: LoadJob): void {
  const tooLarge = sources.find(({ sizeBytes }) => sizeBytes > options.spoolBytes)
  if (!tooLarge) return
  throw new CnosError(
    'NO_SPACE',
    `${tooLarge.origin} has ${tooLarge.sizeBytes} bytes, the spool takes ${options.spoolBytes}`,
    { context: { file: tooLarge.origin }, hint: 'start the server with a larger --spool' },
  )
}

/** Resolves with the staged files in order. */
async function stageAll(staging: Staging): Promise<readonly string[]> {
  const { job, fetching } = staging
  const staged: string[] = []
  for (const i of job.sources.keys()) {
    staged.push(await stageFile(staging, await fetching.file(i), i, job.options))
    await fetching.discard(i)
  }
  return staged
}

async function stageFile(staging: Staging, file: LocalFile, index: number, { signal }: Abortable): Promise<string> {
  const { job, directory } = staging
  const mapping = await stagedMapping(staging, file)
  const reader = await readerOf(job, [file], mapping)
  const target = join(directory, `${String(index).padStart(8, '0')}.parquet`)
  await withCareful(reader, job.engine, { signal }, async (from) => {
    await rm(target, { force: true })
    await job.engine.copyTo(`SELECT * FROM ${from}`, target, STAGED, { signal })
  })
  await checkStaged(job, target, mapping.columns, reader, { signal })
  return target
}

async function stagedMapping(staging: Staging, file: LocalFile): Promise<ColumnMapping> {
  const { job } = staging
  const isCsv = job.location.format.cheapToReread === false && staging.mapping !== undefined
  const mapping = isCsv && job.location.autoInferSchema ? staging.mapping : await mappingOf(job, [file])
  staging.mapping ??= mapping
  return mapping as ColumnMapping
}

/** Rows that `append` would refuse are found while the file is still there to be named. */
async function checkStaged(
  { engine }: LoadJob,
  path: string,
  columns: readonly ReadColumn[],
  reader: Reader,
  { signal }: Abortable,
): Promise<void> {
  const isNull = (kind: string) =>
    columns.filter(({ column }) => column?.kind === kind).map(({ name }) => `${quoteIdentifier(name)} IS NULL`)
  const fields = isNull('field').join(' AND ') || 'true'
  const rows = await engine.all(
    `SELECT ${isNull('time')[0] ?? 'false'} AS no_time FROM read_parquet(${quoteString(path)}) WHERE no_time OR (${fields}) LIMIT 1`,
    { signal },
  )
  const [row] = rows
  if (!row) return
  const error =
    row.no_time === true
      ? new CnosError('TIME_IS_NULL', 'Column time cannot be null.')
      : new CnosError('FIELDS_EMPTY', "Fields can't be empty")
  throw await reader.explain(error, engine, { signal })
}
