import type { Abortable } from '../async/abort.ts'
import { isCnosError } from '../errors/cnos-error.ts'

const SHARES = 2

interface Waiter {
  readonly shares: number
  readonly grant: () => void
}

/**
 * The spool, cut in two: two COPYs with an object store run at once, each within its half, however many are asked for.
 * First come, first served.
 */
export class SpoolShares {
  readonly #bytes: number
  #free = SHARES
  readonly #waiting: Waiter[] = []

  constructor(bytes: number) {
    this.#bytes = bytes
  }

  /**
   * Runs `work` with half of the spool. When that is too small (NO_SPACE: a single large file, for example) it is run
   * once more, alone, with all of it. `work` must leave nothing behind when it fails.
   */
  async run<T>(work: (spoolBytes: number) => Promise<T>, options: Abortable): Promise<T> {
    try {
      return await this.#with(1, () => work(Math.floor(this.#bytes / SHARES)), options)
    } catch (error) {
      options.signal?.throwIfAborted()
      if (!isCnosError(error, 'NO_SPACE')) throw error
      return this.#with(SHARES, () => work(this.#bytes), options)
    }
  }

  async #with<T>(shares: number, work: () => Promise<T>, options: Abortable): Promise<T> {
    await this.#acquire(shares, options)
    try {
      return await work()
    } finally {
      this.#free += shares
      this.#grantNext()
    }
  }

  #acquire(shares: number, { signal }: Abortable): Promise<void> {
    signal?.throwIfAborted()
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1)
        reject(signal?.reason)
        this.#grantNext()
      }
      const waiter: Waiter = {
        shares,
        grant: () => {
          signal?.removeEventListener('abort', onAbort)
          resolve()
        },
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#waiting.push(waiter)
      this.#grantNext()
    })
  }

  #grantNext(): void {
    for (let next = this.#waiting[0]; next && next.shares <= this.#free; next = this.#waiting[0]) {
      this.#waiting.shift()
      this.#free -= next.shares
      next.grant()
    }
  }
}
