import type { BatchField, BatchTag, FieldValues, LineBatch } from './line-batch.ts'

/** Many texts as one, which goes from thread to thread with a single copy. */
interface PackedTexts {
  readonly text: string
  /** In characters; -1 where there is none. */
  readonly lengths: Int32Array
}

type PackedField = Omit<BatchField, 'values'> & {
  readonly values: Exclude<FieldValues, readonly string[]> | PackedTexts
}
type PackedTag = Omit<BatchTag, 'values'> & { readonly values: PackedTexts }

/** A LineBatch as it goes from one thread to another. */
export type PackedBatch = Omit<LineBatch, 'tags' | 'fields'> & {
  readonly tags: readonly PackedTag[]
  readonly fields: readonly PackedField[]
}

/** The arrays of the batch belong to the message. */
export function packBatch(batch: LineBatch): PackedBatch {
  return {
    ...batch,
    tags: batch.tags.map((tag) => ({ ...tag, values: packTexts(tag.values) })),
    fields: batch.fields.map(({ values, ...field }) => ({
      ...field,
      values: isTexts(values) ? packTexts(values) : values,
    })),
  }
}

/** What the other thread gets without a copy, and this one loses. */
export function buffersOf({ times, series, tags, fields }: PackedBatch): ArrayBuffer[] {
  const arrays = [
    times,
    series,
    ...tags.map(({ values }) => values.lengths),
    ...fields.flatMap(({ values, present }) => [present, 'lengths' in values ? values.lengths : values]),
  ]
  return arrays.map(({ buffer }) => buffer as ArrayBuffer)
}

export function unpackBatch({ tags, fields, ...batch }: PackedBatch): LineBatch {
  return {
    ...batch,
    tags: tags.map(({ values, ...tag }) => ({ ...tag, values: unpackTexts(values) })),
    fields: fields.map(({ values, ...field }) => ({
      ...field,
      values: 'lengths' in values ? (unpackTexts(values) as readonly string[]) : values,
    })),
  }
}

const isTexts = (values: FieldValues): values is readonly string[] => Array.isArray(values)

function packTexts(values: readonly (string | undefined)[]): PackedTexts {
  const lengths = Int32Array.from(values, (value) => value?.length ?? -1)
  return { text: values.join(''), lengths }
}

function unpackTexts({ text, lengths }: PackedTexts): (string | undefined)[] {
  const values = new Array<string | undefined>(lengths.length)
  let start = 0
  for (const [index, length] of lengths.entries()) {
    if (length < 0) continue
    values[index] = text.slice(start, start + length)
    start += length
  }
  return values
}
