import { CnosError } from '../../errors/cnos-error.ts'
import { signIn } from '../auth.ts'
import { responseEncodingOf } from '../compression.ts'
import { sendEmpty } from '../error-response.ts'
import type { Exchange, Route } from '../exchange.ts'
import { withBody } from '../request-body.ts'
import { resultFormatOf } from '../result-format/result-format.ts'
import { sendText } from '../send-result.ts'

const MAX_SQL_BYTES = 16 * 1024 * 1024

/** One statement. Results always stream; `chunked` only has to be `true` or `false`. */
export const sql: Route = {
  methods: ['POST'],
  path: '/api/v1/sql',
  async handle(exchange, context) {
    const session = await signIn(exchange, context)
    const { request, response, query, signal } = exchange
    if (!['true', 'false'].includes(query.get('chunked') ?? 'false')) return sendEmpty(response, 500)
    checkTriggerInterval(query.get('stream_trigger_interval'))
    const format = resultFormatOf(request.headers.accept)
    const encoding = responseEncodingOf(acceptEncoding(exchange))
    const text = await withBody(exchange, context, MAX_SQL_BYTES, async (body) => body.toString('utf8'))
    context.metrics.count('cnosdb_statements_total')
    const result = await context.database.execute(session, text, { signal })
    const pieces = result.kind === 'rows' ? format.render(result, { signal }) : nothing()
    try {
      await sendText(exchange, context, { contentType: format.contentType, encoding }, pieces)
    } finally {
      if (result.kind === 'rows') result.close()
    }
  },
}

async function* nothing(): AsyncIterable<string> {}

/** Node joins repeated headers of this name with a comma, as a list is meant to be. */
const acceptEncoding = ({ request }: Exchange) => request.headers['accept-encoding'] as string | undefined

function checkTriggerInterval(interval: string | null): void {
  if (interval === null || /^(once|(\d+(\.\d+)?\s*[a-zµ]+\s*)+)$/i.test(interval)) return
  throw new CnosError('BAD_HEADER', `Invalid header: stream_trigger_interval '${interval}'`, {
    hint: 'write once, or a duration such as 10s',
  })
}
