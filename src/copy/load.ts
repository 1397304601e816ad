import type { Abortable } from '../async/abort.ts'
import type { Engine } from '../engine/engine.ts'
import { CnosError } from '../errors/cnos-error.ts'
import type { TableId, TableSchema } from '../model/schema.ts'
import type { CopyLocation, CopyStats } from './location.ts'
import type { CopyTally } from './progress.ts'

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
  /** Ranges of a file fetched at once. Default 4. */
  readonly parallelDownloads?: number | undefined
  readonly onProgress?: ((tally: CopyTally) => void) | undefined
}

/**
 * Reads every file of the location into the table: all or nothing, in path order, so that the last of two equal points
 * wins. `rows` counts input rows. Throws OBJECT_NOT_FOUND, INSERT_COLUMN_UNKNOWN, INSERT_COLUMNS_MISMATCH, BAD_FILE,
 * FILE_TRUNCATED, TIME_IS_NULL, FIELDS_EMPTY, NO_SPACE and what the store throws; the table is unchanged then.
 */
export async function load(
  _engine: Engine,
  _target: LoadTarget,
  _location: CopyLocation,
  _options: LoadOptions,
): Promise<CopyStats> {
  throw new CnosError('INTERNAL', 'load is being written')
}
