import type { ContainerClient } from '@azure/storage-blob'
import { type AzureCredential, ambientToken, fixedToken } from './credential.ts'
import type { AzureSettings } from './store.ts'

/** Loaded on first use: a statement without Azure does not pay for the SDK. */
export async function openContainer(settings: AzureSettings): Promise<ContainerClient> {
  const sdk = await import('@azure/storage-blob')
  const credential =
    settings.credential.kind === 'key'
      ? new sdk.StorageSharedKeyCredential(settings.account, settings.credential.key)
      : tokenCredential(settings.credential, settings)
  const pipeline = sdk.newPipeline(credential, { retryOptions: { maxTries: 1 } })
  return new sdk.ContainerClient(settings.base.href, pipeline)
}

type TokenKind = Exclude<AzureCredential, { readonly kind: 'key' }>

function tokenCredential(credential: TokenKind, { context }: AzureSettings) {
  return {
    getToken: async (_scopes: string | string[], options?: { abortSignal?: unknown }) => {
      if (credential.kind === 'token') return fixedToken(credential.token, context.clock)
      const signal = options?.abortSignal instanceof AbortSignal ? options.abortSignal : undefined
      return ambientToken(context, signal)
    },
  }
}
