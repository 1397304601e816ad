import { CnosError, type CnosErrorOptions, isCnosError } from '../errors/cnos-error.ts'
import type { ErrorName } from '../errors/codes.ts'

/** What DuckDB says with `errors_as_json`, or read from its plain text where the setting does not reach. */
export interface DuckDbFault {
  /** DuckDB's own class of the error, such as `Binder` or `Out of Memory`. */
  readonly type: string
  readonly message: string
  /** Byte offset into the SQL text. */
  readonly position?: number
  /** The operating system's error number, for `IO`. */
  readonly errno?: number
}

const NAME_OF_TYPE: Readonly<Record<string, ErrorName>> = {
  Parser: 'SQL_SYNTAX',
  Syntax: 'SQL_SYNTAX',
  Binder: 'PLANNING',
  Catalog: 'PLANNING',
  Conversion: 'CAST_FAILED',
  'Mismatch Type': 'CAST_FAILED',
  'Out of Range': 'CAST_FAILED',
  'Invalid Input': 'PLANNING',
  'Invalid Type': 'PLANNING',
  'Not implemented': 'UNSUPPORTED',
  'Missing Extension': 'UNSUPPORTED',
  Permission: 'PATH_NOT_ALLOWED',
  IO: 'BAD_FILE',
  'Out of Memory': 'OUT_OF_MEMORY',
  TransactionContext: 'META_CONFLICT',
  FATAL: 'INTERNAL',
  INTERNAL: 'INTERNAL',
  Serialization: 'INTERNAL',
}

const HINT_OF_NAME: Partial<Record<ErrorName, string>> = {
  OUT_OF_MEMORY: 'Give the server a larger memory budget, or ask for fewer rows at once.',
  NO_SPACE: 'Free space on the device, or give the server a larger spool budget.',
  META_CONFLICT: 'Another statement changed the same table meanwhile: send it again.',
  INTERNAL: 'Please report this with the statement and the log.',
}

const DIVISOR_HINT = 'Divide by nullif(…, 0) to get NULL instead.'

const ENOSPC = 28
/** Only our own statements name physical tables, and only after the catalog had them. */
const CHANGED_MEANWHILE =
  /^Table with name "?(data"?\.)?"?t\d+"? does not exist|^Table "t\d+" does not have a column|Transaction conflict: .*"t\d+"|^table "result" has \d+ columns available/

/** Reads DuckDB's error text; never throws. */
export function parseFault(text: string): DuckDbFault {
  const brace = text.indexOf('{"exception_type"')
  if (brace >= 0) {
    const fault = parseJsonFault(text.slice(brace))
    if (fault) return fault
  }
  const match = /^([A-Za-z ]+?) Error: (.*)$/s.exec(text)
  return match ? { type: match[1] as string, message: match[2] as string } : { type: '', message: text }
}

function parseJsonFault(json: string): DuckDbFault | undefined {
  try {
    const fields = JSON.parse(json) as Record<string, string>
    const position = Number(fields.position)
    const errno = Number(fields.errno)
    return {
      type: fields.exception_type ?? '',
      message: fields.exception_message ?? json,
      ...(Number.isSafeInteger(position) ? { position } : {}),
      ...(Number.isSafeInteger(errno) ? { errno } : {}),
    }
  } catch {
    return undefined
  }
}

function nameOf({ type, message, errno }: DuckDbFault): ErrorName {
  if (errno === ENOSPC || /no space left|max_temp_directory_size|failed to offload/i.test(message)) return 'NO_SPACE'
  if (CHANGED_MEANWHILE.test(message)) return 'META_CONFLICT'
  if (/unsuccessful or closed (streaming|pending) query/i.test(message)) return 'INTERNAL'
  return NAME_OF_TYPE[type] ?? 'PLANNING'
}

/** DuckDB's advice speaks of settings and statements that users of the server cannot reach. */
function plainMessage(name: ErrorName, message: string): string {
  const used = /\(([^()]*) used\)/.exec(message)?.[1]
  const limits = used === undefined ? '' : ` (${used} in use)`
  if (name === 'OUT_OF_MEMORY') return `The statement needs more memory than the server's budget${limits}`
  if (/max_temp_directory_size|failed to offload/.test(message))
    return `The statement needs more temporary space than the server's budget${limits}`
  if (CHANGED_MEANWHILE.test(message)) return 'A table was altered or dropped meanwhile. Please try again'
  if (GIVEN_UP.test(message)) return `The database must be opened again: ${ORIGINAL.exec(message)?.[1] ?? message}`
  const lines = message.split('\n')
  const advice = lines.findIndex((line) => /^(Possible solutions|Please try installing|Use "SET|LINE \d)/.test(line))
  return (advice > 0 ? lines.slice(0, advice) : lines).join('\n').trimEnd()
}

const GIVEN_UP = /database has been invalidated because of a previous fatal error/
const ORIGINAL = /Original error: "(.*)"/s

/** Whether DuckDB has given the database up, so that it must be opened again. */
export function isFatal(error: unknown): error is CnosError {
  if (!isCnosError(error) || !(error.cause instanceof Error)) return false
  const { type, message } = parseFault(error.cause.message)
  return type === 'FATAL' || GIVEN_UP.test(message)
}

/** An error thrown by DuckDB as ours; a CnosError passes through. `position` counts bytes of the SQL text as sent. */
export function fromDuckDbError(error: unknown): CnosError {
  if (isCnosError(error)) return error
  const fault = parseFault(error instanceof Error ? error.message : String(error))
  const name = nameOf(fault)
  const hint = fault.message.includes('Divide by zero error') ? DIVISOR_HINT : HINT_OF_NAME[name]
  const options: CnosErrorOptions = {
    cause: error,
    ...(fault.position === undefined ? {} : { context: { position: fault.position } }),
    ...(hint === undefined ? {} : { hint }),
  }
  return new CnosError(name, plainMessage(name, fault.message), options)
}
