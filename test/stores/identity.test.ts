import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { ambientToken } from '../../src/store/azblob/credential.ts'
import { createAzureStore } from '../../src/store/azblob/store.ts'
import { openStore } from '../../src/store/registry.ts'
import { AZURITE_ACCOUNT, AZURITE_KEY, spawnAzurite } from '../fakes/azurite.ts'
import { startGcsServer } from '../fakes/gcs-server.ts'
import { startS3Server } from '../fakes/s3-server.ts'
import { testStoreContext } from '../fakes/store-context.ts'
import { TEST_CERTIFICATE, TEST_CERTIFICATE_KEY } from '../fakes/tls-identity.ts'

const opened: (() => Promise<unknown>)[] = []
afterEach(async () => {
  vi.unstubAllEnvs()
  for (const close of opened.splice(0)) await close()
})

async function serve(
  answer: (
    request: IncomingMessage,
    body: string,
  ) => { status: number; headers?: Record<string, string>; body: string },
) {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const { status, headers, body } = answer(request, Buffer.concat(chunks).toString())
    response.writeHead(status, headers).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  opened.push(() => new Promise((resolve) => server.close(resolve)))
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

const bytes = Buffer.from('content')

describe('what S3 is sent as proof of the content', () => {
  /** The headers of the PUT of an object in one request. */
  async function headersOfPut(tls: object | undefined) {
    const etag = `"${createHash('md5').update(bytes).digest('hex')}"`
    let headers: IncomingHttpHeaders = {}
    const answer = (request: IncomingMessage, response: ServerResponse) => {
      if (request.method === 'PUT') headers = request.headers
      request.resume().on('end', () => {
        response
          .writeHead(200, { ETag: etag, 'Content-Length': request.method === 'HEAD' ? bytes.byteLength : 0 })
          .end()
      })
    }
    const server = tls ? createTlsServer(tls, answer) : createServer(answer)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    opened.push(async () => {
      server.close()
      server.closeAllConnections()
    })
    const connection = new Map([
      ['region', 'us-east-1'],
      ['endpoint_url', `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`],
      ['access_key_id', 'AK'],
      ['secret_key', 'secret'],
    ])
    await openStore({ scheme: 's3', bucket: 'bucket', path: '' }, connection, testStoreContext()).put('x', bytes)
    return headers
  }
  const md5 = createHash('md5').update(bytes).digest('base64')
  const sha256 = createHash('sha256').update(bytes).digest('hex')

  it('a signed MD5 over TLS', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
    const headers = await headersOfPut({ cert: TEST_CERTIFICATE, key: TEST_CERTIFICATE_KEY })
    expect(headers).toMatchObject({ 'content-md5': md5, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' })
    expect(headers.authorization).toMatch(/SignedHeaders=[^,]*content-md5[^,]*x-amz-content-sha256/)
  })

  it('a signed SHA-256 as well without', async () => {
    expect(await headersOfPut(undefined)).toMatchObject({ 'content-md5': md5, 'x-amz-content-sha256': sha256 })
  })
})

describe('S3 with the credentials of the server', () => {
  const open = async () => {
    const account = { accessKeyId: 'AKAMBIENT', secretAccessKey: 'ambient-secret', sessionToken: 'ambient-token' }
    const server = await startS3Server({ accounts: [account] })
    opened.push(() => server.close())
    server.createBucket('bucket')
    const connection = new Map([
      ['region', 'us-east-1'],
      ['endpoint_url', server.url],
    ])
    return openStore(
      { scheme: 's3', bucket: 'bucket', path: '' },
      connection,
      testStoreContext({ ambientCredentials: true }),
    )
  }

  it('finds them in the environment, and lets nothing there redirect it', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKAMBIENT')
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'ambient-secret')
    vi.stubEnv('AWS_SESSION_TOKEN', 'ambient-token')
    vi.stubEnv('AWS_ENDPOINT_URL_S3', 'http://127.0.0.1:1')
    vi.stubEnv('AWS_REGION', 'eu-west-3')
    const store = await open()
    await store.put('x', bytes)
    expect((await store.head('x')).sizeBytes).toBe(bytes.byteLength)
  })

  it('finds them in a profile', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'aws-'))
    opened.push(() => rm(directory, { recursive: true }))
    const file = join(directory, 'credentials')
    await writeFile(
      file,
      '[backup]\naws_access_key_id = AKAMBIENT\naws_secret_access_key = ambient-secret\naws_session_token = ambient-token\n',
    )
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', file)
    vi.stubEnv('AWS_CONFIG_FILE', join(directory, 'none'))
    vi.stubEnv('AWS_PROFILE', 'backup')
    const store = await open()
    await store.put('x', bytes)
  })

  it('says so when there are none', async () => {
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nonexistent')
    vi.stubEnv('AWS_CONFIG_FILE', '/nonexistent')
    const store = await open()
    await expect(store.put('x', bytes)).rejects.toMatchObject({
      errorName: 'STORE_ACCESS_DENIED',
      hint: expect.stringContaining('access_key_id'),
    })
  })
})

describe('GCS with the account of the server', () => {
  const open = (url: string) =>
    openStore(
      { scheme: 'gcs', bucket: 'bucket', path: '' },
      new Map([['gcs_base_url', url]]),
      testStoreContext({ ambientCredentials: true }),
    )

  it('asks the metadata service of the machine', async () => {
    const server = await startGcsServer({ accounts: [] })
    opened.push(() => server.close())
    server.createBucket('bucket')
    server.acceptToken('token-of-the-machine')
    const metadata = await serve((request) => ({
      status: 200,
      headers: { 'Metadata-Flavor': 'Google', 'Content-Type': 'application/json' },
      body: request.url?.includes('/token')
        ? '{"access_token":"token-of-the-machine","expires_in":3000,"token_type":"Bearer"}'
        : 'default',
    }))
    vi.stubEnv('GCE_METADATA_HOST', metadata)
    vi.stubEnv('METADATA_SERVER_DETECTION', 'assume-present')
    vi.stubEnv('HOME', '/nonexistent')
    vi.stubEnv('GOOGLE_CLOUD_PROJECT', 'test')
    const store = open(server.url)
    await store.put('x', bytes)
    expect((await store.head('x')).sizeBytes).toBe(bytes.byteLength)
  })

  it('says so when there is none', async () => {
    const server = await startGcsServer({ accounts: [] })
    opened.push(() => server.close())
    vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', '/nonexistent/key.json')
    await expect(open(server.url).put('x', bytes)).rejects.toMatchObject({
      errorName: 'STORE_ACCESS_DENIED',
      hint: expect.stringContaining('application default credentials'),
    })
  })
})

describe('Azure by token', () => {
  const openHttps = async (token: string) => {
    const directory = await mkdtemp(join(tmpdir(), 'azurite-'))
    opened.push(() => rm(directory, { recursive: true }))
    await writeFile(join(directory, 'cert.pem'), TEST_CERTIFICATE)
    await writeFile(join(directory, 'key.pem'), TEST_CERTIFICATE_KEY)
    const flags = ['--oauth', 'basic', '--cert', join(directory, 'cert.pem'), '--key', join(directory, 'key.pem')]
    const { origin, close } = await spawnAzurite(flags)
    opened.push(close)
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
    const base = new URL(`${origin}/${AZURITE_ACCOUNT}/bucket`)
    const { BlobServiceClient, StorageSharedKeyCredential } = await import('@azure/storage-blob')
    const owner = new StorageSharedKeyCredential(AZURITE_ACCOUNT, AZURITE_KEY)
    await new BlobServiceClient(`${origin}/${AZURITE_ACCOUNT}`, owner).createContainer('bucket')
    const credential = { kind: 'token', token } as const
    return createAzureStore({
      account: AZURITE_ACCOUNT,
      container: 'bucket',
      base,
      credential,
      context: testStoreContext(),
    })
  }
  const tokenUntil = (endS: number) => {
    const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
    const nowS = Math.floor(Date.now() / 1000)
    const claims = {
      aud: 'https://storage.azure.com',
      iss: 'https://sts.windows.net/ab1f708d-50f6-404c-a006-d71b2ac7a606/',
      iat: nowS - 7200,
      nbf: nowS - 7200,
      exp: endS,
    }
    return `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode(claims)}.signature`
  }

  it('works with bearer_token over https, and names one that has expired', async () => {
    const nowS = Math.floor(Date.now() / 1000)
    const store = await openHttps(tokenUntil(nowS + 3600))
    await store.put('x', bytes)
    expect((await store.head('x')).sizeBytes).toBe(bytes.byteLength)
    const expired = tokenUntil(nowS - 3600)
    const late = await openHttps(expired)
    const error: unknown = await late.put('x', bytes).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ errorName: 'STORE_ACCESS_DENIED', hint: expect.stringMatching(/token/) })
    expect(`${(error as Error).stack}${JSON.stringify(error)}`).not.toContain(expired)
  })

  it("gets the server's own: managed identity, workload identity, service principal", async () => {
    const asked: string[] = []
    const host = await serve((request, body) => {
      asked.push(`${request.method} ${request.url} ${request.headers['x-identity-header'] ?? ''} ${body}`)
      return { status: 200, body: '{"access_token":"the-token","expires_in":"600"}' }
    })
    const directory = await mkdtemp(join(tmpdir(), 'azure-'))
    opened.push(() => rm(directory, { recursive: true }))
    await writeFile(join(directory, 'federated'), 'signed-by-kubernetes\n')
    const context = (env: Record<string, string>) => testStoreContext({ env })
    const authority = `http://${host}/`
    const ids = { AZURE_TENANT_ID: 'tenant', AZURE_CLIENT_ID: 'client', AZURE_AUTHORITY_HOST: authority }
    const environments = [
      { IDENTITY_ENDPOINT: `http://${host}/msi`, IDENTITY_HEADER: 'header' },
      { ...ids, AZURE_FEDERATED_TOKEN_FILE: join(directory, 'federated') },
      { ...ids, AZURE_CLIENT_SECRET: 'principal-secret' },
    ]
    for (const env of environments) {
      const { token, expiresOnTimestamp } = await ambientToken(context(env), undefined)
      expect(token).toBe('the-token')
      expect(expiresOnTimestamp - Date.now()).toBeGreaterThan(500_000)
    }
    expect(asked).toEqual([
      expect.stringMatching(/^GET \/msi\?api-version=.*storage\.azure\.com.* header $/),
      expect.stringMatching(/^POST \/tenant\/oauth2\/v2\.0\/token .*client_assertion=signed-by-kubernetes/),
      expect.stringMatching(/^POST \/tenant\/oauth2\/v2\.0\/token .*client_secret=principal-secret/),
    ])
  })

  it('says so when there is none, without the secret that was refused', async () => {
    const host = await serve(() => ({ status: 401, body: '{"error":"invalid_client"}' }))
    const env = {
      AZURE_TENANT_ID: 'tenant',
      AZURE_CLIENT_ID: 'client',
      AZURE_CLIENT_SECRET: 'principal-secret',
      AZURE_AUTHORITY_HOST: `http://${host}/`,
    }
    const error: unknown = await ambientToken(testStoreContext({ env }), undefined).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ errorName: 'STORE_ACCESS_DENIED', hint: expect.stringContaining('access_key') })
    expect(`${(error as Error).stack}${JSON.stringify(error)}`).not.toContain('principal-secret')
  })
})
