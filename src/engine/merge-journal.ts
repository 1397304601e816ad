import { stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Abortable } from '../async/abort.ts'
import { CnosError, isCnosError } from '../errors/cnos-error.ts'
import type { BatchLayout } from './batch.ts'
import type { CopyProgress, Engine } from './engine.ts'
import { mergeSql, type TimeRange } from './merge-sql.ts'
import { quoteString } from './quote.ts'
import { removeAllStaged, removeStaged, stagedBatch, syncStaged } from './staging-file.ts'

/**
 * An import too large for one transaction. Once its row is in the journal it will happen: its rows are checked and lie
 * in a staged file, and every slice that is merged is counted in the same transaction.
 */
export interface MergePlan {
  /** The physical table's name. */
  readonly table: string
  /** In the staging directory; only its name counts, so that the data directory can be moved. */
  readonly file: string
  readonly layout: BatchLayout
  readonly repeatedKeys: boolean
  readonly slices: readonly TimeRange[]
  readonly rows: bigint
}

export interface PendingMerge {
  readonly plan: MergePlan
  nextSlice: number
}

const JOURNAL = 'journal.merges'

export async function createJournal(engine: Engine): Promise<void> {
  const known = await engine.all(
    "SELECT 1 FROM duckdb_tables() WHERE schema_name = 'journal' AND table_name = 'merges'",
  )
  if (known.length > 0) return
  await engine.transaction(async (session) => {
    await session.run('CREATE SCHEMA IF NOT EXISTS journal')
    await session.run(`CREATE TABLE ${JOURNAL} (file VARCHAR, plan VARCHAR, next_slice INTEGER)`)
  })
}

/**
 * The point of no return: from here on the merge is finished, whatever happens to this process. When it rejects, the
 * staged file is left to the next open, because only the journal knows whether the commit came through.
 */
export async function commitMerge(engine: Engine, plan: MergePlan, { signal }: Abortable): Promise<PendingMerge> {
  const path = stagedPath(engine, plan)
  try {
    await syncStaged(path, engine.bulk.stagingDirectory)
    signal?.throwIfAborted()
  } catch (error) {
    await removeStaged(path)
    throw error
  }
  await engine.run(`INSERT INTO ${JOURNAL} VALUES (${quoteString(plan.file)}, ${quoteString(encodePlan(plan))}, 0)`)
  return { plan, nextSlice: 0 }
}

/** Merges the slices that are left. When it rejects, the merge can be run again. */
export async function runMerge(
  engine: Engine,
  merge: PendingMerge,
  onProgress?: (progress: CopyProgress) => void,
): Promise<void> {
  const { plan } = merge
  const layout = await presentLayout(engine, plan)
  while (layout !== undefined && merge.nextSlice < plan.slices.length) {
    await mergeSlice(engine, { ...plan, layout }, merge.nextSlice)
    merge.nextSlice += 1
    const done = merge.nextSlice / plan.slices.length
    onProgress?.({ percent: done * 100, rows: BigInt(Math.floor(Number(plan.rows) * done)) })
  }
  await engine.run(`DELETE FROM ${JOURNAL} WHERE file = ${quoteString(plan.file)}`)
  await removeStaged(stagedPath(engine, plan))
  await engine.checkpoint()
}

/**
 * The layout without the columns that the table has lost since, so that a merge can always be finished; undefined when
 * the table is gone.
 */
async function presentLayout(engine: Engine, { table, layout }: MergePlan): Promise<BatchLayout | undefined> {
  const rows = await engine.all(
    `SELECT column_name AS name FROM duckdb_columns() WHERE schema_name = 'data' AND table_name = ${quoteString(table)}`,
  )
  const present = new Set(rows.map((row) => row.name))
  if (present.size === 0) return undefined
  return {
    columns: layout.columns.filter(({ name }) => present.has(name)),
    absentTags: layout.absentTags.filter((name) => present.has(name)),
  }
}

function mergeSlice(engine: Engine, plan: MergePlan, slice: number): Promise<void> {
  const { table, layout, repeatedKeys } = plan
  const range = plan.slices[slice] as TimeRange
  const batch = stagedBatch(stagedPath(engine, plan), layout, range)
  return engine.transaction(async (session) => {
    await session.run(mergeSql({ table, layout, batch, repeatedKeys }, range))
    await session.run(`UPDATE ${JOURNAL} SET next_slice = ${slice + 1} WHERE file = ${quoteString(plan.file)}`)
  })
}

/**
 * Finishes the merges a crash left in the journal, and removes the staged files of those that never got there. Rejects
 * with NO_SPACE, OUT_OF_MEMORY or DATA_DIRECTORY; the next open tries again.
 */
export async function recoverMerges(engine: Engine): Promise<void> {
  const rows = await engine.all(`SELECT plan, next_slice FROM ${JOURNAL}`)
  for (const row of rows) {
    const merge: PendingMerge = { plan: decodePlan(String(row.plan)), nextSlice: Number(row.next_slice) }
    await finishAfterCrash(engine, merge)
  }
  await removeAllStaged(engine.bulk.stagingDirectory)
}

async function finishAfterCrash(engine: Engine, merge: PendingMerge): Promise<void> {
  try {
    if (merge.nextSlice < merge.plan.slices.length) await requireFile(stagedPath(engine, merge.plan))
    await runMerge(engine, merge)
  } catch (error) {
    if (!isCnosError(error) || error.errorName === 'DATA_DIRECTORY') throw error
    throw new CnosError(error.errorName, `An import that was interrupted cannot be finished: ${error.message}`, {
      cause: error,
      hint: 'Nothing is lost: mend the cause and start again. The rows wait in the staging directory.',
    })
  }
}

async function requireFile(file: string): Promise<void> {
  try {
    await stat(file)
  } catch (error) {
    throw new CnosError('DATA_DIRECTORY', `The data directory lacks ${file}, which an interrupted import needs.`, {
      cause: error,
      hint: 'Put the file back, or restore the data directory from a backup.',
    })
  }
}

const stagedPath = (engine: Engine, plan: MergePlan) => join(engine.bulk.stagingDirectory, basename(plan.file))

function encodePlan({ slices, rows, ...rest }: MergePlan): string {
  const texts = slices.map(({ from, to }) => [String(from), String(to)])
  return JSON.stringify({ ...rest, slices: texts, rows: String(rows) })
}

function decodePlan(text: string): MergePlan {
  const { slices, rows, ...rest } = JSON.parse(text) as Omit<MergePlan, 'slices' | 'rows'> & {
    readonly slices: readonly (readonly [string, string])[]
    readonly rows: string
  }
  return {
    ...rest,
    slices: slices.map(([from, to]) => ({ from: BigInt(from), to: BigInt(to) })),
    rows: BigInt(rows),
  }
}
