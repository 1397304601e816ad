import { createHash } from 'node:crypto'
import type { Abortable } from '../../async/abort.ts'
import { isCnosError } from '../../errors/cnos-error.ts'
import { replacedMeanwhile, storedDiffers } from '../integrity.ts'
import type { PutResult } from '../object-store.ts'
import { bareEtag } from '../ranged-answer.ts'
import type { S3Requests } from './store.ts'

export const md5Of = (bytes: Uint8Array): Buffer => createHash('md5').update(bytes).digest()

/** What PutObject, UploadPart and CompleteMultipartUpload answer. */
export interface StoredAnswer {
  readonly ETag?: string | undefined
  readonly ServerSideEncryption?: string | undefined
  readonly SSECustomerAlgorithm?: string | undefined
}

/**
 * Whether the etag is a hash of the content: not under a key of KMS or the customer's.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html
 */
export function isMd5Etag(store: S3Requests, answer: StoredAnswer): boolean {
  if (!store.hasMd5Etags || answer.SSECustomerAlgorithm !== undefined) return false
  if (answer.ServerSideEncryption !== undefined && answer.ServerSideEncryption !== 'AES256') return false
  return /^[0-9a-f]{32}(-\d+)?$/.test(bareEtag(answer.ETag) ?? '')
}

export interface StoredObject extends Abortable {
  readonly path: string
  readonly answer: StoredAnswer
  readonly expectedEtag: string
  readonly sizeBytes: number
}

/**
 * Compares checksum and size of what the store holds with what was sent. STORE_PRECONDITION when they differ; the
 * wrong object is deleted then. Credentials that may write but not read are enough where the checksum proves it all.
 */
export async function verifyStored(store: S3Requests, stored: StoredObject): Promise<PutResult> {
  const { path, answer, expectedEtag, sizeBytes, signal } = stored
  const etag = bareEtag(answer.ETag)
  const isProven = isMd5Etag(store, answer)
  if (isProven && etag !== expectedEtag) {
    throw await storedDiffers(store, path, { what: 'etag', sent: expectedEtag, stored: String(etag) })
  }
  try {
    const found = await store.head(path, { signal })
    if (found.sizeBytes === sizeBytes && (etag === undefined || found.etag === etag)) return { etag: found.etag }
    if (etag !== undefined && found.etag !== etag) {
      throw replacedMeanwhile(store.label, path, { what: 'etag', sent: etag, stored: String(found.etag) })
    }
    const difference = { what: 'size', sent: `${sizeBytes} bytes`, stored: `${found.sizeBytes} bytes` }
    throw await storedDiffers(store, path, difference)
  } catch (error) {
    if (isProven && isCnosError(error, 'STORE_ACCESS_DENIED')) return { etag }
    throw error
  }
}
