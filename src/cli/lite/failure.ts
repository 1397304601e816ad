import { CnosError } from '../../errors/cnos-error.ts'
import { Cancelled } from '../exit-codes.ts'

/** Prints an error for people, `place` in front: `load.sql:12: error 010009: …` and, below it, what to do. */
export function printFailure(output: NodeJS.WritableStream, error: unknown, place = ''): void {
  output.write(`${place === '' ? '' : `${place}: `}${describeFailure(error)}\n`)
}

function describeFailure(error: unknown): string {
  if (error instanceof Cancelled) return 'cancelled'
  if (error instanceof CnosError) return `error ${error.code}: ${error.fullMessage}`
  return `error: ${error instanceof Error ? error.message : String(error)}`
}
