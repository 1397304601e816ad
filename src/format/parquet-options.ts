import { CnosError } from '../errors/cnos-error.ts'
import { type OptionLiteral, type OptionValues, stringOption } from '../options/option-spec.ts'

const CODECS = ['uncompressed', 'snappy', 'gzip', 'zstd', 'lz4', 'brotli'] as const

type Codec = (typeof CODECS)[number]

const literalOf = stringOption({ summary: '' }).parse

const codecOption = {
  summary: `How an export packs the pages: ${CODECS.map((name) => `'${name}'`).join(', ')}; 'zstd' when unset. An import reads all of them.`,
  type: 'string',
  parse(literal: OptionLiteral, key: string): Codec {
    const text = literalOf(literal, key).toLowerCase()
    const codec = CODECS.find((name) => name === (text === '' || text === 'none' ? 'uncompressed' : text))
    if (codec) return codec
    throw new CnosError('BAD_OPTION', `Semantic error: Unknown compression [${text}]`, {
      hint: `${key} takes ${CODECS.join(', ')}`,
    })
  },
} as const

/** FILE_FORMAT = (TYPE = 'PARQUET', …). */
export const parquetOptions = { compression: codecOption, parquet_compression: codecOption } as const

export type ParquetOptions = OptionValues<typeof parquetOptions>
