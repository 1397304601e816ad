import { CnosError } from '../errors/cnos-error.ts'
import { csv } from './csv.ts'
import type { FileFormat } from './file-format.ts'
import { json } from './json.ts'
import { parquet } from './parquet.ts'

/** Every format COPY INTO can read and write; the first is the default. */
export const fileFormats: readonly [FileFormat, ...FileFormat[]] = [csv, json, parquet]

/** The format of a TYPE, in any case. UNSUPPORTED for Avro, BAD_OPTION for what CnosDB does not know either. */
export function findFormat(type: string): FileFormat {
  const wanted = type.toUpperCase()
  const format = fileFormats.find(({ names }) => names.includes(wanted))
  if (format) return format
  if (wanted === 'AVRO') {
    throw new CnosError('UNSUPPORTED', 'TYPE AVRO is not supported', { hint: 'use PARQUET, CSV or JSON' })
  }
  throw new CnosError(
    'BAD_OPTION',
    `Semantic error: Unknown FileType: ${type}, only support AVRO | PARQUET | CSV | JSON`,
  )
}
