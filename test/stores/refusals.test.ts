import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { type CnosError, isCnosError } from '../../src/errors/cnos-error.ts'
import type { OptionLiteral } from '../../src/options/option-spec.ts'
import type { ObjectStore } from '../../src/store/object-store.ts'
import { openStore } from '../../src/store/registry.ts'
import { startAzurite } from '../fakes/azurite.ts'
import { type GcsServerOptions, makeGcsAccount, startGcsServer } from '../fakes/gcs-server.ts'
import { S3_ACCOUNT, type S3ServerOptions, startS3Server } from '../fakes/s3-server.ts'
import { testStoreContext } from '../fakes/store-context.ts'

const opened: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close()
})

async function refusal(attempt: Promise<unknown>): Promise<CnosError> {
  const error: unknown = await attempt.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!isCnosError(error)) expect.fail(`expected an error, got ${String(error)}`)
  return error
}

const put = (store: ObjectStore) => store.put('air/x.csv', Buffer.from('x'))

async function s3(changes: Record<string, OptionLiteral> = {}, server: S3ServerOptions = {}, bucket = 'bucket') {
  const started = await startS3Server(server)
  opened.push(started)
  started.createBucket('bucket')
  const connection = {
    region: 'us-east-1',
    access_key_id: S3_ACCOUNT.accessKeyId,
    secret_key: S3_ACCOUNT.secretAccessKey,
    endpoint_url: started.url,
    ...changes,
  }
  const url = { scheme: 's3', bucket, path: '' }
  return { server: started, store: openStore(url, new Map(Object.entries(connection)), testStoreContext()) }
}

describe('s3 says what is wrong', () => {
  it.each([
    [
      { secret_key: 'planted-secret-one' },
      {},
      'STORE_ACCESS_DENIED',
      'SignatureDoesNotMatch',
      /secret_key does not belong/,
    ],
    [{ access_key_id: 'AKUNKNOWN' }, {}, 'STORE_ACCESS_DENIED', 'InvalidAccessKeyId', /no such access_key_id/],
    [{ token: 'planted-secret-two' }, {}, 'STORE_ACCESS_DENIED', 'InvalidToken', /token does not belong/],
    [{}, { region: 'eu-west-3' }, 'STORE_BAD_REQUEST', 'AuthorizationHeaderMalformed', /region = 'eu-west-3'/],
  ] as const)('%o %o', async (changes, options, name, remoteCode, hint) => {
    const { store } = await s3(changes, options)
    const error = await refusal(put(store))
    expect(error.errorName).toBe(name)
    expect(error.context).toMatchObject({
      store: 's3://bucket',
      path: 'air/x.csv',
      remoteCode,
      requestId: expect.any(String),
    })
    expect(error.hint).toMatch(hint)
    expect(error.message).toContain('PUT s3://bucket/air/x.csv')
    expect(`${error.stack}${JSON.stringify(error)}`).not.toContain('planted-secret')
  })

  it('a bucket that does not exist', async () => {
    const { store } = await s3({}, {}, 'nowhere')
    const error = await refusal(put(store))
    expect([error.errorName, error.hint]).toEqual(['OBJECT_NOT_FOUND', expect.stringContaining('create the bucket')])
  })

  it('corrects its clock when it is off, and goes on', async () => {
    const { store, server } = await s3({}, { clockAheadMs: 20 * 60 * 1000 })
    await put(store)
    expect(server.buckets.get('bucket')?.objects.size).toBe(1)
  })

  it('temporary credentials work, and their expiry is named', async () => {
    const accounts = [{ ...S3_ACCOUNT, sessionToken: 'session' }]
    const { store, server } = await s3({ token: 'session' }, { accounts })
    await put(store)
    server.faults.add({ fault: { kind: 'status', status: 400, code: 'ExpiredToken' } })
    expect((await refusal(put(store))).hint).toContain('expired')
  })

  it('does not follow a redirect', async () => {
    const visited: string[] = []
    const trap = createServer((request, response) => {
      visited.push(request.url ?? '')
      response.end()
    })
    await new Promise<void>((resolve) => trap.listen(0, '127.0.0.1', resolve))
    opened.push({ close: () => new Promise((resolve) => trap.close(() => resolve())) })
    const elsewhere = `http://127.0.0.1:${(trap.address() as AddressInfo).port}/`
    const redirecting = createServer((_, response) => {
      response.writeHead(307, { Location: elsewhere, 'Content-Length': '0' })
      response.end()
    })
    await new Promise<void>((resolve) => redirecting.listen(0, '127.0.0.1', resolve))
    opened.push({
      close: () =>
        new Promise((resolve) => {
          redirecting.close(() => resolve())
          redirecting.closeAllConnections()
        }),
    })
    const base = `http://127.0.0.1:${(redirecting.address() as AddressInfo).port}`
    const stores = [
      ['s3', { region: 'us-east-1', access_key_id: 'AK', secret_key: 'SK', endpoint_url: base }, {}],
      ['gcs', { gcs_base_url: base, disable_oauth: true }, {}],
      ['azblob', { use_emulator: true }, { AZURITE_BLOB_STORAGE_URL: base }],
    ] as const
    for (const [scheme, options, env] of stores) {
      const connection = new Map<string, OptionLiteral>(Object.entries(options))
      const store = openStore({ scheme, bucket: 'bucket', path: '' }, connection, testStoreContext({ env }))
      for (const attempt of [() => store.get('x'), () => put(store), () => store.delete('x')]) {
        const error = await refusal(attempt())
        expect(error.entry.retryable).toBe(false)
      }
    }
    expect(visited).toEqual([])
  })

  it('a host that does not exist, without trying for minutes', async () => {
    const connection = new Map([
      ['region', 'us-east-1'],
      ['access_key_id', 'AK'],
      ['secret_key', 'SK'],
      ['endpoint_url', 'http://no-such-host.invalid'],
    ])
    const context = testStoreContext({ checkEndpoint: () => {} })
    const error = await refusal(openStore({ scheme: 's3', bucket: 'bucket', path: '' }, connection, context).head('x'))
    expect(error.errorName).toBe('STORE_BAD_REQUEST')
    expect(error.hint).toContain('no host has this name')
  })
})

async function gcs(changes: Record<string, OptionLiteral> = {}, options: GcsServerOptions = {}, bucket = 'bucket') {
  const account = makeGcsAccount()
  const started = await startGcsServer({ accounts: [account], ...options })
  opened.push(started)
  started.createBucket('bucket')
  const connection = {
    gcs_base_url: started.url,
    client_email: account.email,
    private_key: account.privateKey,
    ...changes,
  }
  const url = { scheme: 'gcs', bucket, path: '' }
  return { server: started, store: openStore(url, new Map(Object.entries(connection)), testStoreContext()) }
}

describe('gcs says what is wrong', () => {
  it('a key of another account', async () => {
    const other = makeGcsAccount().privateKey
    const error = await refusal(put((await gcs({ private_key: other })).store))
    expect(error.errorName).toBe('STORE_ACCESS_DENIED')
    expect(error.fullMessage).toMatch(/Invalid JWT Signature.*\n.*private_key is a current key/s)
    expect(error.fullMessage).not.toContain(other.slice(40, 80))
  })

  it('an unknown account', async () => {
    const error = await refusal(put((await gcs({ client_email: 'stranger@example.com' })).store))
    expect(error.fullMessage).toMatch(/account not found.*\n.*check client_email/s)
  })

  it('a clock that is off', async () => {
    const error = await refusal(put((await gcs({}, { clockAheadMs: 2 * 3600 * 1000 })).store))
    expect(error.hint).toContain('clock')
  })

  it('no credentials where some are needed', async () => {
    const error = await refusal(put((await gcs({ disable_oauth: true })).store))
    expect([error.errorName, error.hint]).toEqual(['STORE_ACCESS_DENIED', expect.stringContaining('client_email')])
  })

  it('a bucket that does not exist', async () => {
    const error = await refusal(put((await gcs({}, {}, 'nowhere')).store))
    expect([error.errorName, error.hint]).toEqual(['OBJECT_NOT_FOUND', expect.stringContaining('create the bucket')])
  })

  it('asks for one token only, until it ends', async () => {
    const { store, server } = await gcs()
    for (let i = 0; i < 3; i += 1) await put(store)
    const asked = () => server.requests.filter((request) => request.startsWith('POST /token')).length
    expect(asked()).toBe(1)
    server.expireTokens()
    await put(store)
    expect(asked()).toBe(2)
  })

  it('continues a chunk of which the store kept only a part', async () => {
    const { store, server } = await gcs()
    const bytes = Buffer.alloc(20 * 1024 * 1024, 'abcdefg')
    const upload = await store.putMultipart('partial')
    server.keepOnly(512 * 1024)
    for (let n = 0; n * upload.partSizeBytes < bytes.byteLength; n += 1) {
      await upload.putPart(n + 1, bytes.subarray(n * upload.partSizeBytes, (n + 1) * upload.partSizeBytes))
    }
    await upload.complete()
    expect(server.buckets.get('bucket')?.objects.get('partial')?.bytes.equals(bytes)).toBe(true)
  })
})

describe('azblob says what is wrong', () => {
  it('a wrong key, a missing container', async () => {
    const azurite = await startAzurite()
    opened.push(azurite)
    await azurite.createContainer('bucket')
    const context = testStoreContext({ env: { AZURITE_BLOB_STORAGE_URL: azurite.url } })
    const open = (container: string, key?: string) => {
      const options: [string, OptionLiteral][] = [['use_emulator', true]]
      if (key !== undefined) options.push(['access_key', key])
      return openStore({ scheme: 'azblob', bucket: container, path: '' }, new Map(options), context)
    }
    const key = Buffer.from('planted-secret-of-32-bytes------').toString('base64')
    const denied = await refusal(put(open('bucket', key)))
    expect(denied).toMatchObject({ errorName: 'STORE_ACCESS_DENIED', hint: expect.stringContaining('access_key') })
    expect(denied.context).toMatchObject({ status: 403, requestId: expect.any(String) })
    expect(`${denied.stack}${JSON.stringify(denied)}`).not.toContain(key)
    const missing = await refusal(put(open('nowhere')))
    expect(missing).toMatchObject({
      errorName: 'OBJECT_NOT_FOUND',
      hint: expect.stringContaining('create the container'),
    })
    expect(missing.context.remoteCode).toBe('ContainerNotFound')
  })
})
