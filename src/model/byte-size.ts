import { CnosError } from '../errors/cnos-error.ts'

const BINARY = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

/**
 * `128MiB`, `128 MiB`, `128M` and `128K` are powers of 1024; `1GB` is a power of 1000; a bare number is bytes. Throws
 * BAD_OPTION for other text, and for a fraction that is no whole number of bytes.
 */
export function parseByteSize(text: string, option: string): bigint {
  const match = /^(\d+)(?:\.(\d+))?\s*(?:([KMGTP])(i?)(B?)|B)?$/i.exec(text.trim())
  if (!match) refuse(text, option)
  const [, whole = '0', fraction = '', letter = '', isBinary, isBytes] = match
  const power = letter === '' ? 0 : 'KMGTP'.indexOf(letter.toUpperCase()) + 1
  const base = isBinary || !isBytes ? 1024n : 1000n
  const scale = 10n ** BigInt(fraction.length)
  const scaled = BigInt(whole + fraction) * base ** BigInt(power)
  if (scaled % scale !== 0n) refuse(text, option)
  return scaled / scale
}

function refuse(text: string, option: string): never {
  throw new CnosError('BAD_OPTION', `Semantic error: '${text}' is not a valid size for ${option}`, {
    hint: `write ${option} '128MiB' or '1GiB'`,
  })
}

/** Binary units with as many digits as needed: `512 MiB`, `286.102294921875 MiB`. Exact. */
export function printByteSize(bytes: bigint): string {
  let power = 0
  while (power < BINARY.length - 1 && bytes >= 1024n ** BigInt(power + 1)) power += 1
  const unit = 1024n ** BigInt(power)
  let rest = bytes % unit
  let digits = ''
  while (rest > 0n) {
    rest *= 10n
    digits += String(rest / unit)
    rest %= unit
  }
  return `${bytes / unit}${digits === '' ? '' : `.${digits}`} ${BINARY[power]}`
}
