import type { Abortable } from '../async/abort.ts'
import type { Session } from '../engine/engine.ts'
import { quoteIdentifier, quoteString } from '../engine/quote.ts'
import type { RelationColumn } from '../engine/relation.ts'
import { isNestedType, plainText } from '../engine/value-text.ts'
import { CnosError } from '../errors/cnos-error.ts'
import { compressionSuffix } from './compression-option.ts'
import { readHead } from './csv-head.ts'
import { type CsvOptions, csvOptions } from './csv-options.ts'
import { csvReader } from './csv-reader.ts'
import { defineFileFormat, type FileColumn, type LocalFile, type WriteRequest, type Writer } from './file-format.ts'

/** Text of every value as CnosDB has it; NULL is nothing, an empty string is `""`, so that both survive. */
function csvWriter({ columns, options }: WriteRequest<typeof csvOptions>): Writer {
  const texts = columns.map((column) => `${textOf(column, columns.length)} AS ${quoteIdentifier(column.name)}`)
  const { delimiter, with_header: hasHeader, file_compression_type: packing } = options
  return {
    projection: texts.join(', '),
    copyOptions: [
      `FORMAT csv, HEADER ${hasHeader}, DELIMITER ${quoteString(delimiter)}`,
      `QUOTE '"', ESCAPE '"', NULLSTR '', COMPRESSION ${packing === 'zstd' ? 'zstd' : 'none'}`,
    ].join(', '),
    compression: packing === 'gzip' ? 'gzip' : 'none',
  }
}

function textOf({ name, type }: FileColumn, columnCount: number): string {
  if (isNestedType(type)) {
    throw new CnosError(
      'PLANNING',
      `Failed to serialize data to csv bytes, error: column ${name} of type ${type} has no text in CSV`,
      { context: { column: name }, hint: 'export it as JSON or Parquet, or select its parts' },
    )
  }
  const text = plainText(quoteIdentifier(name), type)
  // A line that holds a single NULL would be blank, and readers skip blank lines.
  return columnCount === 1 ? `coalesce(${text}, '')` : text
}

async function inspectCsv(
  files: readonly LocalFile[],
  { delimiter, with_header: hasHeader }: CsvOptions,
  session: Session,
  waiting: Abortable = {},
): Promise<readonly RelationColumn[]> {
  for (const file of files) {
    const head = await readHead(file, delimiter, session, waiting)
    if (!head) continue
    return head.fields.map((name, i) => ({ name: hasHeader ? name : `column_${i + 1}`, type: 'VARCHAR' }))
  }
  return []
}

/** Comma-separated values as arrow-csv reads and writes them, with `''` and NULL kept apart. */
export const csv = defineFileFormat({
  names: ['CSV'],
  options: csvOptions,
  extension: ({ file_compression_type: packing }) => `.csv${compressionSuffix(packing)}`,
  writer: csvWriter,
  reader: csvReader,
  inspect: inspectCsv,
  compression: ({ file_compression_type: packing }) => packing,
  cheapToReread: false,
})
