import { crc32 } from 'node:zlib'

/** https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html */

/** The content of an `aws-chunked` body; undefined when its framing or its trailing CRC32 is wrong. */
export function decodeAwsChunked(body: Buffer): Buffer | undefined {
  const chunks: Buffer[] = []
  let position = 0
  while (true) {
    const end = body.indexOf('\r\n', position)
    if (end < 0) return undefined
    const size = Number.parseInt(body.toString('latin1', position, end).split(';')[0] ?? '', 16)
    if (Number.isNaN(size)) return undefined
    if (size === 0) return checkTrailer(Buffer.concat(chunks), body.toString('latin1', end + 2))
    chunks.push(body.subarray(end + 2, end + 2 + size))
    position = end + 2 + size + 2
  }
}

function checkTrailer(content: Buffer, trailer: string): Buffer | undefined {
  const told = /x-amz-checksum-crc32:([A-Za-z0-9+/=]+)/.exec(trailer)?.[1]
  if (told === undefined) return content
  return told === crc32Base64(content) ? content : undefined
}

export function crc32Base64(content: Uint8Array): string {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(crc32(content))
  return bytes.toString('base64')
}
