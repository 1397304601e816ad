import type { BatchTag, LineBatch } from './line-batch.ts'

/** A tag whose values are one string, which goes from thread to thread with a single copy. */
type PackedTag = Omit<BatchTag, 'values'> & {
  readonly text: string
  /** In characters, by series; -1 where there is none. */
  readonly lengths: Int32Array
}

/** A LineBatch as it goes from one thread to another. */
export type PackedBatch = Omit<LineBatch, 'tags'> & { readonly tags: readonly PackedTag[] }

/** The arrays of the batch belong to the message. */
export function packBatch(batch: LineBatch): PackedBatch {
  return { ...batch, tags: batch.tags.map(packTag) }
}

/** What the other thread gets without a copy, and this one loses. */
export function buffersOf({ times, series, tags, fields }: PackedBatch): ArrayBuffer[] {
  const arrays: ArrayBufferView[] = [times, series, ...tags.map(({ lengths }) => lengths)]
  for (const { values, present } of fields) {
    arrays.push(present)
    if ('starts' in values) arrays.push(values.bytes, values.starts, values.lengths)
    else arrays.push(values)
  }
  return arrays.map(({ buffer }) => buffer as ArrayBuffer)
}

export function unpackBatch(batch: PackedBatch): LineBatch {
  return { ...batch, tags: batch.tags.map(unpackTag) }
}

function packTag({ values, ...tag }: BatchTag): PackedTag {
  return { ...tag, text: values.join(''), lengths: Int32Array.from(values, (value) => value?.length ?? -1) }
}

function unpackTag({ text, lengths, ...tag }: PackedTag): BatchTag {
  const values = new Array<string | undefined>(lengths.length)
  let start = 0
  for (const [index, length] of lengths.entries()) {
    if (length < 0) continue
    values[index] = text.slice(start, start + length)
    start += length
  }
  return { ...tag, values }
}
