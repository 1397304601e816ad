import type { Engine } from './engine.ts'
import type { AppendOptions, StoredTable } from './table.ts'

/** The values of one field, one a row. */
export interface FieldVector {
  readonly name: string
  /** By the column's type: BIGINT, BIGINT UNSIGNED, DOUBLE, BOOLEAN (0 or 1), STRING and GEOMETRY. */
  readonly values: BigInt64Array | BigUint64Array | Float64Array | Uint8Array | readonly (string | null)[]
  /** 1 where the row has a value, 0 where it is NULL; absent when every row has one. */
  readonly valid?: Uint8Array | undefined
}

/** Rows that are in JavaScript already, column by column: what a parser of line protocol makes. */
export interface ColumnBatch {
  readonly rowCount: number
  /** Ticks of the table's own precision. */
  readonly time: BigInt64Array
  /** For each row, which of `tagSets`. */
  readonly series: Uint32Array
  /** The tags that `tagSets` speak of; tags of the table that are left out are NULL. */
  readonly tagNames: readonly string[]
  /** Distinct sets of tag values, each in the order of `tagNames`; null is an absent tag. */
  readonly tagSets: readonly (readonly (string | null)[])[]
  /** Fields of the table that are left out are NULL. */
  readonly fields: readonly FieldVector[]
}

/** As `append`, for rows in memory. Arrays may be longer than `rowCount`. */
export async function appendColumns(
  engine: Engine,
  table: StoredTable,
  batch: ColumnBatch,
  options: AppendOptions = {},
): Promise<{ readonly rows: bigint }> {
  throw new Error(`being written ${engine.bulk} ${table.name} ${batch.rowCount} ${options.minTimeNs}`)
}
