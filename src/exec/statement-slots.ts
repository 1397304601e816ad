import type { Abortable } from '../async/abort.ts'
import { Limit } from '../async/limit.ts'

/**
 * Turns of the statements that may take long. They get fewer than the engine has connections, so that SHOW QUERIES,
 * KILL QUERY, `SELECT 1` and planning find one at any time.
 */
export class StatementSlots {
  readonly #limit: Limit

  constructor(capacity: number) {
    this.#limit = new Limit(capacity)
  }

  /** Turns that are taken. */
  get inUse(): number {
    return this.#limit.inUse
  }

  /** Runs `work` when it is its turn. */
  run<T>(work: () => Promise<T>, options: Abortable): Promise<T> {
    return this.#limit.run(work, options)
  }

  /** Waits for a turn, which lasts until the returned function is called. */
  take(options: Abortable): Promise<() => void> {
    return new Promise((resolve, reject) => {
      const turn = () => new Promise<void>((release) => resolve(release))
      this.#limit.run(turn, options).catch(reject)
    })
  }
}
