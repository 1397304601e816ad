import { parseDuration } from '../model/duration.ts'
import type { MetadataStatement } from './cluster-metadata.ts'
import type { BackupUnit } from './read-backup.ts'
import { databaseName } from './target-objects.ts'
import { parseTimeNs } from './unit.ts'

interface ImportedUnit {
  readonly source: BackupUnit
  readonly target: { readonly tenant: string; readonly database: string }
}

/** Databases whose restored TTL is shorter than the age of rows in these units, one sentence each. */
export function expiringRows(
  meta: readonly MetadataStatement[],
  units: readonly ImportedUnit[],
  nowNs: bigint,
): string[] {
  return meta.flatMap(({ tenant = 'cnosdb', statement }) => {
    const ttl = statement.kind === 'create-database' ? statement.options.get('ttl') : undefined
    if (statement.kind !== 'create-database' || ttl === undefined) return []
    const duration = parseDuration(String(ttl), 'TTL')
    if (duration === 'INF') return []
    const old = units.filter(({ source, target }) => {
      const firstNs = parseTimeNs(source.columns?.time?.min ?? '')
      return (
        target.tenant === tenant &&
        target.database === statement.name &&
        firstNs !== undefined &&
        firstNs < nowNs - duration
      )
    })
    if (old.length === 0) return []
    const name = databaseName(tenant, statement.name)
    return [
      `rows older than TTL '${ttl}' of ${name}, in ${old.length} units: they expire now that the TTL holds again (import them with --data-only into a database without TTL to keep them)`,
    ]
  })
}
