import type { ColumnBatch } from '../engine/column-batch.ts'
import type { LineBatch } from './line-batch.ts'

/** The rows of a batch as the engine takes them. */
export function columnBatchOf({ rows, times, series, seriesCount, tags, fields }: LineBatch): ColumnBatch {
  return {
    rowCount: rows,
    time: times,
    series,
    tagNames: tags.map((tag) => tag.name),
    tagSets: Array.from({ length: seriesCount }, (_, set) => tags.map((tag) => tag.values[set] ?? null)),
    fields: fields.map(({ name, values, present }) => ({
      name,
      values,
      ...(present.includes(0) ? { valid: present } : {}),
    })),
  }
}
