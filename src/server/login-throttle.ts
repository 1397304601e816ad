import type { Abortable } from '../async/abort.ts'
import type { Clock } from '../async/clock.ts'
import { CnosError, isCnosError } from '../errors/cnos-error.ts'

/** How much guessing is let through. */
interface Rule {
  /** Refusals that are answered at once. */
  readonly freeFailures: number
  /** Attempts under way at once, those held back included, after that. */
  readonly maxPending: number
}

const BY_USER: Rule = { freeFailures: 3, maxPending: 4 }
const BY_ADDRESS: Rule = { freeFailures: 30, maxPending: 16 }
const FIRST_DELAY_MS = 250
const MAX_DELAY_MS = 5_000
const FORGET_AFTER_MS = 15 * 60_000
const MAX_ORIGINS = 10_000

interface Failures {
  count: number
  pending: number
  lastMs: number
}

/**
 * Slows down guessing. After three refusals of one user from one address, or thirty of any users from one, each further
 * refusal is held back, 250 ms doubling to 5 s, and few attempts may be under way at once. A right password is not
 * delayed, and forgives.
 */
export class LoginThrottle {
  readonly #clock: Clock
  readonly #failures = new Map<string, Failures>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Runs `signIn` for one attempt. Rejects with LIMIT_REACHED, without trying, while too many attempts of the same
   * origin are under way, and otherwise with whatever `signIn` rejects with.
   */
  async attempt<T>(address: string, user: string, signIn: () => Promise<T>, { signal }: Abortable = {}): Promise<T> {
    const origins = [
      { key: address, rule: BY_ADDRESS },
      { key: `${address} ${user}`, rule: BY_USER },
    ].map(({ key, rule }) => ({ key, rule, failures: this.#failuresOf(key) }))
    if (
      origins.some(({ rule, failures }) => failures.count >= rule.freeFailures && failures.pending >= rule.maxPending)
    ) {
      throw new CnosError('LIMIT_REACHED', 'Sign-ins of this user from this address reached limit', {
        hint: 'the password was wrong too often; wait a few seconds',
      })
    }
    for (const { failures } of origins) failures.pending += 1
    try {
      const result = await signIn()
      for (const { failures } of origins) failures.count = 0
      return result
    } catch (error) {
      if (isCnosError(error, 'ACCESS_DENIED')) {
        const excess = origins.map(({ rule, failures }) => this.#countFailure(failures) - rule.freeFailures)
        await this.#hold(Math.max(...excess), { signal })
      }
      throw error
    } finally {
      for (const { key, failures } of origins) this.#leave(key, failures)
    }
  }

  #failuresOf(key: string): Failures {
    const known = this.#failures.get(key)
    const isRecent = known && (known.pending > 0 || this.#clock.elapsedMs() - known.lastMs < FORGET_AFTER_MS)
    const failures = isRecent ? known : { count: 0, pending: 0, lastMs: 0 }
    this.#failures.delete(key)
    this.#failures.set(key, failures)
    if (this.#failures.size > MAX_ORIGINS) this.#forgetOldest()
    return failures
  }

  #countFailure(failures: Failures): number {
    failures.lastMs = this.#clock.elapsedMs()
    failures.count += 1
    return failures.count
  }

  async #hold(excess: number, { signal }: Abortable): Promise<void> {
    if (excess <= 0) return
    await this.#clock.sleep(Math.min(FIRST_DELAY_MS * 2 ** Math.min(excess - 1, 16), MAX_DELAY_MS), { signal })
  }

  /** Who has not failed lately needs no entry. */
  #leave(key: string, failures: Failures): void {
    failures.pending -= 1
    if (failures.pending === 0 && failures.count === 0) this.#failures.delete(key)
  }

  #forgetOldest(): void {
    const [oldest] = this.#failures.keys()
    if (oldest !== undefined) this.#failures.delete(oldest)
  }
}
