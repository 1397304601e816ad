import { createPrivateKey, type KeyObject, sign } from 'node:crypto'
import type { Clock } from '../../async/clock.ts'
import { CnosError } from '../../errors/cnos-error.ts'
import { readText, sendHttp } from '../http-request.ts'
import { networkError, refusalError, type StoreIdentity } from '../store-error.ts'

const SCOPE = 'https://www.googleapis.com/auth/devstorage.full_control'
const LIFETIME_S = 3600
/** A token this near to its end is not used any more: the request it is for takes time. */
const MARGIN_S = 300

interface TokenRequest {
  readonly identity: StoreIdentity
  readonly signal: AbortSignal
}

/** Where bearer tokens come from. */
export interface TokenSource {
  /** What must never be shown. */
  readonly secrets: readonly string[]
  /** A token that is good for some minutes, or undefined when requests carry none. */
  token(request: TokenRequest): Promise<string | undefined>
  /** Forgets a token that the store has refused; false when a new one would be no other. */
  renew(): boolean
}

export const noTokens: TokenSource = { secrets: [], token: async () => undefined, renew: () => false }

export interface ServiceAccount {
  readonly email: string
  /** PEM, with real line ends or the two characters `\n`. */
  readonly key: string
  readonly endpoint: URL
  readonly clock: Clock
}

/** Tokens for a service account: an RS256 assertion is exchanged, the token kept until shortly before its end. */
export function serviceAccountTokens(account: ServiceAccount): TokenSource {
  const key = parseKey(account.key)
  let cached: { readonly token: string; readonly endS: number } | undefined
  return {
    secrets: [account.key, account.email],
    async token(request) {
      const nowS = nowSeconds(account.clock)
      if (cached === undefined || cached.endS - MARGIN_S <= nowS) cached = await exchange(account, key, request)
      return cached.token
    },
    renew() {
      cached = undefined
      return true
    },
  }
}

/** Tokens of the server's own account: environment, well-known file, metadata service. */
export function ambientTokens(): TokenSource {
  let auth: Promise<{ getAccessToken(): Promise<string | null | undefined> }> | undefined
  const open = async () => {
    const { GoogleAuth } = await import('google-auth-library')
    return new GoogleAuth({ scopes: SCOPE })
  }
  return {
    secrets: [],
    async token({ identity }) {
      auth ??= open()
      try {
        return (await (await auth).getAccessToken()) ?? undefined
      } catch (error) {
        throw ambientRefusal(identity, error)
      }
    },
    renew() {
      auth = undefined
      return true
    },
  }
}

/** The SDK's error is not kept: it holds whole requests. */
function ambientRefusal(identity: StoreIdentity, error: unknown): CnosError {
  return refusalError(
    identity,
    { operation: 'AUTHENTICATE', path: '' },
    {
      text: error instanceof Error ? error.message : 'no credentials',
      name: 'STORE_ACCESS_DENIED',
      hint: 'give client_email and private_key, or set up application default credentials for the server',
    },
  )
}

const nowSeconds = (clock: Clock) => Number(clock.nowNs() / 1_000_000_000n)

function parseKey(text: string): KeyObject {
  const pem = text.replaceAll('\\r', '').replaceAll('\\n', '\n')
  try {
    const key = createPrivateKey(pem)
    if (key.asymmetricKeyType === 'rsa') return key
  } catch {
    // The reason would quote parts of the key; the message below says what is expected instead.
  }
  throw new CnosError('BAD_OPTION', 'object store error: Generic GCS error: No RSA key found in pem file', {
    hint: "private_key is the whole text of the service account's key, from -----BEGIN PRIVATE KEY----- to -----END PRIVATE KEY-----",
  })
}

/** https://developers.google.com/identity/protocols/oauth2/service-account#authorizingrequests */
function assertion({ email, endpoint, clock }: ServiceAccount, key: KeyObject): string {
  const issuedAt = nowSeconds(clock)
  const claims = { iss: email, scope: SCOPE, aud: endpoint.href, iat: issuedAt, exp: issuedAt + LIFETIME_S }
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
  const text = `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode(claims)}`
  return `${text}.${sign('RSA-SHA256', Buffer.from(text), key).toString('base64url')}`
}

async function exchange(account: ServiceAccount, key: KeyObject, { identity, signal }: TokenRequest) {
  const request = { operation: 'AUTHENTICATE', path: '' }
  const form = new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
    assertion: assertion(account, key),
  })
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
  try {
    const body = Buffer.from(form.toString())
    const answer = await sendHttp({ method: 'POST', url: account.endpoint, headers, body, signal })
    const text = await readText(answer.body)
    const token = parseToken(text)
    if (answer.status !== 200 || token === undefined) throw refusedToken(identity, answer.status, text)
    return { token: token.access_token, endS: nowSeconds(account.clock) + token.expires_in }
  } catch (error) {
    signal.throwIfAborted()
    throw networkError(identity, request, error)
  }
}

function parseToken(text: string): { readonly access_token: string; readonly expires_in: number } | undefined {
  const json = parseObject(text)
  const { access_token: token, expires_in: seconds } = json
  if (typeof token !== 'string' || token === '') return undefined
  return { access_token: token, expires_in: typeof seconds === 'number' ? seconds : LIFETIME_S }
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const json: unknown = JSON.parse(text)
    return typeof json === 'object' && json !== null ? { ...json } : {}
  } catch {
    return {}
  }
}

function refusedToken(identity: StoreIdentity, status: number, text: string): CnosError {
  const { error, error_description: description } = parseObject(text)
  const code = typeof error === 'string' ? error : undefined
  const isDown = status >= 500 || status === 429
  return refusalError(
    identity,
    { operation: 'AUTHENTICATE', path: '' },
    {
      status,
      remoteCode: code,
      text: typeof description === 'string' ? description : 'Google gave no token',
      name: isDown ? 'STORE_UNAVAILABLE' : 'STORE_ACCESS_DENIED',
      hint: /iat|exp|time/i.test(String(description))
        ? 'the clock of this machine is wrong: synchronise it'
        : 'check client_email, and that private_key is a current key of that account',
    },
  )
}
