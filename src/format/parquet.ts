import { quoteIdentifier, quoteString } from '../engine/quote.ts'
import { defineFileFormat, type FileColumn, type WriteRequest, type Writer } from './file-format.ts'
import { parquetOptions } from './parquet-options.ts'
import { inspectParquet, parquetReader } from './parquet-reader.ts'

/** Types Parquet has no place for leave as the nearest one that has. */
const WRITTEN_AS: Readonly<Record<string, string>> = {
  TIMESTAMP_S: 'TIMESTAMP_MS',
  UHUGEINT: 'VARCHAR',
  HUGEINT: 'VARCHAR',
}

/** DuckDB's row groups: large enough to pack well, small enough for the writer's memory. */
const ROW_GROUP_ROWS = 122_880

function writtenColumn({ name, type }: FileColumn): string {
  const x = quoteIdentifier(name)
  const written = WRITTEN_AS[type]
  return written === undefined ? x : `CAST(${x} AS ${written}) AS ${x}`
}

/** Times in the database's own unit and not adjusted to UTC, unsigned integers as such; `metadata` as key-value pairs. */
function parquetWriter({ columns, options, metadata }: WriteRequest<typeof parquetOptions>): Writer {
  const pairs = [...metadata].map(([key, value]) => `${quoteIdentifier(key)}: ${quoteString(value)}`)
  const codec = options.parquet_compression ?? options.compression ?? 'zstd'
  return {
    projection: columns.map(writtenColumn).join(', '),
    copyOptions: [
      `FORMAT parquet, COMPRESSION ${codec}, ROW_GROUP_SIZE ${ROW_GROUP_ROWS}`,
      ...(pairs.length > 0 ? [`KV_METADATA {${pairs.join(', ')}}`] : []),
    ].join(', '),
    compression: 'none',
  }
}

/** Apache Parquet, by column name. */
export const parquet = defineFileFormat({
  names: ['PARQUET'],
  options: parquetOptions,
  extension: () => '.parquet',
  writer: parquetWriter,
  reader: parquetReader,
  inspect: inspectParquet,
  compression: () => 'none',
  cheapToReread: true,
})
