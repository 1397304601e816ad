import type { Route } from '../exchange.ts'

export const metrics: Route = {
  methods: ['GET', 'HEAD'],
  path: '/metrics',
  async handle({ response }, context) {
    const body = Buffer.from(context.metrics.print())
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4', 'content-length': body.length })
    response.end(body)
  },
}
