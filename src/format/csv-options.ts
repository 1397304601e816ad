import { CnosError } from '../errors/cnos-error.ts'
import { booleanOption, type OptionLiteral, type OptionValues, stringOption } from '../options/option-spec.ts'
import { compressionOption } from './compression-option.ts'

const literalOf = stringOption({ summary: '' }).parse

function parseDelimiter(literal: OptionLiteral, key: string): string {
  const text = literalOf(literal, key)
  if (Buffer.byteLength(text) !== 1) {
    throw new CnosError('SQL_SYNTAX', 'sql parser error: Delimiter must be a single char', {
      hint: `${key} takes one byte, such as ',' or ';'; '\\t' is two characters: put a real tab between the quotes`,
    })
  }
  if (/["\r\n\0]/.test(text)) {
    throw new CnosError('BAD_OPTION', `Semantic error: ${key} cannot be a quote, a line end or NUL`)
  }
  return text
}

/** FILE_FORMAT = (TYPE = 'CSV', …). */
export const csvOptions = {
  delimiter: {
    summary: 'What stands between two fields: one byte.',
    type: 'string',
    parse: parseDelimiter,
    default: ',',
  },
  with_header: booleanOption({
    summary: 'Whether each file begins with a line of column names. An import skips it without reading the names.',
    default: true,
  }),
  file_compression_type: compressionOption,
} as const

export type CsvOptions = OptionValues<typeof csvOptions>
