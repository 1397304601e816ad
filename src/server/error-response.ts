import type { ServerResponse } from 'node:http'
import { CnosError } from '../errors/cnos-error.ts'
import type { ErrorKind, ErrorName } from '../errors/codes.ts'

/** HTTP status of each kind of error, as CnosDB maps its modules. */
const STATUS_OF: Readonly<Record<ErrorKind, number>> = {
  usage: 400,
  request: 400,
  sql: 422,
  access: 422,
  data: 422,
  store: 422,
  cluster: 422,
  backup: 422,
  unsupported: 422,
  internal: 500,
}

/** Names whose status CnosDB maps by module and not by who can mend it. */
const STATUS_OF_NAME: Partial<Readonly<Record<ErrorName, number>>> = { OUT_OF_MEMORY: 422 }

function statusOf(error: CnosError): number {
  return STATUS_OF_NAME[error.errorName] ?? STATUS_OF[error.entry.kind]
}

/** `{"error_code":"MMCCCC","error_message":"…"}`, as CnosDB prints it; never compressed. */
function errorBody(error: CnosError): string {
  return JSON.stringify({ error_code: error.code, error_message: error.fullMessage })
}

/** Answers a failure before the first byte of a result: ours with its JSON, any other with an empty 500. */
export function sendError(response: ServerResponse, error: unknown): void {
  if (!(error instanceof CnosError)) {
    sendEmpty(response, 500)
    return
  }
  const body = Buffer.from(errorBody(error))
  response.writeHead(statusOf(error), { 'content-type': 'application/json', 'content-length': body.length })
  response.end(body)
}

export function sendEmpty(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-length': 0 })
  response.end()
}
