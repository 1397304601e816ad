import type { ColumnBatch } from '../engine/column-batch.ts'
import type { LineBatch } from './line-batch.ts'

/** The rows of a batch as the engine takes them. */
export function columnBatchOf({ rows, times, series, seriesCount, tags, fields }: LineBatch): ColumnBatch {
  return { rowCount: rows, time: times, series, seriesCount, tags: tags.map(vectorOf), fields: fields.map(vectorOf) }
}

const vectorOf = <T>({
  name,
  values,
  present,
}: {
  readonly name: string
  readonly values: T
  readonly present: Uint8Array
}) => ({
  name,
  values,
  ...(present.includes(0) ? { valid: present } : {}),
})
