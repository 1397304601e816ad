import type { Abortable } from '../async/abort.ts'
import { append, appendParts } from '../engine/append.ts'
import type { Engine, Session } from '../engine/engine.ts'
import type { AppendOptions, ArrivingRows, RowSource } from '../engine/table.ts'
import { CnosError, isCnosError } from '../errors/cnos-error.ts'
import type { LocalFile, Reader, Reading } from '../format/file-format.ts'
import type { Column, TableId, TableSchema } from '../model/schema.ts'
import type { SourceFile } from './list.ts'
import type { CopyLocation } from './location.ts'
import type { CopyTally } from './progress.ts'
import { type ColumnMapping, declaredMapping, inferredMapping } from './target-columns.ts'

export interface LoadTarget {
  /** For messages. */
  readonly id: TableId
  /** The physical table, such as `t12` in schema `data`. */
  readonly name: string
  readonly schema: TableSchema
  /** `COPY INTO t (a, b) FROM …`; undefined means all columns in stored order. */
  readonly columns?: readonly string[] | undefined
}

/** When an input of a store is loaded while it is fetched. The table is held meanwhile, though not for a slow store. */
export interface OverlapLimits {
  /** Smaller inputs are loaded when all of them have come. Default 64 MiB. */
  readonly fetchFirstBytes: number
  /** Of a quick machine: loading begins when the rest will have come by the time that takes. Default 64 MiB. */
  readonly loadedBytesPerSecond: number
  /** The longest that a file is waited for; then the table is let go. Default 10 s. */
  readonly longestWaitMs: number
}

export interface LoadOptions extends Abortable {
  /** An existing directory for files fetched from a store. */
  readonly spoolDir: string
  /** Fetched bytes that may lie in `spoolDir` at once. */
  readonly spoolBytes: number
  /** Rows older than this are refused (TTL). */
  readonly minTimeNs?: bigint | undefined
  /** Ranges of files fetched at once. Default 4. */
  readonly parallelDownloads?: number | undefined
  readonly overlap?: Partial<OverlapLimits> | undefined
  readonly onProgress?: ((tally: CopyTally) => void) | undefined
}

/** A load that has been checked and listed. */
export interface LoadJob {
  readonly engine: Engine
  readonly target: LoadTarget
  readonly columns: readonly Column[]
  readonly location: CopyLocation
  readonly sources: readonly SourceFile[]
  readonly bytes: number
  readonly options: LoadOptions
}

/** Runs `work` over the reader's rows; again, with care, when the files ask for it; and explains what went wrong. */
export async function withCareful<T>(
  reader: Reader,
  engine: Engine,
  { signal }: Abortable,
  work: (from: string) => Promise<T>,
): Promise<T> {
  for (let reading: Reading = reader; ; ) {
    try {
      return await work(reading.from)
    } catch (error) {
      signal?.throwIfAborted()
      if (!reading.careful?.suits(error)) throw await reader.explain(error, engine, { signal })
      reading = reading.careful.open(error)
    }
  }
}

/** How the columns of these files meet those of the table. */
export async function mappingOf(
  { engine, columns, location, options }: LoadJob,
  files: readonly LocalFile[],
  session: Session = engine,
): Promise<ColumnMapping> {
  if (!location.autoInferSchema) return declaredMapping(columns)
  const found = await location.format.inspect(files, location.formatOptions, session, { signal: options.signal })
  return inferredMapping(columns, found)
}

export function readerOf(
  { engine, location, options }: LoadJob,
  files: readonly LocalFile[],
  mapping: ColumnMapping,
  session: Session = engine,
): Promise<Reader> {
  const request = { files, ...mapping, namesMatter: location.autoInferSchema, options: location.formatOptions }
  return location.format.reader(request, session, { signal: options.signal })
}

type Report = (percent: number, rows: bigint) => void

/** Appends; running out of the machine's means gets a hint that fits a load. */
export function appendRows(job: LoadJob, source: RowSource, report: Report): Promise<bigint> {
  return withSpaceHint(async () => (await append(job.engine, job.target, source, appendOptions(job, report))).rows)
}

/** The same for `appendParts`. */
export function appendArriving(job: LoadJob, rows: ArrivingRows, report: Report): Promise<bigint | undefined> {
  return withSpaceHint(async () => (await appendParts(job.engine, job.target, rows, appendOptions(job, report)))?.rows)
}

function appendOptions({ options }: LoadJob, report: Report): AppendOptions {
  const { signal, minTimeNs } = options
  return { signal, minTimeNs, onProgress: ({ percent, rows }) => report(percent, rows) }
}

async function withSpaceHint<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!isCnosError(error, 'NO_SPACE')) throw error
    throw new CnosError('NO_SPACE', error.message, {
      cause: error,
      context: error.context,
      hint: 'free space where the data directory and the spool lie, or raise --spool; nothing was loaded',
    })
  }
}
