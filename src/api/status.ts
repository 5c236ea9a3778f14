import type { FastifyInstance } from 'fastify'
import type { Metrics } from '../telemetry/index.ts'
import type { GatewayControl } from './control.ts'

/** What probes and scrapers read; open to all, so without names or addresses. */
export function statusRoutes(
  app: FastifyInstance,
  { control, metrics }: { readonly control: GatewayControl; readonly metrics: Metrics },
): void {
  app.get('/healthz', async (_request, reply) => {
    const status = control.status()
    reply.header('cache-control', 'no-store')
    await reply.code(status.status === 'ok' ? 200 : 503).send(status)
  })

  app.get('/metrics', async (_request, reply) => {
    const { contentType, text } = await metrics.render()
    await reply.type(contentType).send(text)
  })
}
