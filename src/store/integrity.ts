import { CnosError } from '../errors/cnos-error.ts'
import type { ObjectStore } from './object-store.ts'
import { objectUrl } from './store-error.ts'

export interface Difference {
  /** `size`, `etag`, `MD5`, … */
  readonly what: string
  readonly sent: string
  readonly stored: string
}

/** Deletes the wrong object, as far as that works, and returns the STORE_PRECONDITION to throw. */
export async function storedDiffers(
  store: Pick<ObjectStore, 'label' | 'delete'>,
  path: string,
  { what, sent, stored }: Difference,
): Promise<CnosError> {
  const isGone = await store.delete(path).then(
    () => true,
    () => false,
  )
  const end = isGone ? 'the object was deleted again' : 'the wrong object could not be deleted'
  const url = objectUrl(store.label, path)
  return new CnosError(
    'STORE_PRECONDITION',
    `object store error: ${url} is not what was sent: ${what} ${stored} instead of ${sent}; ${end}`,
    {
      context: { store: store.label, path },
      hint: 'something changes bytes or writes to the same name; nothing was reported as stored',
    },
  )
}

const MIB = 1024 * 1024
const DEFAULT_PART_BYTES = 8 * MIB

/** A part size, in whole MiB, at which an object of `sizeBytes` needs no more than `maxParts` parts. */
export function partSizeFor(sizeBytes: number | undefined, maxParts: number): number {
  const needed = Math.ceil((sizeBytes ?? 0) / maxParts / MIB) * MIB
  return Math.max(DEFAULT_PART_BYTES, needed)
}
