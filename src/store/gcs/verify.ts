import { storedDiffers } from '../integrity.ts'
import type { ObjectStore, PutResult } from '../object-store.ts'
import type { GcsObject } from './requests.ts'

export interface SentObject {
  readonly path: string
  /** Base64. */
  readonly md5: string
  readonly sizeBytes: number
}

/** Compares the answered resource with what was sent. STORE_PRECONDITION, and no object, when they differ. */
export async function verifyGcsObject(
  store: Pick<ObjectStore, 'label' | 'delete'>,
  text: string,
  { path, md5, sizeBytes }: SentObject,
): Promise<PutResult> {
  const stored = JSON.parse(text) as GcsObject
  if (Number(stored.size) !== sizeBytes) {
    const difference = { what: 'size', sent: `${sizeBytes} bytes`, stored: `${stored.size} bytes` }
    throw await storedDiffers(store, path, difference)
  }
  if (stored.md5Hash !== undefined && stored.md5Hash !== md5) {
    throw await storedDiffers(store, path, { what: 'MD5', sent: md5, stored: stored.md5Hash })
  }
  return { etag: stored.generation }
}
