import type { RelationColumn } from '../engine/relation.ts'
import { engineTypeOf } from '../engine/table.ts'
import { CnosError } from '../errors/cnos-error.ts'
import type { ReadColumn } from '../format/file-format.ts'
import type { Column, TableSchema } from '../model/schema.ts'

/** Which file columns are read into which table columns. */
export interface ColumnMapping {
  readonly columns: readonly ReadColumn[]
  /** All columns of a file, by position. */
  readonly fileColumns: readonly string[]
}

/**
 * The table's columns a load fills, in the order of the list, or all in stored order. Throws INSERT_COLUMN_UNKNOWN,
 * DUPLICATE_COLUMN, TIME_IS_NULL.
 */
export function targetColumns(schema: TableSchema, listed: readonly string[] | undefined): readonly Column[] {
  if (listed === undefined) return schema.columns
  const columns = listed.map((name) => {
    const column = schema.columns.find((candidate) => candidate.name === name)
    if (column) return column
    const known = schema.columns.map((candidate) => candidate.name).join(',')
    throw new CnosError(
      'INSERT_COLUMN_UNKNOWN',
      `Semantic error: Insert column '${name}' does not exist in target table, expect ${known}`,
      { context: { column: name } },
    )
  })
  const repeated = listed.find((name, i) => listed.indexOf(name) !== i)
  if (repeated !== undefined) {
    throw new CnosError('DUPLICATE_COLUMN', `Semantic error: column ${repeated} is listed twice`, {
      context: { column: repeated },
    })
  }
  if (!columns.some(({ kind }) => kind === 'time')) {
    throw new CnosError('TIME_IS_NULL', 'Column time cannot be null.', {
      context: { column: 'time' },
      hint: 'add time to the column list',
    })
  }
  return columns
}

const readColumn = (column: Column, source: string): ReadColumn => ({
  name: column.name,
  type: engineTypeOf(column.type),
  column,
  source,
})

/** auto_infer_schema = false: the files have the target's columns, CSV in this order, the others by name. */
export function declaredMapping(targets: readonly Column[]): ColumnMapping {
  return {
    columns: targets.map((column) => readColumn(column, column.name)),
    fileColumns: targets.map((column) => column.name),
  }
}

/**
 * auto_infer_schema = true: by name when the files have every target column, else by position. Throws
 * INSERT_COLUMNS_MISMATCH, column by column, when the files have fewer columns than the target.
 */
export function inferredMapping(targets: readonly Column[], found: readonly RelationColumn[]): ColumnMapping {
  const fileColumns = found.map(({ name }) => name)
  const names = new Set(fileColumns)
  if (fileColumns.length < targets.length) throw mismatch(targets, found)
  const isByName = targets.every(({ name }) => names.has(name))
  const columns = targets.map((column, i) => readColumn(column, isByName ? column.name : (fileColumns[i] as string)))
  return { columns, fileColumns }
}

function mismatch(targets: readonly Column[], found: readonly RelationColumn[]): CnosError {
  const names = new Set(found.map(({ name }) => name))
  const missing = targets.filter(({ name }) => !names.has(name)).map(({ name }) => name)
  const pairs = targets.map(({ name, type }, i) => {
    const source = found[i]
    return `  ${i + 1}. ${name} ${type} <- ${source ? source.name : 'nothing'}`
  })
  return new CnosError(
    'INSERT_COLUMNS_MISMATCH',
    [
      `Semantic error: Insert columns and Source columns not match: ${targets.length} are needed, the files have ${found.length}`,
      ...pairs,
    ].join('\n'),
    {
      hint: `not in the files: ${missing.join(', ') || 'none'}; list only the columns the files have after the table's name, or set auto_infer_schema = false`,
    },
  )
}
