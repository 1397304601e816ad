import { quoteString } from '../engine/quote.ts'
import type { Compression, LocalFile } from './file-format.ts'

/** The list argument of DuckDB's readers, which take `*`, `?` and `[` for patterns. */
export function fileList(files: readonly LocalFile[]): string {
  return `[${files.map(({ path }) => quoteString(path.replace(/[[*?]/g, '[$&]'))).join(', ')}]`
}

/** Runs of neighbours packed alike: one reader call each, in order. */
export function runsOfCompression(files: readonly LocalFile[]): readonly (readonly LocalFile[])[] {
  const runs: LocalFile[][] = []
  let current: Compression | undefined
  for (const file of files) {
    if (file.compression !== current) runs.push([])
    current = file.compression
    runs.at(-1)?.push(file)
  }
  return runs
}

/** `UNION ALL` of SELECTs as one FROM item; rows keep the order of the parts. */
export function unionAll(selects: readonly string[]): string {
  return `(${selects.join('\nUNION ALL\n')})`
}
