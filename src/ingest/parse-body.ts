import { setImmediate } from 'node:timers/promises'
import type { Abortable } from '../async/abort.ts'
import type { LineBatch } from './line-batch.ts'
import { type ParseOptions, parseLines } from './line-parser.ts'
import type { ParseThread } from './parse-thread.ts'

/** About half a millisecond of work: what is less is done sooner than handed over. */
const THREAD_BYTES = 128 * 1024
/** The same while there is nothing that could be done meanwhile. */
const THREAD_BYTES_ALONE = 4 * 1024 * 1024

export interface ParseBodyOptions extends Abortable {
  readonly thread: ParseThread
  /** Whether nobody else has work for the main thread. */
  readonly isAlone: boolean
}

/** As `parseLines`, without keeping other requests waiting. A faulty body is read here again, which says the fault. */
export async function parseBody(
  body: Buffer,
  options: ParseOptions,
  { thread, isAlone, signal }: ParseBodyOptions,
): Promise<LineBatch[]> {
  const isHandedOver = body.length >= (isAlone ? THREAD_BYTES_ALONE : THREAD_BYTES)
  const batches = isHandedOver ? await thread.parse(body, options, { signal }) : undefined
  return batches ?? parseInTurns(parseLines(body, options), { signal })
}

async function parseInTurns(steps: Generator<void, LineBatch[]>, { signal }: Abortable): Promise<LineBatch[]> {
  for (;;) {
    signal?.throwIfAborted()
    const step = steps.next()
    if (step.done) return step.value
    await setImmediate()
  }
}
