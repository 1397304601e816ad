import type { CnosError } from '../../errors/cnos-error.ts'
import type { ErrorName } from '../../errors/codes.ts'
import { nameOfStatus, refusalError, retryAfterMs, type StoreIdentity, type StoreRequest } from '../store-error.ts'

const PERMISSION: Readonly<Record<string, string>> = {
  GET: 'storage.objects.get',
  HEAD: 'storage.objects.get',
  PUT: 'storage.objects.create (and storage.objects.delete to replace an object)',
  LIST: 'storage.objects.list',
  DELETE: 'storage.objects.delete',
}

export interface GcsFailure {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  /** JSON of the API, or whatever a proxy says. */
  readonly text: string
  readonly nowNs: bigint
}

/** The CnosError of a refused request. https://cloud.google.com/storage/docs/json_api/v1/status-codes */
export function gcsError(identity: StoreIdentity, request: StoreRequest, failure: GcsFailure): CnosError {
  const { status, headers, text, nowNs } = failure
  const { message, reason } = parseFailure(text)
  return refusalError(identity, request, {
    status,
    remoteCode: reason,
    requestId: headers['x-guploader-uploadid']?.slice(0, 40),
    retryAfterMs: retryAfterMs(headers['retry-after'], nowNs),
    text: message,
    name: nameOf(status),
    hint: hintOf(failure, { message, reason }, request),
  })
}

/** 3xx: a redirect would lead to another host, and is not followed. */
function nameOf(status: number): ErrorName {
  return status < 400 ? 'STORE_BAD_REQUEST' : nameOfStatus(status)
}

interface ParsedFailure {
  readonly message: string
  readonly reason: string | undefined
}

function parseFailure(text: string): ParsedFailure {
  const plain = { message: text.replace(/\s+/g, ' ').trim().slice(0, 300), reason: undefined }
  try {
    const json: unknown = JSON.parse(text)
    const { error } = json as { error?: { message?: unknown; errors?: readonly { reason?: unknown }[] } }
    const reason = error?.errors?.[0]?.reason
    return {
      message: typeof error?.message === 'string' ? error.message : plain.message,
      reason: typeof reason === 'string' ? reason : undefined,
    }
  } catch {
    return plain
  }
}

function hintOf({ status }: GcsFailure, { message }: ParsedFailure, { operation }: StoreRequest): string | undefined {
  if (status === 401)
    return 'check client_email and private_key; disable_oauth = true is for emulators and public buckets'
  if (status === 403) return `the account needs ${PERMISSION[operation] ?? 'access'} on this bucket`
  if (status === 404 && /bucket/i.test(message)) return 'create the bucket, or correct its name in the URL'
  if (status === 404 && (operation === 'LIST' || operation === 'PUT')) return 'check the bucket and gcs_base_url'
  if (status < 400) return 'gcs_base_url redirects to another address: write that address'
  return undefined
}
