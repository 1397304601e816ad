import type { Texts } from '../engine/texts.ts'

/** The type of a field, by how its first value was written. */
export type FieldType = 'DOUBLE' | 'BIGINT' | 'BIGINT UNSIGNED' | 'BOOLEAN' | 'STRING'

/** Values by row; booleans as 0 and 1. */
export type FieldValues = Float64Array | BigInt64Array | BigUint64Array | Uint8Array | Texts

export interface BatchTag {
  readonly name: string
  /** By series. */
  readonly values: Texts
  /** 1 where the series has the tag; an empty text is a value. */
  readonly present: Uint8Array
  /** Where in the body the tag is first written. */
  readonly offset: number
}

export interface BatchField {
  readonly name: string
  readonly type: FieldType
  /** By row; what stands where `present` is 0 means nothing. */
  readonly values: FieldValues
  /** 1 where the row has the field. */
  readonly present: Uint8Array
  readonly offset: number
}

/** The rows of one table in a body, by column, in the order of the lines. */
export interface LineBatch {
  readonly table: string
  readonly rows: number
  /** In the unit the parser was asked for. */
  readonly times: BigInt64Array
  /** Each row's series: its place in every tag's `values`. Two series may have the same tags. */
  readonly series: Uint32Array
  readonly seriesCount: number
  readonly tags: readonly BatchTag[]
  readonly fields: readonly BatchField[]
  readonly offset: number
}

/** The memory of a batch, which another thread can have without a copy; no two arrays share it. */
export function buffersOf({ times, series, tags, fields }: LineBatch): ArrayBuffer[] {
  const arrays: ArrayBufferView[] = [times, series]
  for (const { values, present } of [...tags, ...fields]) {
    arrays.push(present)
    if ('starts' in values) arrays.push(values.bytes, values.starts, values.lengths)
    else arrays.push(values)
  }
  return arrays.map(({ buffer }) => buffer as ArrayBuffer)
}
