import { CnosError } from '../errors/cnos-error.ts'
import { parseDuration } from '../model/duration.ts'
import type { Column } from '../model/schema.ts'
import { type CatalogState, type ForeignColumn, requireTable, type StreamTable } from './state.ts'

/** Options of CREATE STREAM TABLE, in the order of the dump; all but the last are mandatory. */
export const STREAM_OPTIONS = ['db', 'table', 'event_time_column', 'watermark_delay'] as const

type Stream = Pick<StreamTable, 'tenant' | 'options' | 'columns'>

/**
 * Whether a stream table can stand: known options, a time-series table as its source, and columns that the source has
 * with the same types. Throws BAD_OPTION, TABLE_NOT_FOUND, COLUMN_NOT_FOUND or PLANNING.
 */
export function checkStream(state: CatalogState, { tenant, options, columns }: Stream): void {
  for (const name of Object.keys(options)) {
    if (STREAM_OPTIONS.some((known) => known === name)) continue
    throw new CnosError('BAD_OPTION', `Semantic error: Unsupported option [${name}]`, {
      hint: `known are ${STREAM_OPTIONS.join(', ')}`,
    })
  }
  const [db, table, eventTime] = [
    required(options, 'db'),
    required(options, 'table'),
    required(options, 'event_time_column'),
  ]
  if (options.watermark_delay !== undefined) parseDuration(options.watermark_delay, 'watermark_delay')
  const source = requireTable(state, tenant, db, table)
  if (source.engine !== 'TSKV') {
    throw new CnosError('PLANNING', `Datafusion: Error during planning: ${db}.${table} is no time-series table`, {
      hint: 'a stream table reads a time-series table',
    })
  }
  const sourceColumns = source.schema.columns
  for (const column of columns) checkSameColumn(column, sourceColumns, `${db}.${table}`)
  checkSameColumn({ name: eventTime, type: 'TIMESTAMP' }, sourceColumns, `${db}.${table}`)
}

function required(options: StreamTable['options'], name: string): string {
  const value = options[name]
  if (value !== undefined) return value
  throw new CnosError('BAD_OPTION', `Semantic error: \`${name}\` must be initialized`)
}

function checkSameColumn({ name, type }: ForeignColumn, source: readonly Column[], table: string): void {
  const column = source.find((candidate) => candidate.name === name)
  if (!column) {
    throw new CnosError('COLUMN_NOT_FOUND', `Semantic error: Column ${name} not found in table ${table}`, {
      context: { column: name },
      hint: `it has ${source.map((candidate) => candidate.name).join(', ')}`,
    })
  }
  const expected = column.kind === 'time' ? 'TIMESTAMP' : column.type.toUpperCase()
  if (type === expected || (column.kind === 'time' && type.startsWith('TIMESTAMP('))) return
  throw new CnosError(
    'PLANNING',
    `Datafusion: Error during planning: Column ${name} is ${type}, but ${expected} in the source table ${table}`,
    { context: { column: name } },
  )
}
