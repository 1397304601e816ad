import { COMPATIBLE_VERSION } from '../../model/compatible-version.ts'
import type { Route } from '../exchange.ts'

const BODY = JSON.stringify({ version: COMPATIBLE_VERSION, status: 'healthy' })

export const ping: Route = {
  methods: ['GET', 'HEAD'],
  path: '/api/v1/ping',
  async handle({ response }) {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': BODY.length })
    response.end(BODY)
  },
}
