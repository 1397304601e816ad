import type { OptionValues } from '../options/option-spec.ts'
import { compressionOption } from './compression-option.ts'

/** FILE_FORMAT = (TYPE = 'JSON', …). */
export const jsonOptions = { file_compression_type: compressionOption } as const

export type JsonOptions = OptionValues<typeof jsonOptions>
