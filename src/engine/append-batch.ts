import { CnosError } from '../errors/cnos-error.ts'
import { type Batch, type BatchLayout, tagColumnsOf, timeColumnOf } from './batch.ts'
import { type BatchFacts, readFacts } from './batch-facts.ts'
import { type ConnectionSession, inTransaction } from './duckdb-connection.ts'
import type { CopyProgress, Engine } from './engine.ts'
import type { MergePlan } from './merge-journal.ts'
import { cutTime } from './merge-slices.ts'
import { betweenSql, insertSql, type MergeInput, mergeSql } from './merge-sql.ts'
import { quoteIdentifier } from './quote.ts'
import { removeStaged, stageBatch, stagedBatch } from './staging-file.ts'
import { type AppendOptions, type StoredTable, tableReference } from './table.ts'
import type { TableState } from './table-lock.ts'

/** Below this, asking whether the series differ costs more than merging. */
const SERIES_CHECK_ROWS = 10_000n
const NO_ROWS_AT_ALL = -(2n ** 63n)

export interface AppendContext {
  readonly engine: Engine
  readonly table: StoredTable
  readonly layout: BatchLayout
  readonly state: TableState
  readonly options: AppendOptions
}

/** Either everything is stored, or the rows lie in a staged file and `merge` is what is left to do. */
export interface AppendOutcome {
  readonly rows: bigint
  readonly merge?: MergePlan
}

/** Checks the batch where it lies, and stages it only when it must be read in order or in slices. */
export async function appendInPlace(
  session: ConnectionSession,
  context: AppendContext,
  batch: Batch,
): Promise<AppendOutcome> {
  const facts = await readFacts(session, batch, context.layout, context.options)
  if (!facts) return { rows: 0n }
  const merging = facts.repeatedKeys || (await overlapsTable(session, context, batch, facts))
  const large = facts.rows > BigInt(context.engine.bulk.sliceRows)
  if (!merging || (!large && !facts.repeatedKeys)) {
    return storeAtOnce(session, context, { batch, facts, merging }, context.options.onProgress)
  }
  return withStagedFile(session, context, batch, (file) => storeStaged(session, context, { file, facts, merging }))
}

/** Reads the batch once, into a staged file, and goes on from there. */
export function appendThroughFile(
  session: ConnectionSession,
  context: AppendContext,
  batch: Batch,
): Promise<AppendOutcome> {
  return withStagedFile(session, context, batch, async (file) => {
    const staged = stagedBatch(file, context.layout)
    const facts = await readFacts(session, staged, context.layout, context.options)
    if (!facts) return { rows: 0n }
    const merging = facts.repeatedKeys || (await overlapsTable(session, context, staged, facts))
    return storeStaged(session, context, { file, facts, merging })
  })
}

/** The file stays only when a merge is left to do. */
async function withStagedFile(
  session: ConnectionSession,
  { engine, layout, options }: AppendContext,
  batch: Batch,
  work: (file: string) => Promise<AppendOutcome>,
): Promise<AppendOutcome> {
  const onProgress = scaleProgress(options.onProgress, 0, 50)
  const file = await stageBatch(session, engine, batch, layout, { onProgress })
  let outcome: AppendOutcome | undefined
  try {
    outcome = await work(file)
    return outcome
  } finally {
    if (outcome?.merge === undefined) await removeStaged(file)
  }
}

async function storeStaged(
  session: ConnectionSession,
  context: AppendContext,
  { file, facts, merging }: { readonly file: string; readonly facts: BatchFacts; readonly merging: boolean },
): Promise<AppendOutcome> {
  const { engine, table, layout, options } = context
  const batch = stagedBatch(file, layout)
  const { sliceRows } = engine.bulk
  if (!merging || facts.rows <= BigInt(sliceRows)) {
    return storeAtOnce(session, context, { batch, facts, merging }, scaleProgress(options.onProgress, 50, 100))
  }
  const slices = await cutTime(session, batch, layout, facts, sliceRows)
  const { rows, repeatedKeys } = facts
  return { rows, merge: { table: table.name, file, layout, repeatedKeys, slices, rows } }
}

interface Storable {
  readonly batch: Batch
  readonly facts: BatchFacts
  readonly merging: boolean
}

/** One statement, in a transaction so that a source which changed since it was checked leaves no trace. */
async function storeAtOnce(
  session: ConnectionSession,
  { table, layout, state }: AppendContext,
  { batch, facts, merging }: Storable,
  onProgress: ((progress: CopyProgress) => void) | undefined,
): Promise<AppendOutcome> {
  const input: MergeInput = { table: table.name, layout, batch, repeatedKeys: facts.repeatedKeys }
  const sql = merging ? mergeSql(input, { from: facts.minTime, to: facts.maxTime }) : insertSql(input)
  raiseNewest(state, facts.maxTime)
  await inTransaction(session, async () => {
    const stored = await session.run(sql, { onProgress })
    if (!facts.repeatedKeys && stored !== facts.rows) throw sourceChanged(facts.rows, stored)
  })
  return { rows: facts.rows }
}

function sourceChanged(checked: bigint, stored: bigint): CnosError {
  return new CnosError('BAD_FILE', `The source changed while it was read: ${checked} rows at first, then ${stored}`, {
    hint: 'Nothing was stored. Import files that nobody is writing to.',
  })
}

/** Before the rows are there: the bound must hold even when they come and the answer is lost. */
export function raiseNewest(state: TableState, time: bigint): void {
  if (state.newest !== undefined && time > state.newest) state.newest = time
}

/** Whether a row of the batch may have the key of a row of the table; false is certain. */
async function overlapsTable(
  session: ConnectionSession,
  { table, layout, state }: AppendContext,
  batch: Batch,
  facts: BatchFacts,
): Promise<boolean> {
  const target = tableReference(table)
  const time = quoteIdentifier(timeColumnOf(layout).name)
  if (state.newest === undefined) {
    const newest = (await session.all(`SELECT max(${time}) AS newest FROM ${target}`))[0]?.newest
    state.newest = typeof newest === 'bigint' ? newest : NO_ROWS_AT_ALL
  }
  if (facts.minTime > state.newest) return false
  const range = betweenSql(`target.${time}`, layout, { from: facts.minTime, to: facts.maxTime })
  const near = await session.all(`SELECT 1 FROM ${target} AS target WHERE ${range} LIMIT 1`)
  if (near.length === 0) return false
  if (facts.rows < SERIES_CHECK_ROWS) return true
  const common = await session.all(commonSeriesSql(target, layout, batch, range))
  return common.length > 0
}

/** One row when a series of the batch has rows in the same stretch of time: files of one host each often have none. */
function commonSeriesSql(target: string, layout: BatchLayout, { from }: Batch, range: string): string {
  const tags = tagColumnsOf(layout)
  const cells = tags.map(({ cell }) => cell)
  const series =
    cells.length === 0 ? `SELECT 1 FROM ${from} LIMIT 1` : `SELECT DISTINCT ${cells.join(', ')} FROM ${from}`
  const matches = [
    ...tags.map(({ name, cell }) => `target.${quoteIdentifier(name)} IS NOT DISTINCT FROM batch.${cell}`),
    ...layout.absentTags.map((name) => `target.${quoteIdentifier(name)} IS NULL`),
  ]
  const condition = matches.length === 0 ? 'true' : matches.join(' AND ')
  return `SELECT 1 FROM ${target} AS target SEMI JOIN (${series}) AS batch ON ${condition} WHERE ${range} LIMIT 1`
}

/** Reports 0…100 of a step as `from`…`to` of the whole. */
function scaleProgress(
  onProgress: ((progress: CopyProgress) => void) | undefined,
  from: number,
  to: number,
): ((progress: CopyProgress) => void) | undefined {
  return (
    onProgress &&
    (({ percent, rows }) => onProgress({ percent: from + (Math.max(percent, 0) * (to - from)) / 100, rows }))
  )
}
