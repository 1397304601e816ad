import { CnosError } from '../errors/cnos-error.ts'
import type { ErrorName } from '../errors/codes.ts'

const LF = 0x0a

/** The line of a body, from 1, that the byte at `offset` is in. Lines inside quoted strings count. */
function lineOf(body: Buffer, offset: number): number {
  let line = 1
  for (let at = body.indexOf(LF); at >= 0 && at < offset; at = body.indexOf(LF, at + 1)) line += 1
  return line
}

export interface FaultOptions {
  readonly hint?: string
  readonly column?: string
  readonly name?: ErrorName
}

/** LINE_PROTOCOL_SYNTAX, or another name, that tells the line. */
export function faultAt(body: Buffer, offset: number, message: string, options: FaultOptions = {}): CnosError {
  const { hint, column, name = 'LINE_PROTOCOL_SYNTAX' } = options
  const line = lineOf(body, offset)
  const prefix = name === 'LINE_PROTOCOL_SYNTAX' ? 'Error parsing message: ' : ''
  return new CnosError(name, `${prefix}line ${line}: ${message}`, {
    context: { line, ...(column === undefined ? {} : { column }) },
    ...(hint === undefined ? {} : { hint }),
  })
}
