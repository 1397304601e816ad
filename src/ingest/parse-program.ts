import { setImmediate } from 'node:timers/promises'
import { parentPort } from 'node:worker_threads'
import { isCnosError } from '../errors/cnos-error.ts'
import { buffersOf, type LineBatch } from './line-batch.ts'
import { parseLines } from './line-parser.ts'
import type { ParseAnswer, ParseMessage } from './parse-thread.ts'

/** What the thread of parse-thread.ts runs: bodies take turns, and one that nobody wants any more ends at its next. */
const wanted = new Set<number>()

async function answerTo({ id, body, options }: Extract<ParseMessage, { readonly body: Uint8Array }>): Promise<void> {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  let batches: LineBatch[] | undefined
  wanted.add(id)
  try {
    const steps = parseLines(bytes, options)
    let step = steps.next()
    for (; !step.done && wanted.has(id); step = steps.next()) await setImmediate()
    batches = step.done ? step.value : undefined
  } catch (error) {
    if (!isCnosError(error)) throw error
  }
  wanted.delete(id)
  parentPort?.postMessage({ id, batches } satisfies ParseAnswer, batches?.flatMap(buffersOf))
}

parentPort?.on('message', (message: ParseMessage) => {
  if ('body' in message) void answerTo(message)
  else wanted.delete(message.id)
})
