import type { OptionLiteral } from '../../src/options/option-spec.ts'
import type { ObjectStore } from '../../src/store/object-store.ts'
import { openStore } from '../../src/store/registry.ts'
import type { StoreContext } from '../../src/store/store-driver.ts'
import { startAzurite } from './azurite.ts'
import type { FaultPlan, FaultRule } from './faults.ts'
import { makeGcsAccount, startGcsServer } from './gcs-server.ts'
import { S3_ACCOUNT, startS3Server } from './s3-server.ts'
import { testStoreContext } from './store-context.ts'

/** Which requests an operation consists of, for aiming faults. */
export interface RequestPatterns {
  /** The start of a multi-part upload; absent where there is none. */
  readonly begin?: Pick<FaultRule, 'method' | 'url'>
  readonly part: Pick<FaultRule, 'method' | 'url'>
  readonly complete: Pick<FaultRule, 'method' | 'url'>
  readonly put: Pick<FaultRule, 'method' | 'url'>
  readonly get: Pick<FaultRule, 'method' | 'url'>
  readonly head: Pick<FaultRule, 'method' | 'url'>
  readonly list: Pick<FaultRule, 'method' | 'url'>
}

/** A store, the server behind it, and a look behind the scenes. */
export interface StoreRig {
  readonly name: 's3' | 'gcs' | 'azblob'
  readonly store: ObjectStore
  /** The same place with another patience. */
  open(patience: StoreContext['patience']): ObjectStore
  readonly faults: FaultPlan
  readonly requests: readonly string[]
  readonly patterns: RequestPatterns
  /** CONNECTION of the store, for statements. */
  readonly connection: ReadonlyMap<string, OptionLiteral>
  /** `scheme://bucket` */
  readonly url: string
  readonly env: StoreContext['env']
  readonly secrets: readonly string[]
  /** Bytes of what is there, past store and faults. */
  peek(path: string): Promise<Buffer | undefined>
  /** Uploads neither completed nor aborted, where they can be seen. */
  unfinished(): readonly string[]
  /** Whatever was granted so far is refused from now on; false where nothing expires. */
  expireTokens(): boolean
  close(): Promise<void>
}

export type RigOptions = Pick<StoreContext, 'patience'> & { readonly warn?: (message: string) => void }

export async function openS3Rig(options: RigOptions = {}): Promise<StoreRig> {
  const server = await startS3Server({ pageSize: 5 })
  const bucket = server.createBucket('bucket')
  const connection = new Map<string, OptionLiteral>([
    ['region', 'us-east-1'],
    ['access_key_id', S3_ACCOUNT.accessKeyId],
    ['secret_key', S3_ACCOUNT.secretAccessKey],
    ['endpoint_url', server.url],
  ])
  const open = (patience: StoreContext['patience']) =>
    openStore({ scheme: 's3', bucket: 'bucket', path: '' }, connection, testStoreContext({ ...options, patience }))
  return {
    name: 's3',
    store: open(options.patience),
    open,
    faults: server.faults,
    requests: server.requests,
    connection,
    url: 's3://bucket',
    env: {},
    secrets: [S3_ACCOUNT.secretAccessKey],
    patterns: {
      begin: { method: 'POST', url: /\?uploads/ },
      part: { method: 'PUT', url: /partNumber=/ },
      complete: { method: 'POST', url: /uploadId=/ },
      put: { method: 'PUT', url: /PutObject/ },
      get: { method: 'GET', url: /GetObject/ },
      head: { method: 'HEAD' },
      list: { method: 'GET', url: /list-type=2/ },
    },
    peek: async (path) => bucket.objects.get(path)?.bytes,
    unfinished: () => [...bucket.uploads.values()].map(({ key }) => key),
    expireTokens: () => false,
    close: () => server.close(),
  }
}

export async function openGcsRig(options: RigOptions = {}): Promise<StoreRig> {
  const account = makeGcsAccount()
  const server = await startGcsServer({ pageSize: 5, accounts: [account] })
  const bucket = server.createBucket('bucket')
  const connection = new Map<string, OptionLiteral>([
    ['gcs_base_url', server.url],
    ['client_email', account.email],
    ['private_key', account.privateKey],
  ])
  const open = (patience: StoreContext['patience']) =>
    openStore({ scheme: 'gcs', bucket: 'bucket', path: '' }, connection, testStoreContext({ ...options, patience }))
  return {
    name: 'gcs',
    store: open(options.patience),
    open,
    faults: server.faults,
    requests: server.requests,
    connection,
    url: 'gcs://bucket',
    env: {},
    secrets: [account.privateKey],
    patterns: {
      begin: { method: 'POST', url: /uploadType=resumable/ },
      part: { method: 'PUT', url: /upload_id=/ },
      complete: { method: 'PUT', url: /upload_id=/ },
      put: { method: 'POST', url: /uploadType=media/ },
      get: { method: 'GET', url: /alt=media/ },
      head: { method: 'GET', url: /\/o\/[^?]*$/ },
      list: { method: 'GET', url: /\/o\?/ },
    },
    peek: async (path) => bucket.objects.get(path)?.bytes,
    // A session whose address was lost on the way to us is out of reach, empty, and ends by itself.
    unfinished: () =>
      [...bucket.sessions.values()].flatMap(({ name, finished, sizeBytes }) =>
        finished !== undefined || sizeBytes === 0 ? [] : [name],
      ),
    expireTokens: () => {
      server.expireTokens()
      return true
    },
    close: () => server.close(),
  }
}

export async function openAzureRig(options: RigOptions = {}): Promise<StoreRig> {
  const azurite = await startAzurite()
  await azurite.createContainer('bucket')
  const env = { AZURITE_BLOB_STORAGE_URL: azurite.url }
  const connection = new Map<string, OptionLiteral>([['use_emulator', true]])
  const blob = (path: string) => azurite.service.getContainerClient('bucket').getBlobClient(path)
  const open = (patience: StoreContext['patience']) =>
    openStore(
      { scheme: 'azblob', bucket: 'bucket', path: '' },
      connection,
      testStoreContext({ ...options, env, patience }),
    )
  return {
    name: 'azblob',
    store: open(options.patience),
    open,
    faults: azurite.faults,
    requests: azurite.requests,
    connection,
    url: 'azblob://bucket',
    env,
    secrets: [],
    patterns: {
      part: { method: 'PUT', url: /comp=block&/ },
      complete: { method: 'PUT', url: /comp=blocklist/ },
      put: { method: 'PUT', url: /^[^?]*$/ },
      get: { method: 'GET', url: /^[^?]*$/ },
      head: { method: 'HEAD' },
      list: { method: 'GET', url: /comp=list/ },
    },
    peek: async (path) => ((await blob(path).exists()) ? blob(path).downloadToBuffer() : undefined),
    unfinished: () => [],
    expireTokens: () => false,
    close: () => azurite.close(),
  }
}
