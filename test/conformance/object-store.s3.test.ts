import type { OptionLiteral } from '../../src/options/option-spec.ts'
import { openStore } from '../../src/store/registry.ts'
import { S3_ACCOUNT, startS3Server } from '../fakes/s3-server.ts'
import { testStoreContext } from '../fakes/store-context.ts'
import { describeObjectStore } from './object-store.ts'

for (const style of ['path', 'virtual-hosted'] as const) {
  describeObjectStore(`s3, ${style} style`, async () => {
    const server = await startS3Server({ pageSize: 3, region: 'eu-west-3' })
    const bucket = server.createBucket('conformance')
    const open = (name: string) => {
      const host = style === 'path' ? '127.0.0.1' : `${name}.s3.localhost`
      const connection = new Map<string, OptionLiteral>([
        ['region', 'eu-west-3'],
        ['access_key_id', S3_ACCOUNT.accessKeyId],
        ['secret_key', S3_ACCOUNT.secretAccessKey],
        ['endpoint_url', `http://${host}:${server.port}`],
      ])
      return openStore({ scheme: 's3', bucket: name, path: '' }, connection, testStoreContext())
    }
    return {
      store: open('conformance'),
      missing: open('no-such-bucket'),
      prefix: 'here/',
      unfinishedUploads: async () => [...bucket.uploads.values()].map(({ key }) => key),
      close: () => server.close(),
    }
  })
}
