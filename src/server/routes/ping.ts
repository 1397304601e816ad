import type { Route } from '../exchange.ts'

/** The version of CnosDB whose HTTP API and SQL this server speaks: clients choose their dialect by it. */
const COMPATIBLE_VERSION = '2.4.3'
const BODY = JSON.stringify({ version: COMPATIBLE_VERSION, status: 'healthy' })

export const ping: Route = {
  methods: ['GET', 'HEAD'],
  path: '/api/v1/ping',
  async handle({ response }) {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': BODY.length })
    response.end(BODY)
  },
}
