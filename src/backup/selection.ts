import { CnosError } from '../errors/cnos-error.ts'
import { type MetadataStatement, SYSTEM_TENANT } from './cluster-metadata.ts'

/** Which objects a verb works on: `--include` and `--exclude`, each repeatable, `tenant.database.table` with `*` and `?`. */
export interface Selection {
  includesTenant(tenant: string): boolean
  includesDatabase(tenant: string, database: string): boolean
  includesTable(tenant: string, database: string, table: string): boolean
  /** The first `--include` that none of these objects (tenant, database, table, as far as it has them) matches. */
  unmatched(objects: readonly (readonly string[])[]): string | undefined
}

export interface SelectionOptions {
  readonly include: readonly string[]
  readonly exclude: readonly string[]
}

interface Pattern {
  /** One to three matchers: tenant, database, table. */
  readonly parts: readonly RegExp[]
}

/**
 * `tenant`, `tenant.database` or `tenant.database.table`; missing parts match everything. Without `--include` all
 * is included; `--exclude` wins over `--include`. Throws USAGE for an empty pattern or more than three parts.
 */
export function parseSelection({ include, exclude }: SelectionOptions): Selection {
  const included = include.map((text) => parsePattern(text, '--include'))
  const excluded = exclude.map((text) => parsePattern(text, '--exclude'))
  const mayMatch = (names: readonly string[]) =>
    included.length === 0 || included.some((pattern) => matchesPrefix(pattern, names))
  const isExcluded = (names: readonly string[]) =>
    excluded.some((pattern) => pattern.parts.length <= names.length && matchesPrefix(pattern, names))
  const includes = (...names: readonly string[]) => mayMatch(names) && !isExcluded(names)
  return {
    includesTenant: (tenant) => includes(tenant),
    includesDatabase: (tenant, database) => includes(tenant, database),
    includesTable: (tenant, database, table) => includes(tenant, database, table),
    unmatched(objects) {
      const isMatched = ({ parts }: Pattern) =>
        objects.some((names) => names.length >= parts.length && parts.every((part, i) => part.test(names[i] as string)))
      return include[included.findIndex((pattern) => !isMatched(pattern))]
    },
  }
}

/** Throws USAGE for an `--include` that matches nothing of what was found in `where`: it is misspelt. */
export function refuseUnmatched(selection: Selection, found: readonly MetadataStatement[], where: string): void {
  const objects = found.flatMap(({ tenant = SYSTEM_TENANT, statement }): string[][] => {
    if (statement.kind === 'create-tenant') return [[statement.name]]
    if (statement.kind === 'create-database') return [[tenant, statement.name]]
    return 'table' in statement ? [[tenant, ...statement.table.parts]] : []
  })
  const pattern = selection.unmatched(objects)
  if (pattern === undefined) return
  throw new CnosError('USAGE', `--include ${pattern} matches nothing in ${where}`, {
    hint: 'write tenant, tenant.database or tenant.database.table as they are called, without quotes; * and ? are wildcards, also for a dot in a name',
  })
}

function parsePattern(text: string, flag: string): Pattern {
  const parts = text.split('.')
  if (parts.length > 3 || parts.some((part) => part === '')) {
    throw new CnosError('USAGE', `${flag} ${text}: not a pattern`, {
      hint: `write ${flag} tenant, ${flag} tenant.database or ${flag} tenant.database.table; * and ? are wildcards`,
    })
  }
  return { parts: parts.map(globToRegExp) }
}

function globToRegExp(glob: string): RegExp {
  const body = glob
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${body}$`, 's')
}

function matchesPrefix(pattern: Pattern, names: readonly string[]): boolean {
  return names.every((name, i) => pattern.parts[i]?.test(name) ?? true)
}
