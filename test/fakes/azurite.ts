import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { createRequire } from 'node:module'
import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob'
import { FaultPlan } from './faults.ts'
import { type FakeAnswer, type FakeRequest, type FakeServer, startFakeServer } from './http-server.ts'

export const AZURITE_ACCOUNT = 'devstoreaccount1'
export const AZURITE_KEY = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=='

export interface Azurite extends AsyncDisposable {
  /** For AZURITE_BLOB_STORAGE_URL: Azurite behind a proxy that commits faults. */
  readonly url: string
  readonly faults: FaultPlan
  readonly requests: readonly string[]
  createContainer(name: string): Promise<void>
  /** Of blobs that exist; by the official SDK, past the faults. */
  readonly service: BlobServiceClient
  close(): Promise<void>
}

interface AzuriteProcess {
  /** `http://127.0.0.1:<port>` */
  readonly origin: string
  close(): Promise<void>
}

/** Microsoft's emulator in memory, on loopback, on a free port. `flags` come on top. */
export async function spawnAzurite(flags: readonly string[] = []): Promise<AzuriteProcess> {
  const main = createRequire(import.meta.url).resolve('azurite/dist/src/blob/main.js')
  const own = ['--blobHost', '127.0.0.1', '--blobPort', '0', '--silent', '--inMemoryPersistence']
  const child = spawn(process.execPath, [main, ...own, '--skipApiVersionCheck', '--disableTelemetry', ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const origin = await new Promise<string>((resolve, reject) => {
    let text = ''
    child.once('exit', (code) => reject(new Error(`Azurite ended with ${code}: ${text}`)))
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      const url = /listens on (https?:\/\/\S+)/.exec(text)?.[1]
      if (url !== undefined) resolve(url)
    })
  })
  const close = async () => {
    const ended = once(child, 'exit')
    child.kill()
    await ended
  }
  return { origin, close }
}

/** Azurite behind a proxy that commits faults. */
export async function startAzurite(): Promise<Azurite> {
  const { origin, close: closeAzurite } = await spawnAzurite()
  const faults = new FaultPlan()
  const service = new BlobServiceClient(
    `${origin}/${AZURITE_ACCOUNT}`,
    new StorageSharedKeyCredential(AZURITE_ACCOUNT, AZURITE_KEY),
  )
  const proxy = await startProxy(origin, faults, service)
  const close = async () => {
    await proxy.close()
    await closeAzurite()
  }
  return {
    url: proxy.url,
    requests: proxy.requests,
    faults,
    service,
    async createContainer(name) {
      await service.createContainer(name)
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

function startProxy(origin: string, faults: FaultPlan, service: BlobServiceClient): Promise<FakeServer> {
  return startFakeServer({
    faults,
    answer: (request) => forward(origin, request),
    async remove({ path }) {
      const [, , container = '', ...key] = path.split('/')
      await service.getContainerClient(container).getBlobClient(key.join('/')).deleteIfExists()
    },
    refusal: (status, code) => ({
      status,
      headers: { 'Content-Type': 'application/xml', 'x-ms-error-code': code, 'x-ms-request-id': 'injected' },
      body: Buffer.from(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>injected</Message></Error>`),
    }),
  })
}

function forward(origin: string, { method, rawUrl, headers, body }: FakeRequest): Promise<FakeAnswer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(new URL(rawUrl, origin), { method, headers }, async (answer) => {
      const chunks: Buffer[] = []
      for await (const chunk of answer) chunks.push(chunk)
      const kept = Object.entries(answer.headers).filter(
        ([name]) => !['connection', 'keep-alive', 'transfer-encoding', 'content-length'].includes(name),
      )
      const length: [string, string][] =
        method === 'HEAD' ? [['content-length', answer.headers['content-length'] ?? '0']] : []
      resolve({
        status: answer.statusCode ?? 502,
        headers: Object.fromEntries([...kept, ...length]) as Record<string, string>,
        body: Buffer.concat(chunks),
      })
    })
    request.on('error', reject)
    request.end(body)
  })
}
