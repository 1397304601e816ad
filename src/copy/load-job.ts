import type { Abortable } from '../async/abort.ts'
import { append } from '../engine/append.ts'
import type { Engine } from '../engine/engine.ts'
import type { RowSource } from '../engine/table.ts'
import { CnosError, isCnosError } from '../errors/cnos-error.ts'
import type { LocalFile, Reader } from '../format/file-format.ts'
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

export interface LoadOptions extends Abortable {
  /** An existing directory for files fetched from a store. */
  readonly spoolDir: string
  /** Fetched bytes that may lie in `spoolDir` at once. */
  readonly spoolBytes: number
  /** Rows older than this are refused (TTL). */
  readonly minTimeNs?: bigint | undefined
  /** Ranges of files fetched at once. Default 4. */
  readonly parallelDownloads?: number | undefined
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
  let from = reader.from
  for (let isCareful = false; ; isCareful = true) {
    try {
      return await work(from)
    } catch (error) {
      signal?.throwIfAborted()
      if (isCareful || !reader.careful?.suits(error)) throw await reader.explain(error, engine, { signal })
      from = reader.careful.open(error)
    }
  }
}

/** How the columns of these files meet those of the table. */
export async function mappingOf(
  { engine, columns, location, options }: LoadJob,
  files: readonly LocalFile[],
): Promise<ColumnMapping> {
  if (!location.autoInferSchema) return declaredMapping(columns)
  const found = await location.format.inspect(files, location.formatOptions, engine, { signal: options.signal })
  return inferredMapping(columns, found)
}

export function readerOf(
  { engine, location, options }: LoadJob,
  files: readonly LocalFile[],
  mapping: ColumnMapping,
): Promise<Reader> {
  const request = { files, ...mapping, namesMatter: location.autoInferSchema, options: location.formatOptions }
  return location.format.reader(request, engine, { signal: options.signal })
}

/** Appends; running out of the machine's means gets a hint that fits a load. */
export async function appendRows(
  { engine, target, options }: LoadJob,
  source: RowSource,
  report: (percent: number, rows: bigint) => void,
  signal: AbortSignal | undefined,
): Promise<bigint> {
  const table = { name: target.name, schema: target.schema }
  try {
    const { rows } = await append(engine, table, source, {
      signal,
      minTimeNs: options.minTimeNs,
      onProgress: ({ percent, rows }) => report(percent, rows),
    })
    return rows
  } catch (error) {
    if (!isCnosError(error, 'NO_SPACE')) throw error
    throw new CnosError('NO_SPACE', error.message, {
      cause: error,
      context: error.context,
      hint: 'free space where the data directory and the spool lie, or raise --spool; nothing was loaded',
    })
  }
}
