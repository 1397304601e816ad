import type { Session } from '../engine/engine.ts'
import { quoteIdentifier } from '../engine/quote.ts'
import type { RelationColumn } from '../engine/relation.ts'

const SAMPLED_ROWS = 1000

/** What arrow-csv tells apart, the narrowest first; a column is text when nothing fits, or when it is empty. */
const PATTERNS: readonly (readonly [type: string, pattern: string])[] = [
  ['BOOLEAN', '(?i)true|false'],
  ['BIGINT', '[+-]?[0-9]{1,18}'],
  ['DOUBLE', '(?i)[+-]?(?:[0-9]+\\.?[0-9]*|\\.[0-9]+)(?:e[+-]?[0-9]+)?|[+-]?(?:nan|inf|infinity)'],
  ['DATE', '[0-9]{4}-[0-9]{2}-[0-9]{2}'],
  ['TIMESTAMP_NS', '[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\\.[0-9]{1,9})?'],
]

/** The types that the texts of the first 1000 rows of `from` suggest, for columns that are all VARCHAR. */
export async function inferTextTypes(
  session: Session,
  from: string,
  columns: readonly RelationColumn[],
  options: { readonly signal: AbortSignal | undefined },
): Promise<readonly RelationColumn[]> {
  if (columns.length === 0) return columns
  const checks = columns.flatMap(({ name }, index) =>
    PATTERNS.map(([type, pattern]) => {
      const cell = `nullif(${quoteIdentifier(name)}, '')`
      return `bool_and(regexp_full_match(${cell}, '${pattern}')) AS ${quoteIdentifier(`${index} ${type}`)}`
    }),
  )
  const [row] = await session.all(
    `SELECT ${checks.join(', ')} FROM (SELECT * FROM ${from} AS text LIMIT ${SAMPLED_ROWS}) AS sample`,
    options,
  )
  return columns.map(({ name }, index) => ({
    name,
    type: PATTERNS.find(([type]) => row?.[`${index} ${type}`] === true)?.[0] ?? 'VARCHAR',
  }))
}
