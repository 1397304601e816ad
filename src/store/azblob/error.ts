import type { CnosError } from '../../errors/cnos-error.ts'
import type { ErrorName } from '../../errors/codes.ts'
import {
  nameOfStatus,
  networkError,
  refusalError,
  retryAfterMs,
  type StoreIdentity,
  type StoreRequest,
} from '../store-error.ts'

/** Where the code of https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes says more than the status. */
const NAME_OF_CODE: Readonly<Record<string, ErrorName>> = {
  Md5Mismatch: 'STORE_UNAVAILABLE',
  ContainerBeingDeleted: 'STORE_UNAVAILABLE',
  ServerBusy: 'STORE_UNAVAILABLE',
  OperationTimedOut: 'STORE_UNAVAILABLE',
  NotImplemented: 'STORE_BAD_REQUEST',
}

const HINT_OF_CODE: Readonly<Record<string, string>> = {
  ContainerNotFound: 'create the container, or correct its name in the URL',
  AuthenticationFailed:
    'access_key does not belong to account, the token is not for storage, or the clock of this machine is wrong',
  InvalidAuthenticationInfo: 'the bearer token has expired or is not for storage: get a new one',
  AuthorizationFailure: 'access_key is not of this account, or its network rules keep this machine out',
  AuthorizationPermissionMismatch: 'the identity needs the role Storage Blob Data Contributor on this container',
  InsufficientAccountPermissions: 'the credential lacks a permission on this account',
  KeyBasedAuthenticationNotPermitted: 'the account permits no access keys: give bearer_token',
  ENOTFOUND: 'no such account: check account',
}

interface AzureFailure {
  readonly status: number
  readonly code: string | undefined
  readonly text: string
  readonly requestId: string | undefined
  readonly retryAfter: string | undefined
}

interface RestErrorShape {
  readonly statusCode?: number
  readonly code?: string
  readonly message?: string
  readonly response?: { readonly headers?: { get(name: string): string | undefined } }
}

/** What an exception of the SDK says about an answer. The exception itself holds the whole request and is dropped. */
function readAzureFailure(error: unknown): AzureFailure | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  const { statusCode, code, message = '', response } = error as RestErrorShape
  if (statusCode === undefined) return undefined
  const header = (name: string) => response?.headers?.get(name)
  return {
    status: statusCode,
    code: header('x-ms-error-code') ?? code,
    text: message.split('\n')[0]?.slice(0, 300) ?? '',
    requestId: header('x-ms-request-id'),
    retryAfter: header('retry-after'),
  }
}

/** The CnosError of whatever the SDK threw. */
export function azureError(identity: StoreIdentity, request: StoreRequest, error: unknown, nowNs: bigint): CnosError {
  const failure = readAzureFailure(error)
  if (!failure) return networkError(identity, request, error)
  const { status, code, text, requestId, retryAfter } = failure
  return refusalError(identity, request, {
    status,
    remoteCode: code,
    requestId,
    text,
    retryAfterMs: retryAfterMs(retryAfter, nowNs),
    name: (code === undefined ? undefined : NAME_OF_CODE[code]) ?? nameOfStatus(status < 400 ? 400 : status),
    hint: hintOf(failure, request),
  })
}

function hintOf({ status, code }: AzureFailure, { operation }: StoreRequest): string | undefined {
  if (code !== undefined && HINT_OF_CODE[code] !== undefined) return HINT_OF_CODE[code]
  if (status === 401) return HINT_OF_CODE.InvalidAuthenticationInfo
  if (status === 403) return HINT_OF_CODE.AuthenticationFailed
  if (status === 404 && operation === 'LIST') return HINT_OF_CODE.ContainerNotFound
  return undefined
}
