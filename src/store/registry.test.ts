import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../async/clock.ts'
import { type CnosError, isCnosError } from '../errors/cnos-error.ts'
import type { OptionLiteral } from '../options/option-spec.ts'
import { endpointPolicy } from './endpoint-policy.ts'
import { findDriver, openStore, storeDrivers } from './registry.ts'
import type { StoreContext } from './store-driver.ts'

const warnings: string[] = []
const context: StoreContext = {
  clock: systemClock,
  env: {},
  ambientCredentials: false,
  checkEndpoint: endpointPolicy([], true),
  warn: (message) => warnings.push(message),
}

function open(
  scheme: string,
  options: Record<string, OptionLiteral>,
  changes: Partial<StoreContext> = {},
  bucket = 'bucket',
) {
  return openStore({ scheme, bucket, path: '' }, new Map(Object.entries(options)), { ...context, ...changes })
}

function refusal(...call: Parameters<typeof open>): CnosError {
  try {
    open(...call)
  } catch (error) {
    if (isCnosError(error)) return error
    throw error
  }
  expect.fail('opened')
}

const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 })
const PKCS8 = RSA.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
const PKCS1 = RSA.privateKey.export({ type: 'pkcs1', format: 'pem' }).toString()
const EC = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  .privateKey.export({ type: 'pkcs8', format: 'pem' })
  .toString()

const S3 = { region: 'us-east-1', access_key_id: 'AKID', secret_key: 'not-to-be-shown' }
const GCS = { gcs_base_url: 'https://storage.googleapis.com', client_email: 'a@b', private_key: PKCS8 }
const AZURE = { account: 'myaccount', access_key: 'bm90IHRvIGJlIHNob3du' }

describe('store registry', () => {
  it('knows its schemes in any case, and says which there are', () => {
    expect(['file', 's3', 'gcs', 'gs', 'azblob', 'S3', 'Gcs'].map((scheme) => findDriver(scheme).schemes[0])).toEqual([
      'file',
      's3',
      'gcs',
      'gcs',
      'azblob',
      's3',
      'gcs',
    ])
    for (const scheme of ['http', 'azure', 's3a', 'oss', '']) {
      expect(() => findDriver(scheme)).toThrow(`Semantic error: Unsupported url schema [${scheme}]`)
    }
  })

  it('marks every key that names a secret as secret', () => {
    for (const { connection } of storeDrivers) {
      for (const [key, spec] of Object.entries(connection)) {
        if (/key|token|secret|password/.test(key)) expect(spec.secret, key).toBe(true)
        expect(spec.summary.length, key).toBeGreaterThan(10)
      }
    }
  })

  it.each([
    ['s3', S3],
    ['gcs', GCS],
    ['azblob', AZURE],
  ] as readonly [string, Record<string, string>][])(
    '%s: refuses unknown keys, a missing bucket, values of the wrong kind',
    (scheme, good) => {
      expect(open(scheme, good).label).toBe(`${scheme}://bucket`)
      expect(refusal(scheme, { ...good, colour: 'red' }).message).toBe('Semantic error: Unsupported option [colour]')
      expect(refusal(scheme, good, {}, '').message).toBe('Semantic error: Lost bucket in url')
      expect(refusal(scheme, good, {}, 'evil.com/x?').message).toContain('invalid bucket name')
      for (const key of Object.keys(good)) {
        const error = refusal(scheme, { ...good, [key]: true })
        expect([error.code, error.message]).toEqual(['010009', expect.stringContaining('expected string value')])
      }
    },
  )

  it('ignores CONNECTION for local files', () => {
    expect(open('file', { anything: true }).label).toBe('file://')
  })
})

describe('s3 options', () => {
  it('needs a region', () => {
    const { region: _, ...rest } = S3
    expect(refusal('s3', rest).message).toBe('Semantic error: `region` must be initialized')
  })

  it.each(['us‑east‑1', 'us–east—1', 'us−east﹣1', 'us－east‐1', ' us-east-1 '])('reads the region %s', (region) => {
    warnings.length = 0
    open('s3', { ...S3, region })
    expect(warnings).toHaveLength(/[^\x20-\x7e]/.test(region) ? 1 : 0)
  })

  it.each(['', 'US-EAST-1', 'us_east_1', 'us-east-1.evil.com', 'us-east-1/x', 'ü'])(
    'refuses the region "%s"',
    (region) => {
      expect(refusal('s3', { ...S3, region }).message).toContain('region')
    },
  )

  it('takes both keys or none', () => {
    const { access_key_id, secret_key, region } = S3
    expect(refusal('s3', { region, access_key_id }).message).toBe(
      'object store error: Generic S3 error: Missing SecretAccessKey',
    )
    expect(refusal('s3', { region, secret_key }).message).toBe(
      'object store error: Generic S3 error: Missing AccessKeyId',
    )
    expect(refusal('s3', { region }).fullMessage).toMatch(/access_key_id.*secret_key.*\n.*--ambient-credentials/)
    expect(open('s3', { region }, { ambientCredentials: true }).label).toBe('s3://bucket')
  })

  it.each(['not a url', 'ftp://host', 'http://user:pass@host', 'http://host/?x', 'http://host/#x', ''])(
    'refuses the endpoint_url "%s" without repeating it',
    (endpoint_url) => {
      const error = refusal('s3', { ...S3, endpoint_url })
      expect(error.message).toBe('Semantic error: endpoint_url is not the address of a store')
    },
  )

  it('asks whether the endpoint may be reached, before anything is sent', () => {
    expect(refusal('s3', { ...S3, endpoint_url: 'http://169.254.169.254' }).errorName).toBe('PATH_NOT_ALLOWED')
    expect(refusal('s3', { ...S3, endpoint_url: 'http://minio:9000' }).hint).toContain('--allow-endpoint minio:9000')
  })
})

describe('gcs options', () => {
  it('needs a base URL, and an account unless OAuth is off', () => {
    expect(refusal('gcs', {}).message).toBe('Semantic error: `gcs_base_url` must be initialized')
    const { gcs_base_url, client_email, private_key } = GCS
    for (const part of [{}, { client_email }, { private_key }, { client_email: '', private_key: '' }]) {
      expect(refusal('gcs', { gcs_base_url, ...part }).fullMessage).toMatch(
        /`client_email` and `private_key`.*\n.*disable_oauth/,
      )
    }
    expect(open('gcs', { gcs_base_url, disable_oauth: true }).label).toBe('gcs://bucket')
    expect(open('gs', { gcs_base_url }, { ambientCredentials: true }).label).toBe('gcs://bucket')
    expect(refusal('gcs', { gcs_base_url, client_email }, { ambientCredentials: true }).errorName).toBe('BAD_OPTION')
  })

  it.each([
    ['PKCS8', PKCS8],
    ['PKCS1', PKCS1],
    ['literal \\n', PKCS8.replaceAll('\n', '\\n')],
    ['literal \\r\\n', PKCS8.replaceAll('\n', '\\r\\n')],
  ])('reads a private key: %s', (_name, private_key) => {
    expect(open('gcs', { ...GCS, private_key }).label).toBe('gcs://bucket')
  })

  it.each([
    ['stars', '****************'],
    ['cut off', PKCS8.slice(0, 400)],
    ['of a curve', EC],
    ['a public key', RSA.publicKey.export({ type: 'spki', format: 'pem' }).toString()],
  ])('explains a private key that is none, without repeating it: %s', (_name, private_key) => {
    const error = refusal('gcs', { ...GCS, private_key })
    expect(error.message).toBe('object store error: Generic GCS error: No RSA key found in pem file')
    expect(JSON.stringify(error) + error.fullMessage + String(error.cause)).not.toContain(
      private_key.slice(40, 80) || '****',
    )
  })

  it('asks whether the base URL may be reached', () => {
    expect(refusal('gcs', { ...GCS, gcs_base_url: 'http://metadata.google.internal' }).errorName).toBe(
      'PATH_NOT_ALLOWED',
    )
  })
})

describe('azblob options', () => {
  it('needs an account and a credential', () => {
    expect(refusal('azblob', { access_key: AZURE.access_key }).message).toBe(
      'Semantic error: `account_name` must be initialized',
    )
    expect(refusal('azblob', { account: 'myaccount' }).fullMessage).toMatch(
      /access_key.*bearer_token.*\n.*--ambient-credentials/,
    )
    expect(open('azblob', { account: 'myaccount', bearer_token: 'x' }).label).toBe('azblob://bucket')
    expect(open('azblob', { account: 'myaccount' }, { ambientCredentials: true }).label).toBe('azblob://bucket')
  })

  it.each(['*****', 'abc', 'a b==', 'äöü='])('explains an access_key that is not base64: %s', (access_key) => {
    const error = refusal('azblob', { ...AZURE, access_key })
    expect(error.message).toContain('access_key is not valid base64')
    expect(error.fullMessage).not.toContain(access_key)
  })

  it.each(['evil.example/x', 'UPPER', 'ab', 'a.b'])('lets no account change the host: %s', (account) => {
    expect(refusal('azblob', { ...AZURE, account }).message).toContain('account')
  })

  it('finds the emulator: account and key by default, URL from the environment or 127.0.0.1:10000', () => {
    const asked: string[] = []
    const checkEndpoint = (url: URL) => void asked.push(url.href)
    open('azblob', { use_emulator: true }, { checkEndpoint })
    open(
      'azblob',
      { use_emulator: true, account: 'other123' },
      { checkEndpoint, env: { AZURITE_BLOB_STORAGE_URL: 'http://azurite:1/' } },
    )
    expect(asked).toEqual(['http://127.0.0.1:10000/devstoreaccount1/bucket', 'http://azurite:1/other123/bucket'])
    expect(
      refusal('azblob', { use_emulator: true }, { env: { AZURITE_BLOB_STORAGE_URL: 'nonsense' } }).message,
    ).toContain('Unable parse emulator url AZURITE_BLOB_STORAGE_URL=nonsense')
  })

  it('lets only administrators reach the emulator on loopback', () => {
    const error = refusal('azblob', { use_emulator: true }, { checkEndpoint: endpointPolicy([], false) })
    expect(error.errorName).toBe('PATH_NOT_ALLOWED')
  })
})
