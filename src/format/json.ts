import { quoteIdentifier, quoteString } from '../engine/quote.ts'
import { jsonValue } from '../engine/value-text.ts'
import { compressionSuffix } from './compression-option.ts'
import { defineFileFormat, type FileColumn, type WriteRequest, type Writer } from './file-format.ts'
import { jsonOptions } from './json-options.ts'
import { inspectJson, jsonReader } from './json-reader.ts'

/** A character no JSON text holds, so that the CSV writer has nothing to quote. */
const NO_DELIMITER = '\u0001'

/** One object a line, keys in byte order, NULL and non-finite members left out. */
function jsonWriter({ columns, options }: WriteRequest<typeof jsonOptions>): Writer {
  const sorted = [...columns].sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)))
  const packing = options.file_compression_type
  return {
    projection: `${objectOf(sorted)} AS line`,
    copyOptions: [
      `FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER ${quoteString(NO_DELIMITER)}, NULLSTR ''`,
      `COMPRESSION ${packing === 'zstd' ? 'zstd' : 'none'}`,
    ].join(', '),
    compression: packing === 'gzip' ? 'gzip' : 'none',
  }
}

/**
 * A table's time is in every row: the members before it have a comma behind them, those after it one before them.
 * Without such a column every member has one before it, and the first is cut off, which costs a third more.
 */
function objectOf(columns: readonly FileColumn[]): string {
  const time = columns.findIndex(({ column }) => column?.kind === 'time')
  if (time < 0) return `'{' || substr(concat(${columns.flatMap((column) => member(column, ',')).join(', ')}), 2) || '}'`
  const members = columns.flatMap((column, i) => {
    if (i < time) return member(column, '', ',')
    return member(column, i === time ? '' : ',')
  })
  return `concat('{', ${members.join(', ')}, '}')`
}

/** `"key":` when there is a value, and the value: arguments of concat, which skips NULL. */
function member({ name, type }: FileColumn, before: string, behind = ''): readonly string[] {
  const x = quoteIdentifier(name)
  const isThere = type === 'DOUBLE' || type === 'FLOAT' ? `isfinite(${x})` : `${x} IS NOT NULL`
  const whenThere = (text: string) => `CASE WHEN ${isThere} THEN ${quoteString(text)} END`
  const parts = [whenThere(`${before}${JSON.stringify(name)}:`), jsonValue(x, type)]
  return behind === '' ? parts : [...parts, whenThere(behind)]
}

/** Newline-delimited JSON as arrow-json writes it; an import takes any whitespace between objects, or one array. */
export const json = defineFileFormat({
  names: ['JSON', 'NDJSON'],
  options: jsonOptions,
  extension: ({ file_compression_type: packing }) => `.json${compressionSuffix(packing)}`,
  writer: jsonWriter,
  reader: jsonReader,
  inspect: inspectJson,
  compression: ({ file_compression_type: packing }) => packing,
  cheapToReread: false,
})
