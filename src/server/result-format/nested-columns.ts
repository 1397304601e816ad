import type { ResultColumn } from '../../database.ts'
import { isNestedType } from '../../engine/value-text.ts'
import { CnosError } from '../../errors/cnos-error.ts'

/** Throws PLANNING when a column has no text in a flat format: a list, struct, map or blob. */
export function refuseNested(columns: readonly ResultColumn[], format: string): void {
  const nested = columns.find((column) => isNestedType(column.type))
  if (!nested) return
  throw new CnosError('PLANNING', `Column '${nested.name}' of type ${nested.type} cannot be written as ${format}`, {
    context: { column: nested.name },
    hint: 'ask for Accept: application/json, or select its parts',
  })
}
