import { booleanOption, type OptionValues, stringOption } from '../options/option-spec.ts'
import { s3BaseUrl } from './s3/endpoint.ts'
import { normaliseRegion } from './s3/region.ts'
import { createS3Store } from './s3/store.ts'
import { defineStoreDriver, type StoreContext } from './store-driver.ts'
import { badConnection, requireBucket } from './store-error.ts'

const connection = {
  region: stringOption({ summary: 'The region the bucket lives in, such as `us-east-1`.', required: true }),
  access_key_id: stringOption({ summary: 'The id of the access key; goes with `secret_key`.', secret: true }),
  secret_key: stringOption({ summary: 'The secret access key.', secret: true }),
  token: stringOption({ summary: 'The session token of temporary credentials.', secret: true }),
  endpoint_url: stringOption({ summary: 'Where an S3-compatible store listens; AWS when left out.' }),
  virtual_hosted_style: booleanOption({
    summary:
      'true: the bucket is part of the host name (an endpoint_url must already contain it); false: of the path. Left out: true for AWS, and for an endpoint_url only when its host starts with the bucket.',
  }),
}

/** Amazon S3 and every store that speaks its protocol. */
export const s3 = defineStoreDriver({
  schemes: ['s3'],
  connection,
  open(url, options, context) {
    const bucket = requireBucket(url.bucket)
    const region = normaliseRegion(options.region, context.warn)
    const base = s3BaseUrl({
      bucket,
      region,
      endpointUrl: options.endpoint_url,
      virtualHostedStyle: options.virtual_hosted_style,
    })
    context.checkEndpoint(base)
    return createS3Store({ bucket, region, base, credentials: credentialsOf(options, context), context })
  },
})

export interface S3Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

/** The key pair of the statement, or undefined for the ambient chain where the server permits it. */
function credentialsOf(options: OptionValues<typeof connection>, context: StoreContext): S3Credentials | undefined {
  const { access_key_id: accessKeyId = '', secret_key: secretAccessKey = '', token } = options
  if (accessKeyId !== '' && secretAccessKey !== '') {
    return { accessKeyId, secretAccessKey, ...(token === undefined || token === '' ? {} : { sessionToken: token }) }
  }
  if (accessKeyId !== '' || secretAccessKey !== '') {
    const missing = accessKeyId === '' ? 'AccessKeyId' : 'SecretAccessKey'
    throw badConnection(
      `object store error: Generic S3 error: Missing ${missing}`,
      'give access_key_id and secret_key together, or neither',
    )
  }
  if (context.ambientCredentials) return undefined
  throw badConnection(
    'Semantic error: `access_key_id` and `secret_key` must be initialized',
    'add both to CONNECTION = (…); an administrator may leave them out where the server was started with --ambient-credentials, to use its environment, profile or instance role',
  )
}
