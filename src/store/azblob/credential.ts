import { readFile } from 'node:fs/promises'
import type { Clock } from '../../async/clock.ts'
import { CnosError } from '../../errors/cnos-error.ts'
import { readText, sendHttp } from '../http-request.ts'
import type { StoreContext } from '../store-driver.ts'

const RESOURCE = 'https://storage.azure.com/'
const TOKEN_TIMEOUT_MS = 15_000

export type AzureCredential =
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'token'; readonly token: string }
  /** The server's own identity: workload identity, a service principal of the environment, or managed identity. */
  | { readonly kind: 'ambient' }

export interface AzureToken {
  readonly token: string
  readonly expiresOnTimestamp: number
}

/** The statement's token as the SDK wants it. It cannot be renewed: the store says when it has expired. */
export function fixedToken(token: string, clock: Clock): AzureToken {
  return { token, expiresOnTimestamp: nowMs(clock) + 24 * 3600 * 1000 }
}

const nowMs = (clock: Clock) => Number(clock.nowNs() / 1_000_000n)

/** A token for the server's own identity; STORE_ACCESS_DENIED when it has none. */
export async function ambientToken({ env, clock }: StoreContext, signal: AbortSignal | undefined): Promise<AzureToken> {
  const timeout = AbortSignal.timeout(TOKEN_TIMEOUT_MS)
  const linked = signal ? AbortSignal.any([signal, timeout]) : timeout
  try {
    const answer = await sendHttp({ ...(await tokenRequest(env)), signal: linked })
    const json = JSON.parse(await readText(answer.body)) as { access_token?: string; expires_in?: number | string }
    if (answer.status !== 200 || !json.access_token) throw noIdentity(`it answered ${answer.status}`)
    const seconds = Number(json.expires_in ?? 3600)
    return { token: json.access_token, expiresOnTimestamp: nowMs(clock) + seconds * 1000 }
  } catch (error) {
    signal?.throwIfAborted()
    if (error instanceof CnosError) throw error
    throw noIdentity(error instanceof Error && 'code' in error ? String(error.code) : 'it did not answer')
  }
}

function noIdentity(reason: string): CnosError {
  return new CnosError(
    'STORE_ACCESS_DENIED',
    `object store error: Generic MicrosoftAzure error: the server has no Azure identity: ${reason}`,
    { hint: 'give access_key or bearer_token, or run the server with a managed or workload identity' },
  )
}

type TokenRequest = Omit<Parameters<typeof sendHttp>[0], 'signal'>
type Env = StoreContext['env']

/** https://learn.microsoft.com/entra/workload-id/ and …/managed-identities-azure-resources/how-to-use-vm-token */
async function tokenRequest(env: Env): Promise<TokenRequest> {
  const { AZURE_TENANT_ID: tenant, AZURE_CLIENT_ID: client, AZURE_CLIENT_SECRET: secret } = env
  if (tenant !== undefined && client !== undefined && env.AZURE_FEDERATED_TOKEN_FILE !== undefined) {
    const assertion = (await readFile(env.AZURE_FEDERATED_TOKEN_FILE, 'utf8')).trim()
    return entraRequest(env, tenant, {
      client_id: client,
      client_assertion: assertion,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    })
  }
  if (tenant !== undefined && client !== undefined && secret !== undefined) {
    return entraRequest(env, tenant, { client_id: client, client_secret: secret })
  }
  return managedIdentityRequest(env)
}

function entraRequest(env: Env, tenant: string, fields: Readonly<Record<string, string>>): TokenRequest {
  const authority = env.AZURE_AUTHORITY_HOST ?? 'https://login.microsoftonline.com/'
  const form = new URLSearchParams({ ...fields, grant_type: 'client_credentials', scope: `${RESOURCE}.default` })
  return {
    method: 'POST',
    url: new URL(`${encodeURIComponent(tenant)}/oauth2/v2.0/token`, authority),
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: Buffer.from(form.toString()),
  }
}

function managedIdentityRequest(env: Env): TokenRequest {
  const client: Record<string, string> = env.AZURE_CLIENT_ID === undefined ? {} : { client_id: env.AZURE_CLIENT_ID }
  if (env.IDENTITY_ENDPOINT !== undefined && env.IDENTITY_HEADER !== undefined) {
    const query = new URLSearchParams({ 'api-version': '2019-08-01', resource: RESOURCE, ...client })
    const url = new URL(`${env.IDENTITY_ENDPOINT}?${query}`)
    return { method: 'GET', url, headers: { 'X-IDENTITY-HEADER': env.IDENTITY_HEADER } }
  }
  const query = new URLSearchParams({ 'api-version': '2018-02-01', resource: RESOURCE, ...client })
  const url = new URL(`http://169.254.169.254/metadata/identity/oauth2/token?${query}`)
  return { method: 'GET', url, headers: { Metadata: 'true' } }
}
