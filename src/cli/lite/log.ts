import { pino } from 'pino'
import type { ServerLog } from '../../server/http-server.ts'

/** Fields that are never written, should one of them ever be passed on. */
const SECRET_FIELDS = ['password', 'authorization', 'secret_key', 'token', 'account_key', 'private_key']
const REDACTED = SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`])

export interface Log extends ServerLog {
  debug(fields: Readonly<Record<string, unknown>>, message: string): void
}

/** JSON lines on stderr. */
export function createLog(level: string): Log {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: REDACTED, censor: '******' },
      serializers: { error: pino.stdSerializers.err, cause: pino.stdSerializers.err },
    },
    pino.destination({ dest: 2, sync: true }),
  )
}
