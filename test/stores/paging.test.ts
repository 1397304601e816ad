import { describe, expect, it } from 'vitest'
import type { OptionLiteral } from '../../src/options/option-spec.ts'
import { openStore } from '../../src/store/registry.ts'
import { startGcsServer } from '../fakes/gcs-server.ts'
import { S3_ACCOUNT, startS3Server } from '../fakes/s3-server.ts'
import { testStoreContext } from '../fakes/store-context.ts'

const OBJECTS = 100_000
const nameOf = (i: number) => `air/part-${String(i).padStart(6, '0')} +&%.csv`

async function expectAll(scheme: string, options: Record<string, OptionLiteral>) {
  const store = openStore({ scheme, bucket: 'bucket', path: '' }, new Map(Object.entries(options)), testStoreContext())
  let count = 0
  for await (const { path, sizeBytes } of store.list('air/')) {
    if (path !== nameOf(count)) expect.fail(`object ${count} is ${path}`)
    expect(sizeBytes).toBe(1)
    count += 1
  }
  expect(count).toBe(OBJECTS)
  const some = store.list('air/')[Symbol.asyncIterator]()
  expect((await some.next()).value.path).toBe(nameOf(0))
  await some.return?.()
}

describe('100 000 objects in pages of 1000', () => {
  const bytes = Buffer.from('x')

  it('s3', async () => {
    await using server = await startS3Server()
    const { objects } = server.createBucket('bucket')
    for (let i = 0; i < OBJECTS; i += 1) objects.set(nameOf(i), { bytes, etag: 'e', modified: new Date() })
    await expectAll('s3', {
      region: 'us-east-1',
      access_key_id: S3_ACCOUNT.accessKeyId,
      secret_key: S3_ACCOUNT.secretAccessKey,
      endpoint_url: server.url,
    })
    expect(server.requests.filter((request) => request.includes('list-type=2'))).toHaveLength(101)
  })

  it('gcs', async () => {
    await using server = await startGcsServer()
    const { objects } = server.createBucket('bucket')
    const object = { bytes, generation: '1', modified: new Date(), md5: 'm', crc32c: 'c' }
    for (let i = 0; i < OBJECTS; i += 1) objects.set(nameOf(i), object)
    await expectAll('gcs', { gcs_base_url: server.url, disable_oauth: true })
    expect(server.requests).toHaveLength(101)
  })
})
