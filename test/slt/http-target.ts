import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../src/async/clock.ts'
import { parseCsvRecords } from '../../src/client/csv.ts'
import { startServer } from '../../src/server/http-server.ts'
import { type DatabaseTarget, openSltDatabase } from './database-target.ts'
import { AnsweredError, type SltAnswer } from './run-slt.ts'
import type { SltConnection } from './slt-file.ts'

const SILENT = { debug() {}, info() {}, warn() {}, error() {} }

async function start(directory: string) {
  const database = await openSltDatabase(directory)
  const server = await startServer(database, { host: '127.0.0.1', port: 0, clock: systemClock, log: SILENT })
  return {
    url: server.url,
    async close() {
      await server.close({ graceMs: 0 })
      await database.close()
    },
  }
}

async function execute(url: string, connection: SltConnection, sql: string): Promise<SltAnswer> {
  const { user, password, tenant, database } = connection
  const parameters = new URLSearchParams({ tenant, db: database })
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
  const headers = { authorization, accept: 'text/csv', 'accept-encoding': 'identity' }
  const answer = await fetch(`${url}/api/v1/sql?${parameters}`, { method: 'POST', headers, body: sql })
  const text = await answer.text()
  if (answer.status !== 200) {
    const { error_code: code, error_message: message } = JSON.parse(text)
    throw new AnsweredError(answer.status, code, message)
  }
  const [names = [], ...rows] = parseCsvRecords(text)
  return { columns: names.map((name) => ({ name })), rows }
}

/** As `openDatabaseTarget`, with an HTTP server in between, which answers CSV. */
export async function openHttpTarget(directory: string): Promise<DatabaseTarget> {
  const files = join(directory, 'files')
  mkdirSync(files, { recursive: true })
  let server = await start(directory)
  return {
    files,
    execute: (connection, sql) => execute(server.url, connection, sql),
    async restart() {
      await server.close()
      server = await start(directory)
    },
    [Symbol.asyncDispose]: () => server.close(),
  }
}
