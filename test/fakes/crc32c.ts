const POLYNOMIAL = 0x82f63b78

const FIRST = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1
  return value >>> 0
})

/** Eight tables of 256, for eight bytes at a time: a byte of table `k` has `k` bytes behind it. */
const TABLES = new Uint32Array(8 * 256)
TABLES.set(FIRST)
for (let i = 256; i < TABLES.length; i += 1) {
  const before = TABLES[i - 256] as number
  TABLES[i] = (before >>> 8) ^ (FIRST[before & 0xff] as number)
}

/** CRC32C (Castagnoli, RFC 3720), big-endian in base64, as Google Cloud Storage prints it. */
export function crc32c(bytes: Uint8Array): string {
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const table = (k: number, byte: number) => TABLES[k * 256 + (byte & 0xff)] as number
  let crc = -1
  let i = 0
  for (; i + 8 <= bytes.length; i += 8) {
    const low = crc ^ words.getInt32(i, true)
    const high = words.getInt32(i + 4, true)
    crc =
      table(7, low) ^
      table(6, low >>> 8) ^
      table(5, low >>> 16) ^
      table(4, low >>> 24) ^
      table(3, high) ^
      table(2, high >>> 8) ^
      table(1, high >>> 16) ^
      table(0, high >>> 24)
  }
  for (; i < bytes.length; i += 1) crc = (crc >>> 8) ^ table(0, crc ^ (bytes[i] as number))
  const result = Buffer.alloc(4)
  result.writeInt32BE(~crc)
  return result.toString('base64')
}
