import { CnosError } from '../errors/cnos-error.ts'
import {
  type AppendContext,
  type AppendOutcome,
  appendThroughFile,
  scaleProgress,
  storeStaged,
  withStagedFile,
} from './append-batch.ts'
import { type Batch, timeColumnOf } from './batch.ts'
import { readFacts } from './batch-facts.ts'
import { type ConnectionSession, rollBack } from './duckdb-connection.ts'
import { insertSql } from './merge-sql.ts'
import { newestTime, overlapsTable, raiseNewest } from './overlap.ts'
import { quoteIdentifier } from './quote.ts'
import { tableReference } from './table.ts'

/**
 * For a source that is dear to read (text): when it looks newer than the table, its rows go straight into the table
 * and are checked there, in one transaction that is rolled back when they are at fault. That costs little more than
 * the bare INSERT. When they need merging after all, they are staged from there: the source is read once either way.
 */
export async function appendOnce(
  session: ConnectionSession,
  context: AppendContext,
  batch: Batch,
): Promise<AppendOutcome> {
  if (!(await looksNewer(session, context, batch))) return appendThroughFile(session, context, batch)
  await session.run('BEGIN TRANSACTION')
  try {
    return await insertAndCheck(session, context, batch)
  } finally {
    await rollBack(session)
  }
}

/** A guess from the first row, which decides about the way only. */
async function looksNewer(session: ConnectionSession, context: AppendContext, { from }: Batch): Promise<boolean> {
  const newest = await newestTime(session, context)
  const present = await session.all(`SELECT 1 FROM ${tableReference(context.table)} LIMIT 1`)
  if (present.length === 0) return true
  const first = (await session.all(`SELECT ${timeColumnOf(context.layout).cell} AS time FROM ${from} LIMIT 1`))[0]?.time
  return typeof first === 'bigint' && first > newest
}

/** Ends the transaction, with COMMIT or ROLLBACK, unless it rejects. */
async function insertAndCheck(
  session: ConnectionSession,
  context: AppendContext,
  batch: Batch,
): Promise<AppendOutcome> {
  const { table, layout, state, options } = context
  const before = await lastRowId(session, context)
  const insert = insertSql({ table: table.name, layout, batch, repeatedKeys: false })
  const rows = await session.run(insert, { onProgress: scaleProgress(options.onProgress, 0, 90) })
  const added = await rowsSince(session, context, before)
  const facts = await readFacts(session, added, layout, options)
  if ((facts?.rows ?? 0n) !== rows) throw new CnosError('INTERNAL', `${rows} rows were added, ${facts?.rows} are there`)
  if (!facts) return { rows }
  const among = `target.rowid <= ${before}`
  const merging = facts.repeatedKeys || (await overlapsTable(session, context, { batch: added, facts, among }))
  if (merging) {
    return withStagedFile(session, context, added, async (file) => {
      await session.run('ROLLBACK')
      return storeStaged(session, context, { file, facts, merging })
    })
  }
  raiseNewest(state, facts.maxTime)
  await session.run('COMMIT')
  return { rows }
}

async function lastRowId(session: ConnectionSession, { table }: AppendContext): Promise<bigint> {
  const last = (await session.all(`SELECT max(rowid) AS last FROM ${tableReference(table)}`))[0]?.last
  return typeof last === 'bigint' ? last : -1n
}

/** The rows this transaction added: DuckDB numbers them after all others, in the order they came. */
async function rowsSince(session: ConnectionSession, context: AppendContext, before: bigint): Promise<Batch> {
  const target = tableReference(context.table)
  const first = (await session.all(`SELECT min(rowid) AS first FROM ${target} WHERE rowid > ${before}`))[0]?.first
  const cells = context.layout.columns.map(({ name, cell }) => `${quoteIdentifier(name)} AS ${cell}`)
  const number = `rowid - ${typeof first === 'bigint' ? first : 0n} AS source_row`
  return { from: `(SELECT ${[...cells, number].join(', ')} FROM ${target} WHERE rowid > ${before})`, row: 'source_row' }
}
