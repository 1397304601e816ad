import { CnosError } from '../errors/cnos-error.ts'
import type { Column, DataType, TableSchema } from '../model/schema.ts'
import { quoteIdentifier } from './quote.ts'

/** A column of the table and the cell of the batch (`c3`) that feeds it. */
export interface BatchColumn {
  readonly name: string
  readonly kind: Column['kind']
  readonly type: DataType
  readonly cell: string
}

/** How the columns of a batch lie to those of its table. Plain data: it goes into the journal. */
export interface BatchLayout {
  /** In the batch's own order: `c0`, `c1`, … */
  readonly columns: readonly BatchColumn[]
  /** Tags of the table that the batch lacks: NULL in every row. */
  readonly absentTags: readonly string[]
}

/** Rows that can be read more than once. */
export interface Batch {
  /** A FROM item that yields the cells of the layout, and `row` when there is one. */
  readonly from: string
  /** The name of a column that counts the rows in the order of the source. */
  readonly row?: string
  /** Columns that tell keys apart as well as time and tags do, but cheaper. */
  readonly keys?: string
}

export const cellName = (index: number) => `c${index}`

/** Rejects a column that the table does not have with INSERT_COLUMN_UNKNOWN, a batch without time with TIME_IS_NULL. */
export function layoutOf(schema: TableSchema, names: readonly string[]): BatchLayout {
  const columns = names.map((name, index): BatchColumn => {
    const column = schema.columns.find((candidate) => candidate.name === name)
    if (!column) {
      const expected = schema.columns.map((known) => known.name).join(',')
      throw new CnosError(
        'INSERT_COLUMN_UNKNOWN',
        `Insert column '${name}' does not exist in target table, expect ${expected}`,
        { context: { column: name } },
      )
    }
    return { name, kind: column.kind, type: column.type, cell: cellName(index) }
  })
  if (!columns.some((column) => column.kind === 'time')) {
    throw new CnosError('TIME_IS_NULL', 'Column time cannot be null.', {
      hint: 'The source has no column for time: add one.',
    })
  }
  const absentTags = schema.columns.filter((column) => column.kind === 'tag' && !names.includes(column.name))
  return { columns, absentTags: absentTags.map((column) => column.name) }
}

export const timeColumnOf = ({ columns }: BatchLayout) =>
  columns.find((column) => column.kind === 'time') as BatchColumn
export const tagColumnsOf = ({ columns }: BatchLayout) => columns.filter((column) => column.kind === 'tag')
export const fieldColumnsOf = ({ columns }: BatchLayout) => columns.filter((column) => column.kind === 'field')
export const cellsOf = ({ columns }: BatchLayout) => columns.map((column) => column.cell).join(', ')
export const namesOf = ({ columns }: BatchLayout) => columns.map((column) => quoteIdentifier(column.name)).join(', ')

/** A hash of what tells one row from another. */
export function keyHash(layout: BatchLayout, { keys }: Batch): string {
  return `hash(${keys ?? keyCells(layout)})`
}

/** The cells that tell one row from another: time and tags. */
export function keyCells(layout: BatchLayout): string {
  return [timeColumnOf(layout), ...tagColumnsOf(layout)].map((column) => column.cell).join(', ')
}
