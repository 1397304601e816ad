import type { Column } from '../model/schema.ts'
import type { OptionSpecs, OptionValues } from '../options/option-spec.ts'

/** A file on local disk (or a FIFO) as the engine sees it; `origin` names what the user asked for, for messages. */
export interface LocalFile {
  readonly path: string
  readonly origin: string
}

/** A column that leaves or enters a file. `type` is DuckDB's name of the engine-side type. */
export interface FileColumn {
  readonly name: string
  readonly type: string
  /** Set when it is a table's column; absent for a column of a subquery. */
  readonly column?: Column
}

/** How DuckDB writes: `COPY (SELECT <projection> FROM …) TO '…' (<copyOptions>)`. */
export interface Writer {
  readonly projection: string
  readonly copyOptions: string
  /** What Node does to the finished text, because DuckDB's gzip costs 8× and is ignored on pipes. */
  readonly compression: 'none' | 'gzip' | 'zstd'
}

/** How DuckDB reads. */
export interface Reader {
  /** A FROM item that yields exactly `columns`, in order, with their engine types; a value that does not fit raises. */
  readonly from: string
  /**
   * After `from` failed: a SELECT of at most one row (file, line, column, value, reason) that names the first value
   * at fault, or undefined when the engine's own message is all there is.
   */
  readonly diagnosis?: string
}

export interface FileFormat<S extends OptionSpecs = OptionSpecs> {
  /** As in FILE_FORMAT = (TYPE = '…'), upper case; the first is the name, the rest are aliases. */
  readonly names: readonly [string, ...string[]]
  readonly options: S
  /** With the dot; compression included, such as `.csv.gz`. */
  extension(options: OptionValues<S>): string
  writer(columns: readonly FileColumn[], options: OptionValues<S>): Writer
  /** auto_infer_schema = false: the file is read as `columns` (CSV by position, JSON and Parquet by name). */
  reader(files: readonly LocalFile[], columns: readonly FileColumn[], options: OptionValues<S>): Reader
  /** auto_infer_schema = true: a SELECT whose DESCRIBE gives the columns the files themselves declare. */
  inference(files: readonly LocalFile[], options: OptionValues<S>): string
  /** Whether a Relation over these files can be read twice at little cost (Parquet) or should be staged once (text). */
  readonly cheapToReread: boolean
}

export function defineFileFormat<const S extends OptionSpecs>(format: FileFormat<S>): FileFormat {
  return format as unknown as FileFormat
}
