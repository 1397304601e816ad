import { CnosError, isCnosError } from '../errors/cnos-error.ts'

/** Planning has found every column: one that is missing when a plan is run was dropped or renamed meanwhile. */
const LOST_COLUMN = /^Referenced column .* not found/

/** META_CONFLICT for the failure of a plan that came from columns which are there no more; other errors as they are. */
export function alteredMeanwhile(error: unknown): unknown {
  if (!isCnosError(error, 'PLANNING') || !LOST_COLUMN.test(error.message)) return error
  return new CnosError('META_CONFLICT', 'A table was altered or dropped meanwhile. Please try again', {
    cause: error,
    hint: 'send the statement again',
  })
}
