import type { Credentials, Session } from '../database.ts'
import { CnosError, isCnosError } from '../errors/cnos-error.ts'
import type { Exchange, ServerContext } from './exchange.ts'

/**
 * User and password of an Authorization header: Basic only, the scheme word case-sensitive, one blank; the first `:`
 * splits. Throws MISSING_AUTHORIZATION or BAD_AUTHORIZATION, which never repeats the header: it may hold a password.
 */
export function parseAuthorization(header: string | undefined): Pick<Credentials, 'user' | 'password'> {
  if (header === undefined) throw new CnosError('MISSING_AUTHORIZATION', 'Missing request header "authorization"')
  const [, encoded] = /^Basic ([A-Za-z0-9+/]+={0,2})$/.exec(header) ?? []
  const decoded = encoded === undefined ? undefined : decodeUtf8(Buffer.from(encoded, 'base64'))
  const colon = decoded?.indexOf(':') ?? -1
  if (decoded === undefined || colon < 0) {
    throw new CnosError('BAD_AUTHORIZATION', 'Parse auth, malformed basic auth encoding: ******', {
      hint: 'send Authorization: Basic base64(user:password)',
    })
  }
  return { user: decoded.slice(0, colon), password: decoded.slice(colon + 1) }
}

/** Signs the request's user in, for the tenant and database its parameters name. */
export async function signIn(exchange: Exchange, context: ServerContext): Promise<Session> {
  const { user, password } = parseAuthorization(exchange.request.headers.authorization)
  return authenticate(exchange, context, {
    user,
    password,
    tenant: exchange.query.get('tenant') ?? undefined,
    database: exchange.query.get('db') ?? undefined,
  })
}

/** As `Database.authenticate`, with guessing slowed down. */
export async function authenticate(
  { request, signal }: Exchange,
  { database, logins, metrics }: ServerContext,
  credentials: Credentials,
): Promise<Session> {
  const address = request.socket.remoteAddress ?? ''
  try {
    const attempt = () => database.authenticate(credentials, { signal })
    return await logins.attempt(address, credentials.user, attempt, { signal })
  } catch (error) {
    if (isCnosError(error, 'ACCESS_DENIED')) metrics.count('cnosdb_sign_ins_refused_total')
    throw error
  }
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}
