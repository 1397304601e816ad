import type { Database } from '../../database.ts'
import { resultFormatOf } from '../../server/result-format/result-format.ts'
import type { SqlConnection } from './sql-connection.ts'

/** Runs SQL on a data directory opened in this process, and closes it in the end. */
export function createEmbeddedConnection(
  database: Database,
  label: string,
  login: { readonly user: string; readonly password: string },
): SqlConnection {
  return {
    label,
    async check(scope, { signal } = {}) {
      await database.authenticate({ ...login, ...scope }, { signal })
    },
    async *execute(sql, scope, format, { signal } = {}) {
      const session = await database.authenticate({ ...login, ...scope }, { signal })
      const result = await database.execute(session, sql, { signal })
      if (result.kind === 'none') return
      try {
        yield* resultFormatOf(`text/${format}`).render(result, { signal })
      } finally {
        result.close()
      }
    },
    [Symbol.asyncDispose]: () => database.close(),
  }
}
