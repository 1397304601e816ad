import { booleanOption, type OptionValues, stringOption } from '../options/option-spec.ts'
import type { AzureCredential } from './azblob/credential.ts'
import { createAzureStore } from './azblob/store.ts'
import { defineStoreDriver, type StoreContext } from './store-driver.ts'
import { badConnection, requireBucket } from './store-error.ts'

const connection = {
  account: stringOption({ summary: 'The storage account; may be left out with the emulator.' }),
  access_key: stringOption({ summary: 'An access key of the account, base64.', secret: true }),
  bearer_token: stringOption({
    summary: 'An OAuth token for storage; wins over access_key. The emulator ignores it.',
    secret: true,
  }),
  use_emulator: booleanOption({
    summary: 'true: Azurite at the URL in AZURITE_BLOB_STORAGE_URL, or at http://127.0.0.1:10000.',
    default: false,
  }),
}

type Connection = OptionValues<typeof connection>

/** Published for every Azurite: https://learn.microsoft.com/azure/storage/common/storage-connect-azurite */
const EMULATOR_ACCOUNT = 'devstoreaccount1'
const EMULATOR_KEY = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=='
const EMULATOR_URL = 'http://127.0.0.1:10000'

/** Microsoft Azure Blob Storage. */
export const azblob = defineStoreDriver({
  schemes: ['azblob'],
  connection,
  open(url, options, context) {
    const container = requireBucket(url.bucket)
    const { account, base, credential } = options.use_emulator
      ? emulator(options, container, context)
      : cloud(options, container, context)
    context.checkEndpoint(base)
    return createAzureStore({ account, container, base, credential, context })
  },
})

interface Address {
  readonly account: string
  readonly base: URL
  readonly credential: AzureCredential
}

function cloud(options: Connection, container: string, context: StoreContext): Address {
  const { account = '' } = options
  if (account === '') {
    throw badConnection('Semantic error: `account_name` must be initialized', "add account = '…' to CONNECTION = (…)")
  }
  checkAccount(account)
  const base = new URL(`https://${account}.blob.core.windows.net/${container}`)
  return { account, base, credential: credentialOf(options, context) }
}

function emulator(options: Connection, container: string, { env }: StoreContext): Address {
  const account = options.account || EMULATOR_ACCOUNT
  checkAccount(account)
  const text = env.AZURITE_BLOB_STORAGE_URL || EMULATOR_URL
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw badConnection(
      `object store error: Generic MicrosoftAzure error: Unable parse emulator url AZURITE_BLOB_STORAGE_URL=${text}`,
      'set it to an address such as http://127.0.0.1:10000 where the server is started',
    )
  }
  const key = options.access_key || EMULATOR_KEY
  checkKey(key)
  const base = new URL(`${text.replace(/\/+$/, '')}/${account}/${container}`)
  return { account, base, credential: { kind: 'key', key } }
}

function credentialOf(options: Connection, context: StoreContext): AzureCredential {
  const { bearer_token: token = '', access_key: key = '' } = options
  if (token !== '') return { kind: 'token', token }
  if (key !== '') {
    checkKey(key)
    return { kind: 'key', key }
  }
  if (context.ambientCredentials) return { kind: 'ambient' }
  throw badConnection(
    'Semantic error: `access_key` or `bearer_token` must be initialized',
    'add one to CONNECTION = (…); an administrator may leave them out where the server was started with --ambient-credentials, to use its identity',
  )
}

/** The account is part of the host name: nothing else may get into it. */
function checkAccount(account: string): void {
  if (/^[a-z0-9]{3,24}$/.test(account)) return
  throw badConnection(
    'Semantic error: account is not the name of a storage account',
    'write 3 to 24 lower case letters and digits',
  )
}

function checkKey(key: string): void {
  if (/^[A-Za-z0-9+/]+={0,2}$/.test(key) && key.length % 4 === 0) return
  throw badConnection(
    'object store error: Generic MicrosoftAzure error: access_key is not valid base64',
    'copy the whole key from the portal, with the = at its end',
  )
}
