import type { Abortable } from '../async/abort.ts'
import type { Engine } from '../engine/engine.ts'
import type { Relation } from '../engine/relation.ts'
import { CnosError } from '../errors/cnos-error.ts'
import type { TableId, TableSchema } from '../model/schema.ts'
import type { CopyLocation, CopyStats } from './location.ts'
import type { CopyTally } from './progress.ts'

export interface UnloadOptions extends Abortable {
  /** The statement's id, part of every file's name. */
  readonly queryId: bigint
  /** A second random 64-bit number for the names. */
  readonly taskId: bigint
  /** An existing directory for files on their way to a store. */
  readonly spoolDir: string
  /** Encoded bytes that may lie in `spoolDir` at once. */
  readonly spoolBytes: number
  /** About how large a file gets. Default 128 MiB. */
  readonly targetFileBytes?: number | undefined
  /** Files on their way to the store at once. Default 4. */
  readonly parallelUploads?: number | undefined
  /** When the source is a table: its name and schema, kept in Parquet's metadata. */
  readonly table?: { readonly id: TableId; readonly schema: TableSchema } | undefined
  readonly onProgress?: ((tally: CopyTally) => void) | undefined
}

/**
 * Writes the relation's rows below the location as files of bounded size. Existing files stay, zero rows write nothing.
 * On failure or abort nothing of this statement is left behind, neither file, object, upload nor spool.
 */
export async function unload(
  _engine: Engine,
  _relation: Relation,
  _location: CopyLocation,
  _options: UnloadOptions,
): Promise<CopyStats> {
  throw new CnosError('INTERNAL', 'unload is being written')
}
