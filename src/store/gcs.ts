import { booleanOption, type OptionValues, stringOption } from '../options/option-spec.ts'
import { bareHost, isLoopbackHost } from './endpoint-policy.ts'
import { createGcsStore } from './gcs/store.ts'
import { ambientTokens, noTokens, serviceAccountTokens, type TokenSource } from './gcs/tokens.ts'
import { defineStoreDriver, type StoreContext } from './store-driver.ts'
import { badConnection, requireBucket } from './store-error.ts'

const connection = {
  gcs_base_url: stringOption({
    summary: 'Where the store listens: `https://storage.googleapis.com`, or an emulator.',
    required: true,
  }),
  disable_oauth: booleanOption({
    summary: 'true: requests carry no credentials, as emulators and public buckets want it.',
    default: false,
  }),
  client_email: stringOption({ summary: 'The e-mail address of the service account.', secret: true }),
  private_key: stringOption({
    summary: 'The RSA private key of the service account, PEM; line ends may be written as `\\n`.',
    secret: true,
  }),
}

/** Google Cloud Storage. */
export const gcs = defineStoreDriver({
  schemes: ['gcs', 'gs'],
  connection,
  open(url, options, context) {
    const bucket = requireBucket(url.bucket)
    const base = parseBase(options.gcs_base_url)
    context.checkEndpoint(base)
    return createGcsStore({ bucket, base, tokens: tokensOf(options, base, context), context })
  },
})

function parseBase(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isHttp = url?.protocol === 'http:' || url?.protocol === 'https:'
  if (!url || !isHttp || url.search !== '' || url.hash !== '' || url.username !== '' || url.password !== '') {
    throw badConnection(
      'Semantic error: gcs_base_url is not the address of a store',
      "write it as gcs_base_url = 'https://storage.googleapis.com', without user, query or fragment",
    )
  }
  return url
}

function tokensOf(options: OptionValues<typeof connection>, base: URL, context: StoreContext): TokenSource {
  if (options.disable_oauth) return noTokens
  const { client_email: email = '', private_key: key = '' } = options
  if (email !== '' && key !== '') {
    return serviceAccountTokens({ email, key, endpoint: tokenEndpoint(base), clock: context.clock })
  }
  if (email === '' && key === '' && context.ambientCredentials) return ambientTokens()
  throw badConnection(
    'Semantic error: `client_email` and `private_key` must be initialized when disable_oauth is false',
    'add both to CONNECTION = (…), or write disable_oauth = true for an emulator; an administrator may leave them out where the server was started with --ambient-credentials, to use its account',
  )
}

/** An emulator gives out its own tokens; a signed assertion goes nowhere else but to Google. */
function tokenEndpoint(base: URL): URL {
  return isLoopbackHost(bareHost(base)) ? new URL('/token', base) : new URL('https://oauth2.googleapis.com/token')
}
