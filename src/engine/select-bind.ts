import type { Abortable } from '../async/abort.ts'
import { type CnosError, isCnosError } from '../errors/cnos-error.ts'
import type { Session } from './engine.ts'
import type { RelationColumn } from './relation.ts'
import { type SourceText, selectError, unknownField } from './select-errors.ts'
import { type BindFault, findBindFault, originOf, type PrintedSelect } from './select-parse.ts'
import type { Node } from './select-tree.ts'

/** Asks DuckDB for the columns; its complaints are told at the user's own words. */
export async function describeOrExplain(
  session: Session,
  printed: PrintedSelect,
  origin: Node,
  source: SourceText,
  fields: readonly string[],
  options: Abortable,
): Promise<readonly RelationColumn[]> {
  try {
    return await session.describe(printed.sql, options)
  } catch (error) {
    options.signal?.throwIfAborted()
    const fault = isCnosError(error, 'INTERNAL', 'META_CONFLICT')
      ? undefined
      : await findBindFault(session, printed.sql, options)
    throw fault === undefined
      ? error
      : bindError(fault, error, originOf(printed.tree, origin, fault.position), source, fields)
  }
}

const UNKNOWN_COLUMN = /^Referenced (?:column|table) "(.*?)" (?:not found|was not found)/s
const UNKNOWN_FIELD =
  /^(?:Table|Could not find key|Values list) "(.*?)" (?:does not have a column named|in struct|does not) ?"?(.*?)"?$/m

function bindError(
  fault: BindFault,
  cause: unknown,
  location: number | undefined,
  source: SourceText,
  fields: readonly string[],
): CnosError {
  const at = location ?? -1
  const unknown = UNKNOWN_COLUMN.exec(fault.message)?.[1] ?? UNKNOWN_FIELD.exec(fault.message)?.slice(1).join('.')
  if (unknown !== undefined) {
    return unknownField(unknown, fields, source, at, cause)
  }
  const [first = ''] = fault.message.split(/\n\n|\n\s*Candidate functions|\nEither add it to the GROUP BY/)
  const name = isCnosError(cause, 'CAST_FAILED') ? 'CAST_FAILED' : 'PLANNING'
  const ungrouped = /must appear in the GROUP BY/.test(first)
    ? { hint: 'Add it to GROUP BY, or take an aggregate such as max(…) or last(time, …).' }
    : {}
  return selectError(name, `Datafusion: Error during planning: ${first}`, source, at, { cause, ...ungrouped })
}
