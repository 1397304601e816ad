import type { Abortable } from '../async/abort.ts'
import type { Session } from '../engine/engine.ts'
import type { RelationColumn } from '../engine/relation.ts'
import type { Column } from '../model/schema.ts'
import type { OptionSpecs, OptionValues } from '../options/option-spec.ts'

/** How the bytes of a text file are packed. */
export type Compression = 'none' | 'gzip' | 'zstd'

/** A file on local disk as the engine sees it; `origin` names what the user asked for, for messages. */
export interface LocalFile {
  readonly path: string
  readonly origin: string
  /** Ignored by formats that compress inside the file. */
  readonly compression: Compression
}

/** A column that leaves or enters a file. `type` is DuckDB's name of the engine-side type. */
export interface FileColumn {
  readonly name: string
  readonly type: string
  /** Set when it is a table's column; absent for a column of a subquery. */
  readonly column?: Column | undefined
}

/** How DuckDB writes: `COPY (SELECT <projection> FROM …) TO '…' (<copyOptions>)`. */
export interface Writer {
  readonly projection: string
  readonly copyOptions: string
  /** What is done to the finished text, because DuckDB's gzip costs 8×. */
  readonly compression: Compression
}

export interface WriteRequest<S extends OptionSpecs> {
  readonly columns: readonly FileColumn[]
  readonly options: OptionValues<S>
  /** Facts for readers, kept where the format has a place for them (Parquet's key-value metadata). */
  readonly metadata: ReadonlyMap<string, string>
}

/** A column of the result and the file column it is read from. */
export interface ReadColumn extends FileColumn {
  readonly source: string
}

export interface ReadRequest<S extends OptionSpecs> {
  /** At least one; their order is the order of the rows. */
  readonly files: readonly LocalFile[]
  /** What `from` yields, in order. Sources are found by name, ignoring what else the files hold. */
  readonly columns: readonly ReadColumn[]
  /** The columns of a file without names of its own (CSV), by position: every line must have exactly these. */
  readonly fileColumns: readonly string[]
  /** Whether `fileColumns` came from the first file's own names, so that every file must have the same. */
  readonly namesMatter: boolean
  readonly options: OptionValues<S>
  /** Nobody will try `careful` after a failure: every value is read with care from the start. */
  readonly isCareful?: boolean
}

/** Another way to read the same files. */
interface CarefulReading {
  readonly suits: (error: unknown) => boolean
  /** What to try after `error`. */
  readonly open: (error: unknown) => Reading
}

export interface Reading {
  /** A FROM item that yields exactly the request's columns with their engine types; a value that does not fit raises. */
  readonly from: string
  /** The same rows read more slowly, for files that `from` cannot take: worth a try when `suits(error)`. */
  readonly careful?: CarefulReading | undefined
}

/** How DuckDB reads. */
export interface Reader extends Reading {
  /** After reading failed with `error`: the same fault as an error that names file, line, column and value. */
  readonly explain: (error: unknown, session: Session, options?: Abortable) => Promise<unknown>
}

export interface FileFormat<S extends OptionSpecs = OptionSpecs> {
  /** As in FILE_FORMAT = (TYPE = '…'), upper case; the first is the name, the rest are aliases. */
  readonly names: readonly [string, ...string[]]
  readonly options: S
  /** With the dot; compression included, such as `.csv.gz`. */
  extension(options: OptionValues<S>): string
  /** Throws PLANNING when a column's type has no place in the format. */
  writer(request: WriteRequest<S>): Writer
  /** May look into the files, so it waits. Throws BAD_FILE or FILE_TRUNCATED, naming the file. */
  reader(request: ReadRequest<S>, session: Session, options?: Abortable): Promise<Reader>
  /** The columns the files themselves declare, merged over the files: what auto_infer_schema = true goes by. */
  inspect(
    files: readonly LocalFile[],
    options: OptionValues<S>,
    session: Session,
    waiting?: Abortable,
  ): Promise<readonly RelationColumn[]>
  /** How the text of the whole file is packed, as the options say; undefined = look at name and first bytes. */
  compression(options: OptionValues<S>): Compression | undefined
  /** Whether the files can be read twice at little cost (Parquet) or should be staged once (text). */
  readonly cheapToReread: boolean
}

/** Keeps the option types inside the format, forgets them outside, so that one list can hold every format. */
export function defineFileFormat<const S extends OptionSpecs>(format: FileFormat<S>): FileFormat {
  return format as unknown as FileFormat
}
