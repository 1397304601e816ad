import { CnosError } from '../errors/cnos-error.ts'
import { type OptionLiteral, stringOption } from '../options/option-spec.ts'
import type { Compression } from './file-format.ts'

const COMPRESSION_OF: Readonly<Record<string, Compression>> = {
  '': 'none',
  GZIP: 'gzip',
  GZ: 'gzip',
  ZSTD: 'zstd',
  ZST: 'zstd',
}

const UNAVAILABLE: ReadonlySet<string> = new Set(['BZIP2', 'BZ2', 'XZ'])

const literalOf = stringOption({ summary: '' }).parse

/** `file_compression_type` of CSV and JSON. */
export const compressionOption = {
  summary:
    "How the whole file is packed: 'GZIP', 'ZSTD' or ''. Unset: export packs nothing, import goes by the files themselves.",
  type: 'string',
  parse(literal: OptionLiteral, key: string): Compression {
    const text = literalOf(literal, key)
    const compression = COMPRESSION_OF[text.toUpperCase()]
    if (compression) return compression
    if (UNAVAILABLE.has(text.toUpperCase())) {
      throw new CnosError('UNSUPPORTED', `${text} files cannot be read or written`, {
        hint: 'use GZIP or ZSTD; for an import, unpack the files first',
      })
    }
    throw new CnosError(
      'BAD_OPTION',
      `Semantic error: Unknown FileCompressionType: ${text}, only support GZIP | BZIP2 | ZSTD`,
    )
  },
} as const

/** `.gz`, `.zst` or nothing. */
export function compressionSuffix(compression: Compression | undefined): string {
  return compression === 'gzip' ? '.gz' : compression === 'zstd' ? '.zst' : ''
}
