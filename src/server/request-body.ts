import { CnosError } from '../errors/cnos-error.ts'
import { decodeBody } from './compression.ts'
import type { Exchange, ServerContext } from './exchange.ts'

/** A body above this waits for one of the slots of `largeBodies`. */
const LARGE_BYTES = 8 * 1024 * 1024

/** Thrown for a body above the limit: answered 413, empty. */
export class PayloadTooLarge extends Error {}

/**
 * Reads a body of at most `maxBytes`, packed and unpacked, and gives it to `use`; memory for large ones is bounded.
 * Throws PayloadTooLarge, BAD_HEADER or BAD_BODY_ENCODING.
 */
export async function withBody<T>(
  exchange: Exchange,
  context: ServerContext,
  maxBytes: number,
  use: (body: Buffer) => Promise<T>,
): Promise<T> {
  const { request, response, signal } = exchange
  const declared = Number(request.headers['content-length'] ?? Number.NaN)
  if (declared > maxBytes) throw new PayloadTooLarge()
  const bytes = decodeBody(
    limited(request.iterator({ destroyOnReturn: false }), maxBytes),
    request.headers['content-encoding'],
  )
  const read = async () => {
    if (request.headers.expect?.toLowerCase() === '100-continue') response.writeContinue()
    return use(isPlain ? await fill(bytes, declared) : await collect(bytes, maxBytes))
  }
  const isEncoded = request.headers['content-encoding'] !== undefined
  const isPlain = !isEncoded && !Number.isNaN(declared)
  const isSmall = declared <= LARGE_BYTES && !isEncoded
  return isSmall || maxBytes <= 2 * LARGE_BYTES ? read() : context.largeBodies.run(read, { signal })
}

async function* limited(source: AsyncIterable<Uint8Array>, maxBytes: number): AsyncIterable<Uint8Array> {
  let bytes = 0
  for await (const chunk of source) {
    bytes += chunk.length
    if (bytes > maxBytes) throw new PayloadTooLarge()
    yield chunk
  }
}

/** In memory that threads can share. */
const allocate = (bytes: number) => Buffer.from(new SharedArrayBuffer(bytes))

/** HTTP itself sees to it that no more come. */
async function fill(source: AsyncIterable<Uint8Array>, declared: number): Promise<Buffer> {
  const body = allocate(declared)
  let bytes = 0
  for await (const chunk of source) {
    body.set(chunk, bytes)
    bytes += chunk.length
  }
  return body.subarray(0, bytes)
}

async function collect(source: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of source) {
    bytes += chunk.length
    if (bytes > maxBytes) {
      throw new CnosError(
        'BAD_BODY_ENCODING',
        `Error decode request: the body unpacks to more than ${maxBytes} bytes`,
        {
          hint: 'send it in several requests',
        },
      )
    }
    chunks.push(chunk)
  }
  const body = allocate(bytes)
  let end = 0
  for (const chunk of chunks) {
    body.set(chunk, end)
    end += chunk.length
  }
  return body
}
