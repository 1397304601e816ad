import { isCnosError } from '../errors/cnos-error.ts'
import type { ErrorKind } from '../errors/codes.ts'

/** What a program's exit status says. Documented in `--help`. */
export const EXIT_CODES: Readonly<Record<ErrorKind | 'ok' | 'partial' | 'cancelled', number>> = {
  ok: 0,
  sql: 1,
  data: 1,
  request: 1,
  unsupported: 1,
  usage: 2,
  partial: 3,
  access: 4,
  store: 5,
  cluster: 6,
  backup: 7,
  internal: 70,
  cancelled: 130,
}

/** The reason of an abort by SIGINT or SIGTERM: not an error. */
export class Cancelled extends Error {
  constructor(signalName: string) {
    super(`cancelled by ${signalName}`)
    this.name = 'Cancelled'
  }
}

/** The exit status for a rejected command. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof Cancelled) return EXIT_CODES.cancelled
  return isCnosError(error) ? EXIT_CODES[error.entry.kind] : EXIT_CODES.internal
}
