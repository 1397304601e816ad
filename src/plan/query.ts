import type { ExternalTable } from '../catalog/state.ts'
import { planSelect, type ResolvedTable, type SelectPlan, type SelectResolver } from '../engine/select.ts'
import { isCnosError } from '../errors/cnos-error.ts'
import type { Reader } from '../format/file-format.ts'
import { COMPATIBLE_VERSION } from '../model/compatible-version.ts'
import type { Query } from '../sql/ast.ts'
import type { PlanContext } from './context.ts'
import { externalTableReader } from './external-table.ts'
import { requireReadable } from './lookup.ts'
import { tableIdOf } from './names.ts'

export interface PlannedQuery extends SelectPlan {
  /** It reads system tables at most, and makes no rows of its own. */
  readonly isLight: boolean
}

/** Names of functions and clauses that make rows out of nothing. */
const ROW_MAKERS = /\b(generate_series|range|unnest|recursive|time_window_gapfill|date_bin_gapfill)\b/i

/**
 * Checks a SELECT: every table it mentions, at any depth, must exist and be readable by the session's user. The engine
 * asks for its tables without waiting; when it meets an external table whose files have not been listed, the attempt is
 * given up, the files are listed, and the SELECT is checked again.
 */
export async function planQuery(context: PlanContext, query: Query): Promise<PlannedQuery> {
  const listed = new Map<string, Reader>()
  for (;;) {
    let isLight = !ROW_MAKERS.test(query.text)
    let unlisted: { readonly key: string; readonly table: ExternalTable } | undefined
    const resolver: SelectResolver = {
      sessionValues: sessionValues(context),
      table(parts: readonly string[]): ResolvedTable {
        const id = tableIdOf(parts, context.session)
        const found = requireReadable(context, id)
        if (found.kind !== 'system') isLight = false
        const named = { alias: id.table, path: [id.tenant, id.database, id.table] }
        if (found.kind === 'rows') return { from: found.from, ...named }
        if (found.kind === 'system') return { from: found.from, columns: found.columns, ...named }
        const key = JSON.stringify([id.database, id.table])
        const reader = listed.get(key)
        if (reader) return { from: reader.from, ...named }
        unlisted = { key, table: found.table }
        throw new UnlistedFiles()
      },
    }
    try {
      const text = { text: query.text, offset: query.offset, statement: context.sql }
      const plan = await planSelect(context.engine, text, resolver, { signal: context.signal })
      const explain = listed.size > 0 ? explainAmong([...listed.values()]) : undefined
      return { ...plan, isLight, explain }
    } catch (error) {
      if (!(error instanceof UnlistedFiles) || !unlisted) throw error
      listed.set(unlisted.key, await externalTableReader(context, unlisted.table))
    }
  }
}

/** The first fault found in the files, if it is in a column that `error` is about. */
function explainAmong(readers: readonly Reader[]): NonNullable<PlannedQuery['explain']> {
  return async (error, session, options) => {
    for (const reader of readers) {
      const found = await reader.explain(error, session, options)
      if (isCnosError(found) && found.context.line !== undefined && isAbout(error, found.context.column)) return found
    }
    return error
  }
}

const isAbout = (error: unknown, column: string | undefined) =>
  column === undefined || (error instanceof Error && error.message.includes(`"${column}"`))

/** What `current_user()` and its like answer. */
function sessionValues({ session, principal }: PlanContext): Readonly<Record<string, string | null>> {
  return {
    current_user: session.user,
    current_role: principal.role ?? null,
    current_tenant: session.tenant,
    current_database: session.database,
    '@@server_version': COMPATIBLE_VERSION,
    '@@deployment_mode': 'singleton',
  }
}

/** Only ever thrown and caught here. */
class UnlistedFiles extends Error {}
