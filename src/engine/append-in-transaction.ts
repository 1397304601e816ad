import { CnosError, isCnosError } from '../errors/cnos-error.ts'
import {
  type AppendContext,
  type AppendOutcome,
  appendThroughFile,
  scaleProgress,
  storeStaged,
  withStagedFile,
} from './append-batch.ts'
import { type Batch, type BatchLayout, keyHash, timeColumnOf } from './batch.ts'
import { readFacts } from './batch-facts.ts'
import { type ConnectionSession, rollBack } from './duckdb-connection.ts'
import { insertSql } from './merge-sql.ts'
import { hasRowsBetween, overlapsTable, raiseNewest } from './overlap.ts'
import { quoteIdentifier } from './quote.ts'
import { type AppendOptions, tableReference } from './table.ts'
import { timeUnitOf } from './time-ticks.ts'

/** Rows of the source that a guess is made from. */
const GUESSED_ROWS = 10_000

/**
 * For a source that is dear to read (text): when it looks newer than the table and without repeated keys, its rows go
 * straight into the table, in any order, and are checked there, in one transaction that is rolled back when they are at
 * fault. That costs little more than the bare INSERT. When they need merging after all, they are staged from there.
 * What needs the order of the source, repeated keys and the number of a row at fault, reads it again.
 */
export async function appendOnce(
  session: ConnectionSession,
  context: AppendContext,
  batch: Batch,
): Promise<AppendOutcome> {
  return (await appendUnordered(session, context, [batch])) ?? appendThroughFile(session, context, batch)
}

/** A guess from the first rows, which decides about the way only: no key twice, and no row of the table at their times. */
async function looksNew(session: ConnectionSession, context: AppendContext, batch: Batch): Promise<boolean> {
  const { layout } = context
  const { cell: time, type } = timeColumnOf(layout)
  const { min, max } = timeUnitOf(type)
  const repeated = `count(*) - count(DISTINCT ${keyHash(layout, batch)}) AS repeated`
  const [first] = await session.all(
    `SELECT min(${time}) AS from_time, max(${time}) AS to_time, ${repeated} FROM (SELECT * FROM ${batch.from} LIMIT ${GUESSED_ROWS})`,
  )
  const { from_time: from, to_time: to } = first ?? {}
  if (first?.repeated !== 0n || typeof from !== 'bigint' || typeof to !== 'bigint') return false
  return from >= min && to <= max && !(await hasRowsBetween(session, context, { from, to }))
}

/**
 * One INSERT a batch, each as soon as it is there, and one check in the end. Undefined when the rows do not look new or
 * need their order after all; nothing is stored then. Rejects with what asking for a batch rejects with.
 */
export async function appendUnordered(
  session: ConnectionSession,
  context: AppendContext,
  batches: Iterable<Batch> | AsyncIterable<Batch>,
): Promise<AppendOutcome | undefined> {
  try {
    return await insertAndCheck(session, context, batches)
  } finally {
    await rollBack(session)
  }
}

/** Ends the transaction, with COMMIT or ROLLBACK, unless it rejects or has nothing to store. */
async function insertAndCheck(
  session: ConnectionSession,
  context: AppendContext,
  batches: Iterable<Batch> | AsyncIterable<Batch>,
): Promise<AppendOutcome | undefined> {
  const { table, layout, state, options } = context
  let before: bigint | undefined
  let rows = 0n
  for await (const batch of batches) {
    if (before === undefined) {
      if (!(await looksNew(session, context, batch))) return undefined
      await session.run('BEGIN TRANSACTION')
      before = await lastRowId(session, context)
    }
    const insert = insertSql({ table: table.name, layout, batch, repeatedKeys: false })
    const onProgress = addingRows(scaleProgress(options.onProgress, 0, 90), rows)
    rows += await session.run(inAnyOrder(insert, layout), { onProgress })
  }
  if (before === undefined) return { rows }
  const added = rowsSince(context, before)
  const facts = await readFacts(session, added, layout, options).catch(refusedRows)
  if (facts === 'refused' || facts?.repeatedKeys) return undefined
  if ((facts?.rows ?? 0n) !== rows) throw new CnosError('INTERNAL', `${rows} rows were added, ${facts?.rows} are there`)
  if (!facts) return { rows }
  const among = `target.rowid <= ${before}`
  if (await overlapsTable(session, context, { batch: added, facts, among })) {
    return withStagedFile(session, context, added, async (file) => {
      await session.run('ROLLBACK')
      return storeStaged(session, context, { file, facts, merging: true })
    })
  }
  raiseNewest(state, facts.maxTime)
  await session.run('COMMIT')
  return { rows }
}

/** Counts rows of earlier statements in. */
function addingRows(onProgress: AppendOptions['onProgress'], earlier: bigint): AppendOptions['onProgress'] {
  return onProgress && (({ percent, rows }) => onProgress({ percent, rows: earlier + rows }))
}

/** Faults whose message names a row by its number in the source. */
function refusedRows(error: unknown): 'refused' {
  if (isCnosError(error, 'TIME_IS_NULL', 'FIELDS_EMPTY', 'QUERIED_INVALID_GEOMETRY')) return 'refused'
  throw error
}

/**
 * An aggregate has no order, and with it neither has the union: DuckDB then lets every thread store what it has read,
 * instead of copying the rows into the order of the source.
 */
function inAnyOrder(insert: string, { columns }: BatchLayout): string {
  return `${insert} UNION ALL SELECT ${columns.map(() => 'NULL').join(', ')} FROM (SELECT range FROM range(0) GROUP BY range)`
}

async function lastRowId(session: ConnectionSession, { table }: AppendContext): Promise<bigint> {
  const last = (await session.all(`SELECT max(rowid) AS last FROM ${tableReference(table)}`))[0]?.last
  return typeof last === 'bigint' ? last : -1n
}

/** The rows this transaction added: DuckDB numbers them after all others. */
function rowsSince({ table, layout }: AppendContext, before: bigint): Batch {
  const cells = layout.columns.map(({ name, cell }) => `${quoteIdentifier(name)} AS ${cell}`)
  return { from: `(SELECT ${cells.join(', ')} FROM ${tableReference(table)} WHERE rowid > ${before})` }
}
