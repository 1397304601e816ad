import type { OptionLiteral } from '../../src/options/option-spec.ts'
import { openStore } from '../../src/store/registry.ts'
import { makeGcsAccount, startGcsServer } from '../fakes/gcs-server.ts'
import { testStoreContext } from '../fakes/store-context.ts'
import { describeObjectStore } from './object-store.ts'

for (const oauth of ['without', 'with'] as const) {
  describeObjectStore(`gcs, ${oauth} tokens`, async () => {
    const account = makeGcsAccount()
    const server = await startGcsServer({ pageSize: 3, ...(oauth === 'with' ? { accounts: [account] } : {}) })
    const bucket = server.createBucket('conformance')
    const credentials: [string, OptionLiteral][] =
      oauth === 'with'
        ? [
            ['client_email', account.email],
            ['private_key', account.privateKey.replaceAll('\n', '\\n')],
          ]
        : [['disable_oauth', true]]
    const open = (name: string) =>
      openStore(
        { scheme: 'gcs', bucket: name, path: '' },
        new Map([['gcs_base_url', server.url], ...credentials]),
        testStoreContext(),
      )
    return {
      store: open('conformance'),
      missing: open('no-such-bucket'),
      prefix: 'here/',
      unfinishedUploads: async () =>
        [...bucket.sessions.values()].filter(({ finished }) => finished === undefined).map(({ name }) => name),
      close: () => server.close(),
    }
  })
}
