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

const LONGEST_LINE_BYTES = 16 * 1024 * 1024

/** A FROM item with the lines of a zstd file as they are, in the column `line`. */
export function rawLines(file: LocalFile): string {
  return `read_csv(${fileList([file])}, columns = {'line': 'VARCHAR'}, auto_detect = false, header = false, \
delim = ${quoteString('\u0001')}, quote = '', escape = '', new_line = '\\n', compression = 'zstd', strict_mode = false, \
parallel = false, max_line_size = ${LONGEST_LINE_BYTES}, buffer_size = ${2 * LONGEST_LINE_BYTES}, hive_partitioning = false)`
}
