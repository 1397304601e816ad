import type { Session, WritePrecision } from '../../database.ts'
import { CnosError } from '../../errors/cnos-error.ts'
import { authenticate, parseAuthorization, signIn } from '../auth.ts'
import type { Exchange, Route, ServerContext } from '../exchange.ts'
import { withBody } from '../request-body.ts'

const MAX_WRITE_BYTES = 160 * 1024 * 1024

const PRECISIONS: Readonly<Record<string, WritePrecision>> = { ns: 'NS', us: 'US', ms: 'MS' }
/** What InfluxDB's clients call them. */
const INFLUX_PRECISIONS: Readonly<Record<string, WritePrecision>> = { ...PRECISIONS, n: 'NS', u: 'US', µ: 'US' }

/** Line protocol. Answers 200 with an empty body, as CnosDB does. */
export const write: Route = {
  methods: ['POST'],
  path: '/api/v1/write',
  async handle(exchange, context) {
    const session = await signIn(exchange, context)
    await writeLines(exchange, context, session, precisionOf(exchange, PRECISIONS))
    exchange.response.writeHead(200, { 'content-length': 0 }).end()
  },
}

/**
 * InfluxDB 1.x's endpoint: the same lines, `u` and `p` as credentials where there is no Authorization header, and 204,
 * which its clients expect.
 */
export const influxWrite: Route = {
  methods: ['POST'],
  path: '/write',
  async handle(exchange, context) {
    const session = await influxSignIn(exchange, context)
    await writeLines(exchange, context, session, precisionOf(exchange, INFLUX_PRECISIONS))
    exchange.response.writeHead(204).end()
  },
}

function influxSignIn(exchange: Exchange, context: ServerContext): Promise<Session> {
  const { query, request } = exchange
  const user = query.get('u')
  const { authorization } = request.headers
  const credentials =
    authorization === undefined && user !== null
      ? { user, password: query.get('p') ?? '' }
      : parseAuthorization(authorization)
  return authenticate(exchange, context, { ...credentials, database: query.get('db') ?? undefined })
}

/** CnosDB reads an unknown precision as nanoseconds, which moves every time without a word: refused here. */
function precisionOf({ query }: Exchange, precisions: Readonly<Record<string, WritePrecision>>): WritePrecision {
  const text = query.get('precision') || 'ns'
  const precision = Object.hasOwn(precisions, text.toLowerCase()) ? precisions[text.toLowerCase()] : undefined
  if (precision) return precision
  throw new CnosError('BAD_HEADER', `Invalid header: precision '${text}'`, {
    hint: `write precision=${Object.keys(PRECISIONS).join(', precision=')}`,
  })
}

async function writeLines(
  exchange: Exchange,
  context: ServerContext,
  session: Session,
  precision: WritePrecision,
): Promise<void> {
  const { database, metrics } = context
  const { signal } = exchange
  await withBody(exchange, context, MAX_WRITE_BYTES, async (body) => {
    const { rows } = await database.writeLineProtocol(session, body, { precision, signal })
    metrics.count('cnosdb_written_rows_total', rows)
    metrics.count('cnosdb_written_bytes_total', body.length)
  })
}
