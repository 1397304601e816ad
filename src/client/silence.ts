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
  /** How long to wait; 60 s when absent, and 2 s for a node that never answered. */
  readonly patienceMs?: number | undefined
  readonly notice?: ((message: string) => void) | undefined
}

/** Unless told otherwise; a node that never answered is more likely misspelt than starting. */
const PATIENCE_MS = { atFirst: 2_000, later: 60_000 }

/** The silence of the node that messages call `label`, told in `notice`. */
export function createSilence(label: string, options: SilenceOptions): Silence {
  const { clock, patienceMs, notice = () => {} } = options
  let hasAnswered = false
  let sinceMs: number | undefined
  let outages = 0
  const elapsed = (fromMs: number) => `${Math.round((clock.elapsedMs() - fromMs) / 1000)} s`
  return {
    ended() {
      if (sinceMs !== undefined) notice(`${label} answers again after ${elapsed(sinceMs)}`)
      hasAnswered = true
      sinceMs = undefined
    },
    endure(error) {
      const limitMs = patienceMs ?? (hasAnswered ? PATIENCE_MS.later : PATIENCE_MS.atFirst)
      if (sinceMs === undefined) {
        sinceMs = clock.elapsedMs()
        outages += 1
        if (limitMs > PATIENCE_MS.atFirst)
          notice(`${error.message}; waiting for it, at most ${Math.round(limitMs / 1000)} s`)
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
