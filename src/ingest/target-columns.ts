import { CnosError } from '../errors/cnos-error.ts'
import type { Column, TableSchema } from '../model/schema.ts'
import type { BatchField, LineBatch } from './line-batch.ts'
import { faultAt } from './parse-fault.ts'

/** Columns a batch has and its table has not. */
export interface MissingColumns {
  readonly tags: readonly string[]
  readonly fields: readonly { readonly name: string; readonly type: string }[]
}

/**
 * What a table lacks for a batch; all of it when there is no table yet. Throws COLUMN_TYPE_CONFLICT with the line
 * where a column of another kind or type is first written. Strings may go to geometry columns.
 */
export function missingColumns(body: Buffer, batch: LineBatch, schema: TableSchema | undefined): MissingColumns {
  const columns = new Map(schema?.columns.map((column) => [column.name, column]))
  const tags = batch.tags.filter(({ name, offset }) =>
    isMissing(body, columns.get(name), { name, offset, type: 'TAG' }),
  )
  const fields = batch.fields.filter((field) => isMissing(body, columns.get(field.name), field))
  return { tags: tags.map((tag) => tag.name), fields: fields.map(({ name, type }) => ({ name, type })) }
}

interface Written extends Pick<BatchField, 'name' | 'offset'> {
  readonly type: BatchField['type'] | 'TAG'
}

function isMissing(body: Buffer, column: Column | undefined, written: Written): boolean {
  if (column === undefined) return true
  const expected = column.kind === 'field' ? column.type : column.kind.toUpperCase()
  const isGeometry = expected.startsWith('Geometry') && written.type === 'STRING'
  if (expected === written.type || isGeometry) return false
  const message = `DataSchemaError: Column '${written.name}' type error, found ${written.type} expected ${expected}`
  throw faultAt(body, written.offset, message, { name: 'COLUMN_TYPE_CONFLICT', column: written.name })
}

/** With strict_write nothing is created: throws COLUMN_NOT_FOUND with the line. */
export function refuseMissing(body: Buffer, batch: LineBatch, { tags, fields }: MissingColumns): void {
  const [name] = [...tags, ...fields.map((field) => field.name)]
  if (name === undefined) return
  const { offset } = [...batch.tags, ...batch.fields].find((column) => column.name === name) ?? batch
  throw faultAt(body, offset, `Column '${name}' not found in table ${batch.table}`, {
    name: 'COLUMN_NOT_FOUND',
    column: name,
    hint: 'the database has strict_write: add the column with ALTER TABLE first',
  })
}

/** Throws OPERATION_NOT_SUPPORTED with the line's time when a row is older than the database keeps rows. */
export function refuseExpired(batch: LineBatch, minTicks: bigint | undefined): void {
  if (minTicks === undefined) return
  const expired = batch.times.find((time) => time < minTicks)
  if (expired === undefined) return
  throw new CnosError('OPERATION_NOT_SUPPORTED', 'Operation not support: create expired bucket', {
    context: { column: 'time', value: String(expired) },
    hint: `table ${batch.table}: the time ${expired} is older than the TTL of the database; raise it with ALTER DATABASE … SET TTL '…', or leave such rows out`,
  })
}
