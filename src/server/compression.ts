import type { Duplex } from 'node:stream'
import * as zlib from 'node:zlib'
import { CnosError } from '../errors/cnos-error.ts'
import { through } from './byte-streams.ts'

/** The names CnosDB knows; snappy and lz4 are known, and refused, because Node has no codec for them. */
const NAMES = ['gzip', 'deflate', 'br', 'zstd', 'snappy', 'lz4', 'identity'] as const
type EncodingName = (typeof NAMES)[number]

interface Codec {
  compress(): Duplex
  decompress(): Duplex
}

/** `deflate` is raw, as CnosDB's is; zstd came with Node 22.15. */
const CODECS: Readonly<Record<EncodingName, Codec | undefined>> = {
  gzip: { compress: () => zlib.createGzip({ level: 1 }), decompress: () => zlib.createGunzip() },
  deflate: { compress: () => zlib.createDeflateRaw({ level: 1 }), decompress: () => zlib.createInflateRaw() },
  br: { compress: createFastBrotli, decompress: () => zlib.createBrotliDecompress() },
  zstd: zstdCodec(),
  snappy: undefined,
  lz4: undefined,
  identity: undefined,
}

function createFastBrotli(): Duplex {
  return zlib.createBrotliCompress({ params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 3 } })
}

function zstdCodec(): Codec | undefined {
  const { createZstdCompress, createZstdDecompress } = zlib as unknown as Partial<
    Record<'createZstdCompress' | 'createZstdDecompress', () => Duplex>
  >
  return createZstdCompress && createZstdDecompress
    ? { compress: createZstdCompress, decompress: createZstdDecompress }
    : undefined
}

const isUsable = (name: string): name is EncodingName =>
  name === 'identity' || (NAMES.includes(name as EncodingName) && CODECS[name as EncodingName] !== undefined)

const usableNames = () => NAMES.filter(isUsable).join(', ')

/** What to do with a result: its Content-Encoding, and the stream that makes it, unless it leaves as it is. */
export interface ResponseEncoding {
  readonly name: string | undefined
  readonly compress: (() => Duplex) | undefined
}

/**
 * The first element of Accept-Encoding that is exactly a name this server has a codec for; no q-values. Without the
 * header nothing is compressed. Throws BAD_HEADER when none matches.
 */
export function responseEncodingOf(acceptEncoding: string | undefined): ResponseEncoding {
  if (acceptEncoding === undefined) return { name: undefined, compress: undefined }
  const names = acceptEncoding.split(',').map((name) => name.trim())
  const name = names.find(isUsable)
  if (name) return { name, compress: CODECS[name]?.compress }
  throw new CnosError('BAD_HEADER', `Invalid header: accept encoding not support: ${acceptEncoding}`, {
    hint: `send one of ${usableNames()}, without q-values`,
  })
}

/**
 * The bytes of a body, decompressed as Content-Encoding says. Throws BAD_HEADER for an unknown name at once, and
 * BAD_BODY_ENCODING while reading bytes that do not decode.
 */
export function decodeBody(
  body: AsyncIterable<Uint8Array>,
  contentEncoding: string | undefined,
): AsyncIterable<Uint8Array> {
  if (contentEncoding === undefined || contentEncoding === 'identity') return body
  const codec = isUsable(contentEncoding) ? CODECS[contentEncoding] : undefined
  if (codec) return decompressed(body, contentEncoding, codec.decompress())
  throw new CnosError('BAD_HEADER', `Invalid header: content encoding not support: ${contentEncoding}`, {
    hint: `send one of ${usableNames()}`,
  })
}

async function* decompressed(body: AsyncIterable<Uint8Array>, name: string, stream: Duplex): AsyncIterable<Uint8Array> {
  try {
    yield* through(body, stream)
  } catch (error) {
    if (!isCodecError(error)) throw error
    throw new CnosError('BAD_BODY_ENCODING', `Error decode request: the body is not ${name}`, {
      cause: error,
      hint: name === 'deflate' ? 'deflate is raw deflate here, without a zlib header' : 'check Content-Encoding',
    })
  }
}

/** zlib's codes begin with Z_, brotli's and zstd's with ERR_, as `ERR__ERROR_FORMAT_PADDING_1`. */
function isCodecError(error: unknown): boolean {
  const { code, errno } = error as NodeJS.ErrnoException
  return typeof errno === 'number' && /^(Z_|ERR_|ZSTD_)/.test(code ?? '')
}
