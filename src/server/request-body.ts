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
    return use(await collect(bytes, maxBytes))
  }
  const isSmall = declared <= LARGE_BYTES && request.headers['content-encoding'] === undefined
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
  return Buffer.concat(chunks, bytes)
}
