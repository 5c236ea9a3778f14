import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { GatewayError } from '../base/index.ts'
import { type Access, maySee } from './access.ts'
import type { GatewayControl } from './control.ts'
import { checked } from './schema.ts'

const Params = z.strictObject({ id: z.string().min(1).max(128) })
const ListQuery = z.strictObject({
  state: z.enum(['active', 'ended', 'all']).default('all'),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
})

export function callRoutes(
  app: FastifyInstance,
  { control, access }: { readonly control: GatewayControl; readonly access: Access },
): void {
  app.get('/v1/calls', async (request) => {
    const principal = access.principalOf(request)
    const { state, limit } = checked(ListQuery, request.query)
    const wanted = control
      .calls()
      .filter((call) => maySee(principal, call))
      .filter((call) => state === 'all' || (call.state === 'ended') === (state === 'ended'))
    return { calls: wanted.slice(0, limit) }
  })

  app.get('/v1/calls/:id', async (request) => {
    const principal = access.principalOf(request)
    const { id } = checked(Params, request.params)
    const call = control.call(id)
    if (call === undefined || !maySee(principal, call)) throw noSuchCall(id)
    return call
  })

  app.delete('/v1/calls/:id', async (request, reply) => {
    access.requireOperator(request)
    const { id } = checked(Params, request.params)
    if (!control.endCall(id, 'ended by the operator')) throw noSuchCall(id)
    await reply.code(202).send({ ending: id })
  })

  app.get('/v1/registrations', async (request) => {
    access.requireOperator(request)
    return { registrations: control.registrations() }
  })
}

/** The same whether the call is not there or not theirs. */
function noSuchCall(id: string): GatewayError {
  return new GatewayError('API_NOT_FOUND', `no call ${id.slice(0, 40)}`)
}
