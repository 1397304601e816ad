import type { Engine } from './engine.ts'
import type { AppendOptions, RowSource, StoredTable } from './table.ts'

/**
 * Adds rows as CnosDB does: rows of one time and one set of tags are one row, whose fields are merged one by one; NULL
 * never overwrites, and of several rows in the source the last wins. All or nothing: everything is checked before the
 * table is touched, and what a crash interrupts is finished at the next open. Resolves with the rows of the source.
 * Rejects with TIME_IS_NULL, FIELDS_EMPTY, TIMESTAMP_OVERFLOW, QUERIED_INVALID_GEOMETRY, OPERATION_NOT_SUPPORTED (rows
 * beyond the TTL), or what reading the source rejects with. Appends to one table take turns.
 */
export async function append(
  engine: Engine,
  table: StoredTable,
  source: RowSource,
  options: AppendOptions = {},
): Promise<{ readonly rows: bigint }> {
  throw new Error(`being written ${engine.bulk} ${table.name} ${source.from} ${options.minTimeNs}`)
}
