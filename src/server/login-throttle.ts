import type { Abortable } from '../async/abort.ts'
import type { Clock } from '../async/clock.ts'
import { CnosError, isCnosError } from '../errors/cnos-error.ts'

const FREE_FAILURES = 3
const FIRST_DELAY_MS = 250
const MAX_DELAY_MS = 5_000
const MAX_HELD = 8
const FORGET_AFTER_MS = 15 * 60_000
const MAX_ORIGINS = 10_000

interface Failures {
  count: number
  held: number
  lastMs: number
}

/**
 * Slows down guessing: after three failures of one user from one address, each further refusal is held back, 250 ms
 * doubling to 5 s, and at most eight are held at once. A right password is never delayed and forgives.
 */
export class LoginThrottle {
  readonly #clock: Clock
  readonly #failures = new Map<string, Failures>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Runs `signIn` for one attempt. Rejects with LIMIT_REACHED, without trying, while too many refusals for the same
   * origin are held back, and otherwise with whatever `signIn` rejects with.
   */
  async attempt<T>(origin: string, signIn: () => Promise<T>, { signal }: Abortable = {}): Promise<T> {
    const known = this.#known(origin)
    if (known && known.held >= MAX_HELD) {
      throw new CnosError('LIMIT_REACHED', 'Sign-ins of this user from this address reached limit', {
        hint: 'the password was wrong too often; wait a few seconds',
      })
    }
    try {
      const result = await signIn()
      this.#failures.delete(origin)
      return result
    } catch (error) {
      if (isCnosError(error, 'ACCESS_DENIED')) await this.#hold(origin, { signal })
      throw error
    }
  }

  #known(origin: string): Failures | undefined {
    const known = this.#failures.get(origin)
    if (!known || known.held > 0 || this.#clock.elapsedMs() - known.lastMs < FORGET_AFTER_MS) return known
    this.#failures.delete(origin)
    return undefined
  }

  async #hold(origin: string, { signal }: Abortable): Promise<void> {
    const failures = this.#known(origin) ?? { count: 0, held: 0, lastMs: 0 }
    failures.count += 1
    failures.lastMs = this.#clock.elapsedMs()
    this.#failures.delete(origin)
    this.#failures.set(origin, failures)
    this.#forgetOldest()
    if (failures.count <= FREE_FAILURES) return
    failures.held += 1
    try {
      const delayMs = FIRST_DELAY_MS * 2 ** Math.min(failures.count - FREE_FAILURES - 1, 16)
      await this.#clock.sleep(Math.min(delayMs, MAX_DELAY_MS), { signal })
    } finally {
      failures.held -= 1
    }
  }

  #forgetOldest(): void {
    for (const origin of this.#failures.keys()) {
      if (this.#failures.size <= MAX_ORIGINS) return
      this.#failures.delete(origin)
    }
  }
}
