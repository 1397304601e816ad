import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { FakeRequest } from './http-server.ts'

/** https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html */

export interface SigV4Account {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Demanded when set. */
  readonly sessionToken?: string
}

export interface SigV4Refusal {
  readonly status: number
  readonly code: string
  readonly message: string
  /** Where AWS names the right region. */
  readonly region?: string
}

export interface SigV4Check {
  readonly accounts: readonly SigV4Account[]
  readonly region: string
  /** The server's clock. */
  readonly nowMs: number
}

const MAX_SKEW_MS = 15 * 60 * 1000
const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/

const sha256Hex = (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex')
const hmac = (key: string | Uint8Array, data: string) => createHmac('sha256', key).update(data).digest()

/** Undefined when the request is signed as AWS demands: key, region, service, time, token, headers, body. */
export function checkSigV4(request: FakeRequest, check: SigV4Check): SigV4Refusal | undefined {
  const header = request.headers.authorization
  if (header === undefined) return { status: 403, code: 'AccessDenied', message: 'Access Denied' }
  const parts = AUTHORIZATION.exec(header)
  if (!parts) return malformed('the Authorization header is no SigV4')
  const [, keyId = '', day = '', region = '', service = '', signedHeaders = '', signature = ''] = parts
  const account = check.accounts.find((known) => known.accessKeyId === keyId)
  if (!account)
    return {
      status: 403,
      code: 'InvalidAccessKeyId',
      message: 'The AWS Access Key Id you provided does not exist in our records.',
    }
  if (service !== 's3') return malformed(`expecting 's3', not '${service}'`)
  if (region !== check.region) {
    return { ...malformed(`the region '${region}' is wrong; expecting '${check.region}'`), region: check.region }
  }
  return (
    timeRefusal(request, day, check.nowMs) ??
    tokenRefusal(request, account) ??
    bodyRefusal(request) ??
    signatureRefusal(request, { account, day, region, signedHeaders, signature })
  )
}

const malformed = (message: string): SigV4Refusal => ({
  status: 400,
  code: 'AuthorizationHeaderMalformed',
  message: `The authorization header is malformed; ${message}`,
})

function timeRefusal(request: FakeRequest, day: string, nowMs: number): SigV4Refusal | undefined {
  const stamp = String(request.headers['x-amz-date'] ?? '')
  const iso = stamp.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z')
  const signedMs = Date.parse(iso)
  if (Number.isNaN(signedMs) || !stamp.startsWith(day)) return malformed('x-amz-date does not fit')
  if (Math.abs(signedMs - nowMs) <= MAX_SKEW_MS) return undefined
  return {
    status: 403,
    code: 'RequestTimeTooSkewed',
    message: 'The difference between the request time and the current time is too large.',
  }
}

function tokenRefusal(request: FakeRequest, account: SigV4Account): SigV4Refusal | undefined {
  const token = request.headers['x-amz-security-token']
  if (token === account.sessionToken) return undefined
  return { status: 400, code: 'InvalidToken', message: 'The provided token is malformed or otherwise invalid.' }
}

function bodyRefusal(request: FakeRequest): SigV4Refusal | undefined {
  const told = request.headers['x-amz-content-sha256']
  if (told === 'UNSIGNED-PAYLOAD' || told === 'STREAMING-UNSIGNED-PAYLOAD-TRAILER') return undefined
  if (told === sha256Hex(request.body)) return undefined
  const code =
    typeof told === 'string' && told.startsWith('STREAMING-') ? 'NotImplemented' : 'XAmzContentSHA256Mismatch'
  return { status: code === 'NotImplemented' ? 501 : 400, code, message: 'The payload hash does not match the body.' }
}

interface Claimed {
  readonly account: SigV4Account
  readonly day: string
  readonly region: string
  readonly signedHeaders: string
  readonly signature: string
}

function signatureRefusal(request: FakeRequest, claimed: Claimed): SigV4Refusal | undefined {
  const { account, day, region, signedHeaders, signature } = claimed
  const names = signedHeaders.split(';')
  if (!names.includes('host') || unsignedAmzHeader(request, names)) return malformed('a header is not signed')
  const scope = `${day}/${region}/s3/aws4_request`
  const stringToSign = [
    'AWS4-HMAC-SHA256',
    String(request.headers['x-amz-date']),
    scope,
    sha256Hex(canonicalRequest(request, names)),
  ].join('\n')
  const key = ['aws4_request'].reduce(
    (previous, part) => hmac(previous, part),
    hmac(hmac(hmac(`AWS4${account.secretAccessKey}`, day), region), 's3'),
  )
  const expected = hmac(key, stringToSign)
  if (timingSafeEqual(expected, Buffer.from(signature, 'hex'))) return undefined
  return {
    status: 403,
    code: 'SignatureDoesNotMatch',
    message: 'The request signature we calculated does not match the signature you provided.',
  }
}

const unsignedAmzHeader = (request: FakeRequest, names: readonly string[]) =>
  Object.keys(request.headers).some((name) => name.startsWith('x-amz-') && !names.includes(name))

function canonicalRequest(request: FakeRequest, names: readonly string[]): string {
  const [rawPath = '/', rawQuery = ''] = request.rawUrl.split(/\?(.*)/s)
  const path = rawPath
    .split('/')
    .map((part) => encode(decodeURIComponent(part)))
    .join('/')
  const query = rawQuery
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => pair.split(/=(.*)/s).slice(0, 2))
    .map(([name = '', value = '']) => `${encode(decodeURIComponent(name))}=${encode(decodeURIComponent(value))}`)
    .sort()
    .join('&')
  const headers = names.map(
    (name) =>
      `${name}:${String(request.headers[name] ?? '')
        .trim()
        .replace(/ +/g, ' ')}\n`,
  )
  const hash = String(request.headers['x-amz-content-sha256'])
  return [request.method, path, query, headers.join(''), names.join(';'), hash].join('\n')
}

const encode = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
