import type { Clock } from '../async/clock.ts'
import { CnosError } from '../errors/cnos-error.ts'

/** Of one node: a silence is one event, however many requests meet it. They wait together and give up together. */
export interface Silence {
  /** The node answered, be it with an error. */
  ended(): void
  /** The number of the outage, when it is worth to ask again; throws CLUSTER_UNREACHABLE when it is not. */
  endure(error: CnosError): number
}

export interface SilenceOptions {
  readonly clock: Clock
  readonly patienceMs?: number | undefined
  readonly notice?: ((message: string) => void) | undefined
}

const PATIENCE_MS = 60_000
/** A node that never answered is more likely misspelt than starting. */
const FIRST_CONTACT_MS = 2_000

export function createSilence(label: string, options: SilenceOptions): Silence {
  const { clock, patienceMs = PATIENCE_MS, notice = () => {} } = options
  let hasAnswered = false
  let sinceMs: number | undefined
  let outages = 0
  const elapsed = (fromMs: number) => `${Math.round((clock.elapsedMs() - fromMs) / 1000)} s`
  return {
    ended() {
      if (hasAnswered && sinceMs !== undefined) notice(`${label} answers again after ${elapsed(sinceMs)}`)
      hasAnswered = true
      sinceMs = undefined
    },
    endure(error) {
      const limitMs = hasAnswered ? patienceMs : Math.min(patienceMs, FIRST_CONTACT_MS)
      if (sinceMs === undefined) {
        sinceMs = clock.elapsedMs()
        outages += 1
        if (hasAnswered) notice(`${error.message}; waiting for it, at most ${Math.round(limitMs / 1000)} s`)
      }
      if (clock.elapsedMs() - sinceMs < limitMs) return outages
      if (!hasAnswered) throw error
      throw new CnosError('CLUSTER_UNREACHABLE', `${error.message} (for ${elapsed(sinceMs)})`, {
        cause: error,
        hint: 'when it runs again, run the same command again: it continues where it stopped',
      })
    },
  }
}
