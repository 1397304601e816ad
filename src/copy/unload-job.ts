import type { Abortable } from '../async/abort.ts'
import type { Engine } from '../engine/engine.ts'
import type { Relation } from '../engine/relation.ts'
import { CnosError } from '../errors/cnos-error.ts'
import type { FileColumn, Writer } from '../format/file-format.ts'
import type { TableId, TableSchema } from '../model/schema.ts'
import type { CopyLocation } from './location.ts'
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
  /** Files, and parts of files, on their way to the store at once. Default 4. */
  readonly parallelUploads?: number | undefined
  /** When the source is a whole table: its name and schema, kept in Parquet's metadata. */
  readonly table?: { readonly id: TableId; readonly schema: TableSchema } | undefined
  readonly onProgress?: ((tally: CopyTally) => void) | undefined
}

/** An unload whose types have been checked. */
export interface UnloadJob {
  readonly engine: Engine
  readonly relation: Relation
  readonly location: CopyLocation
  readonly writer: Writer
  readonly options: UnloadOptions
}

const TARGET_FILE_BYTES = 128 * 1024 * 1024
const METADATA_KEY = 'cnosdb'

/** Throws PLANNING when a column's type has no place in the format, or two columns have one name. */
export function unloadJob(
  engine: Engine,
  relation: Relation,
  location: CopyLocation,
  options: UnloadOptions,
): UnloadJob {
  refuseRepeatedNames(relation)
  const columns: FileColumn[] = relation.columns.map(({ name, type }) => ({
    name,
    type,
    column: options.table?.schema.columns.find((column) => column.name === name),
  }))
  const writer = location.format.writer({ columns, options: location.formatOptions, metadata: metadataOf(options) })
  return { engine, relation, location, writer, options }
}

function refuseRepeatedNames({ columns }: Relation): void {
  const seen = new Set<string>()
  for (const { name } of columns) {
    if (seen.has(name.toLowerCase())) {
      throw new CnosError('PLANNING', `Two columns of the file would be named '${name}'`, {
        context: { column: name },
        hint: 'give one of them another name with AS',
      })
    }
    seen.add(name.toLowerCase())
  }
}

/** What tells a reader tags from fields, and the codecs: JSON under the key `cnosdb`. */
function metadataOf({ table }: UnloadOptions): ReadonlyMap<string, string> {
  if (!table) return new Map()
  const { tenant, database, table: name } = table.id
  return new Map([
    [METADATA_KEY, JSON.stringify({ version: 1, tenant, database, table: name, columns: table.schema.columns })],
  ])
}

/** Rows of `select` in the format's own columns. */
export function encodedSelect({ writer }: UnloadJob, select: string): string {
  return `SELECT ${writer.projection} FROM (${select}\n) AS source`
}

/** The options of COPY … TO a directory of files of about `fileBytes`; no order of rows is promised or paid for. */
export function encodeOptions({ writer }: UnloadJob, fileBytes: number): string {
  return `${writer.copyOptions}, FILE_SIZE_BYTES ${fileBytes}`
}

export const fileBytesOf = ({ options }: UnloadJob) => options.targetFileBytes ?? TARGET_FILE_BYTES

/** `queryId-{u64}-part-{u64}-{partition}-{n}` as CnosDB names files, with an extension. */
export function fileName({ location, options }: UnloadJob, n: number): string {
  const extension = location.format.extension(location.formatOptions)
  return `queryId-${options.queryId}-part-${options.taskId}-0-${n}${extension}`
}

export function pathBelow({ path }: CopyLocation, name: string): string {
  return path === '' ? name : `${path}/${name}`
}
