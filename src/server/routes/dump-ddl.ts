import { signIn } from '../auth.ts'
import type { Route } from '../exchange.ts'

/** Unlike CnosDB's, only administrators are served: the text holds password hashes. */
export const dumpDdl: Route = {
  methods: ['GET', 'HEAD', 'POST'],
  path: '/api/v1/dump/sql/ddl',
  async handle(exchange, context) {
    const tenant = exchange.query.get('tenant') ?? undefined
    const everywhere = { ...exchange, query: new URLSearchParams() }
    const session = await signIn(everywhere, context)
    const body = Buffer.from(await context.database.dumpDdl(session, { tenant }))
    exchange.response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': body.length })
    exchange.response.end(body)
  },
}
