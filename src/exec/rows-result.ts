import type { Abortable } from '../async/abort.ts'
import type { Engine, EngineRow, EngineTuple } from '../engine/engine.ts'
import { columnReferences, type Relation } from '../engine/relation.ts'
import { CnosError } from '../errors/cnos-error.ts'
import { literalRelation } from '../plan/literal-relation.ts'
import { alteredMeanwhile } from './altered-meanwhile.ts'
import type { QueryHandle } from './query-registry.ts'
import type { RowsResult } from './result.ts'
import type { StatementSlots } from './statement-slots.ts'

interface RowsOptions {
  /** The rows wait for a turn before they are computed. */
  readonly slots?: StatementSlots | undefined
  /** The statement has done what it does: killing it must not turn its answer into an error. */
  readonly isDone?: boolean
}

/**
 * The rows of a relation, computed while they are read. The statement stays on the list of running queries until the
 * last row was read, reading stopped or failed, `close` was called, or it was aborted before anybody read.
 */
export function rowsResult(
  engine: Engine,
  relation: Relation,
  handle: QueryHandle,
  { slots, isDone = false }: RowsOptions = {},
): RowsResult {
  const stop = new AbortController()
  let isRead = false

  const end = () => {
    handle.signal.removeEventListener('abort', onAbort)
    handle.end()
  }
  const onAbort = () => {
    if (!isRead) end()
  }
  handle.signal.addEventListener('abort', onAbort, { once: true })
  if (handle.signal.aborted) onAbort()

  const start = (signal: AbortSignal | undefined): AbortSignal => {
    if (isRead) throw new CnosError('INTERNAL', 'the rows of a result are read once')
    isRead = true
    return AbortSignal.any([stop.signal, ...(isDone ? [] : [handle.signal]), ...(signal ? [signal] : [])])
  }

  const explained = async (error: unknown, signal: AbortSignal) => {
    signal.throwIfAborted()
    const altered = alteredMeanwhile(error)
    return altered === error && relation.explain ? relation.explain(error, engine, { signal }) : altered
  }

  const readAtOnce = async <T>(read: (signal: AbortSignal) => Promise<T>, signal: AbortSignal | undefined) => {
    const linked = start(signal)
    try {
      return await (slots ? slots.run(() => read(linked), { signal: linked }) : read(linked))
    } catch (error) {
      throw await explained(error, linked)
    } finally {
      end()
    }
  }

  return {
    kind: 'rows',
    columns: relation.columns,
    maxRows: relation.maxRows,
    async *lines(expression: string, { signal }: Abortable = {}) {
      const linked = start(signal)
      let rows = 0n
      let release: (() => void) | undefined
      try {
        release = await slots?.take({ signal: linked })
        for await (const batch of engine.lines(linesOf(relation, expression), { signal: linked })) {
          rows += BigInt(batch.length)
          handle.setProgress({ rows, percent: -1 })
          yield batch
        }
      } catch (error) {
        throw await explained(error, linked)
      } finally {
        release?.()
        end()
      }
    },
    values({ signal }: Abortable = {}): Promise<readonly EngineTuple[]> {
      return readAtOnce(async (linked) => {
        linked.throwIfAborted()
        return relation.rows ?? engine.values(relation.select, { signal: linked })
      }, signal)
    },
    all({ signal }: Abortable = {}): Promise<readonly EngineRow[]> {
      return readAtOnce((linked) => engine.all(relation.select, { signal: linked }), signal)
    },
    close() {
      stop.abort(new CnosError('QUERY_CANCELED', 'The query has been canceled', { hint: 'its result was closed' }))
      if (!isRead) end()
    },
  }
}

/** What INSERT, UPDATE and COPY INTO answer once they are done: one column `rows`. */
export function rowCountResult(engine: Engine, rows: bigint, handle: QueryHandle): RowsResult {
  return rowsResult(engine, literalRelation([{ name: 'rows', type: 'UBIGINT' }], [[rows]]), handle, { isDone: true })
}

function linesOf(relation: Relation, expression: string): string {
  const names = columnReferences(relation.columns).join(', ')
  return `SELECT ${expression} FROM (${relation.select}\n) AS result(${names})`
}
