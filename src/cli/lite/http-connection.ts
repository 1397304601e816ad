import { Agent, request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest, Agent as TlsAgent } from 'node:https'
import type { Abortable } from '../../async/abort.ts'
import { CnosError } from '../../errors/cnos-error.ts'
import { ERROR_CODES, type ErrorName } from '../../errors/codes.ts'
import type { FormatName, SqlConnection, SqlScope } from './sql-connection.ts'

const ACCEPT: Readonly<Record<FormatName, string>> = {
  table: 'text/table',
  csv: 'text/csv',
  json: 'application/json',
  'nd-json': 'application/nd-json',
}

/** Runs SQL on a server. No answer times out while the connection lives: a COPY may run for hours. */
export function createHttpConnection(
  origin: string,
  login: { readonly user: string; readonly password: string },
): SqlConnection {
  const url = new URL(origin)
  const isTls = url.protocol === 'https:'
  const agent = isTls ? new TlsAgent({ keepAlive: true }) : new Agent({ keepAlive: true })
  const authorization = `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}`

  function post(sql: string, scope: SqlScope, format: FormatName, { signal }: Abortable): Promise<IncomingMessage> {
    const target = new URL('/api/v1/sql', url)
    target.searchParams.set('tenant', scope.tenant)
    target.searchParams.set('db', scope.database)
    const body = Buffer.from(sql)
    const headers = { authorization, accept: ACCEPT[format], 'content-length': body.length }
    return new Promise((resolve, reject) => {
      const open = isTls ? httpsRequest : httpRequest
      const options = { method: 'POST', headers, agent, ...(signal ? { signal } : {}) }
      const outgoing = open(target, options, resolve)
      outgoing.on('error', (cause) => reject(signal?.aborted ? signal.reason : unreachable(url, cause)))
      outgoing.end(body)
    })
  }

  async function* execute(sql: string, scope: SqlScope, format: FormatName, options: Abortable = {}) {
    const answer = await post(sql, scope, format, options)
    if (answer.statusCode !== 200) throw refusal(answer.statusCode ?? 0, await textOf(answer))
    try {
      for await (const piece of answer.setEncoding('utf8')) yield piece as string
    } catch (cause) {
      options.signal?.throwIfAborted()
      throw brokenOff(url, cause)
    }
  }

  return {
    label: url.origin,
    execute,
    async check(scope, options = {}) {
      for await (const _ of execute('SELECT 1', scope, 'csv', options));
    },
    async [Symbol.asyncDispose]() {
      agent.destroy()
    },
  }
}

async function textOf(answer: IncomingMessage): Promise<string> {
  let text = ''
  for await (const piece of answer.setEncoding('utf8')) text += piece
  return text
}

/** The error a server answered, under the name its code has here. */
function refusal(status: number, body: string): CnosError {
  try {
    const { error_code, error_message } = JSON.parse(body) as { error_code: string; error_message: string }
    const names = Object.keys(ERROR_CODES) as ErrorName[]
    const name = names.find((candidate) => ERROR_CODES[candidate].code === error_code) ?? 'CLUSTER_REFUSED'
    const [message = '', hint] = error_message.split('\nhint: ')
    return new CnosError(name, message, {
      context: { status, remoteCode: error_code },
      ...(hint === undefined ? {} : { hint }),
    })
  } catch (cause) {
    return new CnosError('CLUSTER_REFUSED', `the server answered HTTP ${status}`, { cause, context: { status } })
  }
}

function unreachable(url: URL, cause: Error): CnosError {
  const { code } = cause as NodeJS.ErrnoException
  return new CnosError('CLUSTER_UNREACHABLE', `${url.origin} does not answer: ${cause.message || code}`, {
    cause,
    hint: 'start it with cnosdb-lite serve --data-dir DIR, name it with --url, or open a directory with --data-dir',
  })
}

function brokenOff(url: URL, cause: unknown): CnosError {
  return new CnosError('CLUSTER_UNREACHABLE', `${url.origin} broke off its answer: what was printed is incomplete`, {
    cause,
    hint: 'the log of the server tells why',
  })
}
