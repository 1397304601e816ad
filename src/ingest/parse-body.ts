import { setImmediate } from 'node:timers/promises'
import type { Abortable } from '../async/abort.ts'
import type { LineBatch } from './line-batch.ts'
import { type ParseOptions, parseLines } from './line-parser.ts'
import type { ParseThread } from './parse-thread.ts'

/** About half a millisecond of work: what is less is done sooner than handed over. */
const THREAD_BYTES = 128 * 1024

/** As `parseLines`, without keeping other requests waiting. A faulty body is read here again, which says the fault. */
export async function parseBody(
  body: Buffer,
  options: ParseOptions,
  { thread, signal }: Abortable & { readonly thread: ParseThread },
): Promise<LineBatch[]> {
  const batches = body.length < THREAD_BYTES ? undefined : await thread.parse(body, options, { signal })
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
