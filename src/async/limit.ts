import type { Abortable } from './abort.ts'

/**
 * A counting semaphore: at most `capacity` holders at once, first come, first served.
 * The only way parallel work is bounded in this project.
 */
export class Limit {
  readonly capacity: number
  #free: number
  readonly #waiting: { grant: () => void }[] = []

  constructor(capacity: number) {
    if (!Number.isSafeInteger(capacity) || capacity < 1)
      throw new RangeError(`capacity must be at least 1, not ${capacity}`)
    this.capacity = capacity
    this.#free = capacity
  }

  get inUse(): number {
    return this.capacity - this.#free
  }

  /** Runs `task` when a slot is free. Rejects with `signal.reason` when aborted while waiting. */
  async run<T>(task: () => Promise<T>, { signal }: Abortable = {}): Promise<T> {
    await this.#acquire(signal)
    try {
      return await task()
    } finally {
      this.#release()
    }
  }

  #acquire(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted()
    if (this.#free > 0) {
      this.#free -= 1
      return Promise.resolve()
    }
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1)
        reject(signal?.reason)
      }
      const waiter = {
        grant: () => {
          signal?.removeEventListener('abort', onAbort)
          resolve()
        },
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#waiting.push(waiter)
    })
  }

  #release(): void {
    const next = this.#waiting.shift()
    if (next) next.grant()
    else this.#free += 1
  }
}

/**
 * Runs `task` over `items`, at most `limit` at once, and resolves when all have settled. After the first failure no
 * further item starts, `signal` given to the running ones aborts, and the first failure is rethrown once nothing runs.
 */
export async function forEachLimited<T>(
  items: Iterable<T> | AsyncIterable<T>,
  limit: number,
  task: (item: T, options: { readonly signal: AbortSignal }) => Promise<void>,
  { signal }: Abortable = {},
): Promise<void> {
  const stop = new AbortController()
  const linked = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal
  const slots = new Limit(limit)
  const running = new Set<Promise<void>>()
  let failure: { readonly error: unknown } | undefined
  const fail = (error: unknown) => {
    failure ??= { error }
    stop.abort(error)
  }
  try {
    for await (const item of items) {
      if (linked.aborted) break
      let started: () => void = () => {}
      const slotTaken = new Promise<void>((resolve) => {
        started = resolve
      })
      const work: Promise<void> = slots
        .run(
          () => {
            started()
            // Inside the slot: once it is free, the next item would start before anybody knew of the failure.
            return task(item, { signal: linked }).catch(fail)
          },
          { signal: linked },
        )
        .catch(fail)
        .finally(() => {
          started()
          running.delete(work)
        })
      running.add(work)
      await slotTaken
    }
  } catch (error) {
    fail(error)
  }
  await Promise.all(running)
  if (signal?.aborted) throw signal.reason
  if (failure) throw failure.error
}

/** The same for tasks that give something: resolves with it, in the order of `items`. */
export async function mapLimited<T, R>(
  items: readonly T[],
  limit: number,
  task: (item: T, options: { readonly signal: AbortSignal }) => Promise<R>,
  options: Abortable = {},
): Promise<R[]> {
  const results = new Array<R>(items.length)
  await forEachLimited(
    items.entries(),
    limit,
    async ([at, item], inner) => {
      results[at] = await task(item, inner)
    },
    options,
  )
  return results
}
