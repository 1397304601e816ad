import type { Abortable } from '../async/abort.ts'
import type { Session } from '../engine/engine.ts'
import { quoteIdentifier } from '../engine/quote.ts'
import type { Relation } from '../engine/relation.ts'

/** A stretch of time from `from` (included) to `to` (excluded), in ticks; `to` is open for the last. */
export interface TimeSlice {
  readonly from: bigint
  readonly to: bigint | undefined
  readonly rows: bigint
}

const TIME = 'time'
const BUCKETS = 4096n
const SCANS: ReadonlySet<string> = new Set(['PROJECTION', 'FILTER', 'SEQ_SCAN', 'TABLE_SCAN'])
/** Would give other values, or pick other rows, each time the relation is read. */
const VOLATILE = /\b(random|uuid\w*|gen_random_uuid|nextval|setseed)\b/i

interface TimeType {
  readonly toTicks: (x: string) => string
  readonly fromTicks: (ticks: bigint) => string
}

const TIME_TYPE_OF: Readonly<Record<string, TimeType>> = {
  TIMESTAMP_NS: { toTicks: (x) => `epoch_ns(${x})`, fromTicks: (ticks) => `make_timestamp_ns(${ticks})` },
  TIMESTAMP: { toTicks: (x) => `epoch_us(${x})`, fromTicks: (ticks) => `make_timestamp(${ticks})` },
  TIMESTAMP_MS: {
    toTicks: (x) => `epoch_ms(${x})`,
    fromTicks: (ticks) => `CAST(make_timestamp_ms(${ticks}) AS TIMESTAMP_MS)`,
  },
}

function timeTypeOf({ columns }: Relation): TimeType | undefined {
  return TIME_TYPE_OF[columns.find(({ name }) => name === TIME)?.type ?? '']
}

/**
 * Whether the rows can be read in slices of their time at little more cost than at once: a scan of one table with
 * filters and expressions, but no aggregate, join, sort, limit or window, and no row without a time.
 */
export async function canSlice(session: Session, relation: Relation, options: Abortable = {}): Promise<boolean> {
  if (!timeTypeOf(relation) || VOLATILE.test(relation.select)) return false
  const [row] = await session.all(`EXPLAIN (FORMAT json) ${relation.select}`, options)
  if (!isScan(String(row?.explain_value ?? ''))) return false
  const [missing] = await session.all(`SELECT 1 FROM (${relation.select}\n) WHERE "${TIME}" IS NULL LIMIT 1`, options)
  return missing === undefined
}

interface PlanNode {
  readonly name: string
  readonly children: readonly PlanNode[]
}

function isScan(planText: string): boolean {
  let nodes: readonly PlanNode[]
  try {
    nodes = JSON.parse(planText) as readonly PlanNode[]
  } catch {
    return false
  }
  while (nodes.length === 1) {
    const node = nodes[0] as PlanNode
    if (!SCANS.has(node.name.trim())) return false
    nodes = node.children
  }
  return nodes.length === 0
}

/** Stretches of equal length with their numbers of rows, ascending; empty ones left out. */
export async function timeHistogram(
  session: Session,
  relation: Relation,
  options: Abortable = {},
): Promise<readonly TimeSlice[]> {
  const ticks = timeTypeOf(relation)?.toTicks(quoteIdentifier(TIME)) ?? 'NULL'
  const [range] = await session.all(
    `SELECT min(${ticks}) AS first, max(${ticks}) AS last FROM (${relation.select}\n)`,
    options,
  )
  const { first, last } = range ?? {}
  if (typeof first !== 'bigint' || typeof last !== 'bigint') return []
  const width = (last - first) / BUCKETS + 1n
  const rows = await session.all(
    `SELECT CAST((CAST(${ticks} AS HUGEINT) - ${first}) // ${width} AS BIGINT) AS bucket, count(*) AS rows FROM (${relation.select}\n) GROUP BY bucket ORDER BY bucket`,
    options,
  )
  return rows.map((row) => {
    const from = first + (row.bucket as bigint) * width
    return { from, to: from + width, rows: row.rows as bigint }
  })
}

const SAMPLED_ROWS = 2000

/** Bytes of a row as text with its column names, on the average of the first rows: no format takes more. */
export async function sampleRowBytes(session: Session, relation: Relation, options: Abortable = {}): Promise<number> {
  const [row] = await session.all(
    `SELECT avg(strlen(CAST(sample AS VARCHAR))) AS bytes FROM (SELECT * FROM (${relation.select}\n) LIMIT ${SAMPLED_ROWS}) AS sample`,
    options,
  )
  return typeof row?.bytes === 'number' ? row.bytes : 1
}

/** Takes neighbouring stretches off the front of `histogram`, at least one, until they hold `rows`. */
export function takeSlice(histogram: TimeSlice[], rows: bigint): TimeSlice {
  let slice = histogram.shift() as TimeSlice
  while (histogram[0] && slice.rows + histogram[0].rows <= rows) {
    slice = { from: slice.from, to: undefined, rows: slice.rows + (histogram.shift() as TimeSlice).rows }
  }
  return { ...slice, to: histogram[0]?.from }
}

/** The relation's rows of a slice. */
export function sliceOf(relation: Relation, { from, to }: TimeSlice): string {
  const fromTicks = timeTypeOf(relation)?.fromTicks ?? String
  const time = quoteIdentifier(TIME)
  const end = to === undefined ? '' : ` AND ${time} < ${fromTicks(to)}`
  return `SELECT * FROM (${relation.select}\n) WHERE ${time} >= ${fromTicks(from)}${end}`
}
