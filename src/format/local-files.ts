import { quoteString } from '../engine/quote.ts'
import type { Compression, LocalFile } from './file-format.ts'

/** The list argument of DuckDB's readers, which take `*`, `?` and `[` for patterns. */
export function fileList(files: readonly LocalFile[]): string {
  return `[${files.map(({ path }) => quoteString(path.replace(/[[*?]/g, '[$&]'))).join(', ')}]`
}

/** DuckDB's word for a packing. */
export function compressionName(compression: Compression | undefined): string {
  return compression === undefined || compression === 'none' ? 'uncompressed' : compression
}

/** `UNION ALL` of SELECTs as one FROM item; rows keep the order of the parts. */
export function unionAll(selects: readonly string[]): string {
  return `(${selects.join('\nUNION ALL\n')})`
}
