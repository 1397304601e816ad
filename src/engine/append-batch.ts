import { CnosError } from '../errors/cnos-error.ts'
import type { Batch, BatchLayout } from './batch.ts'
import { type BatchFacts, readFacts } from './batch-facts.ts'
import { type ConnectionSession, inTransaction } from './duckdb-connection.ts'
import type { CopyProgress, Engine } from './engine.ts'
import type { MergePlan } from './merge-journal.ts'
import { cutTime } from './merge-slices.ts'
import { insertSql, type MergeInput, mergeSql } from './merge-sql.ts'
import { overlapsTable, raiseNewest } from './overlap.ts'
import { removeStaged, stageBatch, stagedBatch } from './staging-file.ts'
import type { AppendOptions, StoredTable } from './table.ts'
import type { TableState } from './table-lock.ts'

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
  const merging = facts.repeatedKeys || (await overlapsTable(session, context, { batch, facts }))
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
    const merging = facts.repeatedKeys || (await overlapsTable(session, context, { batch: staged, facts }))
    return storeStaged(session, context, { file, facts, merging })
  })
}

/** The file stays only when a merge is left to do. */
export async function withStagedFile(
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

export async function storeStaged(
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

/** Reports 0…100 of a step as `from`…`to` of the whole. */
export function scaleProgress(
  onProgress: ((progress: CopyProgress) => void) | undefined,
  from: number,
  to: number,
): ((progress: CopyProgress) => void) | undefined {
  return (
    onProgress &&
    (({ percent, rows }) => onProgress({ percent: from + (Math.max(percent, 0) * (to - from)) / 100, rows }))
  )
}
