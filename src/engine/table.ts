import type { Abortable } from '../async/abort.ts'
import type { Column, DataType, TableSchema } from '../model/schema.ts'
import type { CopyProgress, Session } from './engine.ts'
import { quoteIdentifier } from './quote.ts'

/** The physical table `data.<name>` of a CnosDB table: one wide table, no key, no index. */
export interface StoredTable {
  /** `t<id>`, in schema `data`. */
  readonly name: string
  readonly schema: TableSchema
}

/** Rows on their way into a table. */
export interface RowSource {
  /** A FROM item, or a parenthesised SELECT, that yields exactly `columns`, in order, with the engine's types. */
  readonly from: string
  /** Columns of the table; those left out are NULL. */
  readonly columns: readonly string[]
  /** Whether `from` may be read several times at little cost (Parquet), or should be staged once (text). */
  readonly cheapToReread: boolean
  /** A better error for a failed read: one that names file, line, column and value. */
  readonly explain?: ((error: unknown, session: Session) => Promise<unknown>) | undefined
}

/** Rows that come in parts. */
export interface ArrivingRows {
  /** Columns of the table; those left out are NULL. */
  readonly columns: readonly string[]
  /** FROM items as in `RowSource`, asked for one after another; `session` is the append's, for looks at the next. */
  readonly parts: (session: Session) => AsyncIterable<string>
}

export interface AppendOptions extends Abortable {
  readonly onProgress?: ((progress: CopyProgress) => void) | undefined
  /** Rows older than this (nanoseconds since 1970) are refused: the database's TTL. */
  readonly minTimeNs?: bigint | undefined
}

const ENGINE_TYPE_OF: Readonly<Record<string, string>> = {
  'TIMESTAMP(NANOSECOND)': 'TIMESTAMP_NS',
  'TIMESTAMP(MICROSECOND)': 'TIMESTAMP',
  'TIMESTAMP(MILLISECOND)': 'TIMESTAMP_MS',
  BIGINT: 'BIGINT',
  'BIGINT UNSIGNED': 'UBIGINT',
  DOUBLE: 'DOUBLE',
  BOOLEAN: 'BOOLEAN',
}

/** DuckDB's type that stores a CnosDB type; strings, tags and geometries are VARCHAR. */
export function engineTypeOf(type: DataType): string {
  return ENGINE_TYPE_OF[type] ?? 'VARCHAR'
}

export const DATA_SCHEMA = 'data'

/** `data."t12"`. */
export function tableReference(table: Pick<StoredTable, 'name'>): string {
  return `${DATA_SCHEMA}.${quoteIdentifier(table.name)}`
}

const definitionOf = (column: Column) => `${quoteIdentifier(column.name)} ${engineTypeOf(column.type)}`

/** Creates schema `data` as well, so that it can be the first statement of an empty database. */
export function createTableSql(table: StoredTable): string {
  return `CREATE SCHEMA IF NOT EXISTS data; CREATE TABLE ${tableReference(table)} (${table.schema.columns.map(definitionOf).join(', ')})`
}

export function dropTableSql(table: Pick<StoredTable, 'name'>): string {
  return `DROP TABLE ${tableReference(table)}`
}

/** Existing rows get NULL. */
export function addColumnSql(table: Pick<StoredTable, 'name'>, column: Column): string {
  return `ALTER TABLE ${tableReference(table)} ADD COLUMN ${definitionOf(column)}`
}

export function dropColumnSql(table: Pick<StoredTable, 'name'>, column: string): string {
  return `ALTER TABLE ${tableReference(table)} DROP COLUMN ${quoteIdentifier(column)}`
}

export function renameColumnSql(table: Pick<StoredTable, 'name'>, from: string, to: string): string {
  return `ALTER TABLE ${tableReference(table)} RENAME COLUMN ${quoteIdentifier(from)} TO ${quoteIdentifier(to)}`
}
