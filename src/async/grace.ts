import type { Abortable } from './abort.ts'

/**
 * Runs work that is better finished than broken off, such as a request that may take effect although nobody waits for
 * its answer: its signal aborts `graceMs` after the outer one. Rejects with the outer signal's reason once that was
 * aborted, however the work ended.
 */
export async function withGrace<T>(
  graceMs: number,
  { signal: outer }: Abortable,
  work: (options: Abortable) => Promise<T>,
): Promise<T> {
  outer?.throwIfAborted()
  const controller = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const wait = () => {
    timer = setTimeout(() => controller.abort(outer?.reason), graceMs)
  }
  outer?.addEventListener('abort', wait, { once: true })
  try {
    return await work({ signal: controller.signal })
  } finally {
    clearTimeout(timer)
    outer?.removeEventListener('abort', wait)
    outer?.throwIfAborted()
  }
}
