import { openStore } from '../../src/store/registry.ts'
import { startAzurite } from '../fakes/azurite.ts'
import { testStoreContext } from '../fakes/store-context.ts'
import { describeObjectStore } from './object-store.ts'

describeObjectStore('azblob', async () => {
  const azurite = await startAzurite()
  await azurite.createContainer('conformance')
  const context = testStoreContext({ env: { AZURITE_BLOB_STORAGE_URL: azurite.url } })
  const open = (container: string) =>
    openStore({ scheme: 'azblob', bucket: container, path: '' }, new Map([['use_emulator', true]]), context)
  return {
    store: open('conformance'),
    missing: open('no-such-container'),
    prefix: 'here/',
    close: () => azurite.close(),
  }
})
