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

/** The code table of https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html where it differs from the status. */
const NAME_OF_CODE: Readonly<Record<string, ErrorName>> = {
  NoSuchKey: 'OBJECT_NOT_FOUND',
  NoSuchBucket: 'OBJECT_NOT_FOUND',
  NoSuchUpload: 'OBJECT_NOT_FOUND',
  NotFound: 'OBJECT_NOT_FOUND',
  ExpiredToken: 'STORE_ACCESS_DENIED',
  InvalidToken: 'STORE_ACCESS_DENIED',
  TokenRefreshRequired: 'STORE_ACCESS_DENIED',
  RequestTimeout: 'STORE_UNAVAILABLE',
  IncompleteBody: 'STORE_UNAVAILABLE',
  BadDigest: 'STORE_UNAVAILABLE',
  OperationAborted: 'STORE_UNAVAILABLE',
  SlowDown: 'STORE_UNAVAILABLE',
  ServiceUnavailable: 'STORE_UNAVAILABLE',
  InternalError: 'STORE_UNAVAILABLE',
  ThrottlingException: 'STORE_UNAVAILABLE',
  NotImplemented: 'STORE_BAD_REQUEST',
}

const HINT_OF_CODE: Readonly<Record<string, string>> = {
  NoSuchBucket: 'create the bucket, or correct its name in the URL',
  SignatureDoesNotMatch: 'secret_key does not belong to access_key_id, or a proxy changes requests',
  InvalidAccessKeyId: 'the store knows no such access_key_id',
  RequestTimeTooSkewed: 'the clocks of this machine and of the store differ: synchronise them',
  RequestExpired: 'the clocks of this machine and of the store differ: synchronise them',
  ExpiredToken: 'the temporary credentials have expired: get new ones and run the statement again',
  TokenRefreshRequired: 'the temporary credentials have expired: get new ones and run the statement again',
  InvalidToken: 'token does not belong to access_key_id, or is damaged',
  CredentialsProviderError: 'the server found no credentials of its own: give access_key_id and secret_key',
}

const PERMISSION: Readonly<Record<string, string>> = {
  GET: 's3:GetObject',
  HEAD: 's3:GetObject (and s3:ListBucket to tell missing from forbidden)',
  PUT: 's3:PutObject',
  LIST: 's3:ListBucket',
  DELETE: 's3:DeleteObject',
}

interface S3Failure {
  readonly code: string | undefined
  readonly status: number | undefined
  readonly message: string
  readonly requestId: string | undefined
  /** The SDK has learnt the store's time from this answer: the same request may pass now. */
  readonly isClockCorrected: boolean
  readonly headers: Readonly<Record<string, string | undefined>>
}

/** What an exception of the SDK says, read without trusting its shape. */
function readS3Failure(error: unknown): S3Failure | undefined {
  if (!(error instanceof Error) || !('$metadata' in error)) return undefined
  const metadata = (error.$metadata ?? {}) as {
    httpStatusCode?: number
    requestId?: string
    clockSkewCorrected?: boolean
  }
  const response = ('$response' in error ? error.$response : undefined) as
    | { headers?: Record<string, string>; statusCode?: number }
    | undefined
  const status = metadata.httpStatusCode ?? response?.statusCode
  if (status === undefined) return undefined
  const isNameless = error.name === 'Unknown' || error.name === 'Error' || /^\d+$/.test(error.name)
  return {
    code: isNameless ? undefined : error.name,
    status,
    message: error.message === 'UnknownError' ? '' : error.message,
    requestId: metadata.requestId,
    isClockCorrected: metadata.clockSkewCorrected === true,
    headers: response?.headers ?? {},
  }
}

export interface S3ErrorContext {
  readonly identity: StoreIdentity
  readonly region: string
  readonly isCustomEndpoint: boolean
  readonly nowNs: bigint
  readonly tryNumber: number
}

/** The CnosError of whatever the SDK threw. */
export function s3Error(error: unknown, request: StoreRequest, context: S3ErrorContext): CnosError {
  const failure = readS3Failure(error)
  if (!failure) return unanswered(error, request, context)
  const { code, status, message, requestId, headers } = failure
  return refusalError(context.identity, request, {
    status,
    remoteCode: code,
    requestId,
    text: message,
    retryAfterMs: retryAfterMs(headers['retry-after'], context.nowNs),
    name: nameOf(failure, context.tryNumber),
    hint: hintOf(failure, request, context),
  })
}

function unanswered(error: unknown, request: StoreRequest, { identity }: S3ErrorContext): CnosError {
  if (!(error instanceof Error) || error.name !== 'CredentialsProviderError')
    return networkError(identity, request, error)
  return refusalError(identity, request, {
    remoteCode: error.name,
    text: error.message,
    name: 'STORE_ACCESS_DENIED',
    hint: HINT_OF_CODE.CredentialsProviderError,
  })
}

/** An answer of 200 can hold an error in its body. */
function nameOf({ code, status, isClockCorrected }: S3Failure, tryNumber: number): ErrorName {
  if (code === 'RequestTimeTooSkewed') {
    return isClockCorrected && tryNumber === 1 ? 'STORE_UNAVAILABLE' : 'STORE_ACCESS_DENIED'
  }
  const known = code === undefined ? undefined : NAME_OF_CODE[code]
  if (known) return known
  if (status !== undefined && status < 300) return 'STORE_UNAVAILABLE'
  return status === 501 ? 'STORE_BAD_REQUEST' : nameOfStatus(status)
}

function hintOf(failure: S3Failure, { operation }: StoreRequest, context: S3ErrorContext): string | undefined {
  const { code, status, headers } = failure
  const home = headers['x-amz-bucket-region'] ?? /expecting '([a-z0-9-]+)'/.exec(failure.message)?.[1]
  if (home !== undefined && home !== context.region) return `the bucket is in another region: write region = '${home}'`
  if (code !== undefined && HINT_OF_CODE[code] !== undefined) return HINT_OF_CODE[code]
  if (status === 301 || status === 307 || code === 'PermanentRedirect') return 'check region: the bucket is elsewhere'
  if (status === 403) return `the credentials need ${PERMISSION[operation] ?? 'access'} on this bucket`
  if (status === 400 && operation === 'HEAD') return 'check region, and that temporary credentials have not expired'
  if (context.isCustomEndpoint && (status === 404 || status === 405) && operation !== 'GET' && operation !== 'HEAD') {
    return 'check bucket and endpoint_url; virtual_hosted_style = false puts the bucket into the path'
  }
  return undefined
}
