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
  difference: Difference,
): Promise<CnosError> {
  const isGone = await store.delete(path).then(
    () => true,
    () => false,
  )
  const end = isGone ? 'the object was deleted again' : 'the wrong object could not be deleted'
  return notWhatWasSent(store.label, path, difference, end)
}

/** The STORE_PRECONDITION for an object that another writer has replaced: it is theirs now, and stays. */
export function replacedMeanwhile(label: string, path: string, difference: Difference): CnosError {
  return notWhatWasSent(label, path, difference, 'it was replaced right after it was stored')
}

function notWhatWasSent(label: string, path: string, { what, sent, stored }: Difference, end: string): CnosError {
  return new CnosError(
    'STORE_PRECONDITION',
    `object store error: ${objectUrl(label, path)} is not what was sent: ${what} ${stored} instead of ${sent}; ${end}`,
    {
      context: { store: label, path },
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
