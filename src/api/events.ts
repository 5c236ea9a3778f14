import type { ServerResponse } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { GatewayError, LIMITS } from '../base/index.ts'
import { type Access, maySee, type Principal } from './access.ts'
import type { GatewayControl } from './control.ts'
import type { ApiEvent } from './model.ts'
import { checked } from './schema.ts'

const HEARTBEAT_MS = 15_000
const Query = z.strictObject({ call: z.string().min(1).max(128).optional() })

export interface EventStreams {
  route(app: FastifyInstance, access: Access): void
  stop(): void
}

/** `GET /v1/events`: what happens, as server-sent events, to each follower what that follower may see. */
export function createEventStreams({
  control,
  now,
}: {
  readonly control: GatewayControl
  readonly now: () => number
}): EventStreams {
  /** Whose each stream is. */
  const open = new Map<ServerResponse, string>()

  const follow = (response: ServerResponse, principal: Principal, call: string | undefined): void => {
    open.set(response, nameOf(principal))
    const sees = createSight(control, principal)
    const unsubscribe = control.subscribe((event) => {
      if (call !== undefined && callOf(event) !== call) return
      if (isOver(principal, now())) response.end()
      else if (sees(event)) write(response, `event: ${event.event}\ndata: ${JSON.stringify(event.data)}\n\n`)
    })
    const heartbeat = setInterval(() => {
      if (isOver(principal, now())) response.end()
      else write(response, ': still here\n\n')
    }, HEARTBEAT_MS)
    heartbeat.unref()
    response.on('close', () => {
      clearInterval(heartbeat)
      unsubscribe()
      open.delete(response)
    })
    write(response, 'retry: 2000\n\n')
  }

  return {
    route(app, access) {
      app.get('/v1/events', async (request, reply) => {
        const principal = access.principalOf(request)
        const { call } = checked(Query, request.query)
        const own = [...open.values()].filter((whose) => whose === nameOf(principal)).length
        const isFull = principal.kind === 'user' && own >= LIMITS.eventStreamsPerUser
        if (isFull || open.size >= LIMITS.eventStreams)
          throw new GatewayError('API_OVERLOADED', 'too many followers of events')
        for (const [name, value] of Object.entries(reply.getHeaders())) {
          if (value !== undefined) reply.raw.setHeader(name, value)
        }
        reply.hijack()
        reply.raw.writeHead(200, {
          'content-type': 'text/event-stream',
          'cache-control': 'no-store',
          'x-accel-buffering': 'no',
        })
        follow(reply.raw, principal, call)
      })
    },
    stop() {
      for (const response of open.keys()) response.end()
    },
  }
}

/** A domain never has a blank in it. */
function nameOf(principal: Principal): string {
  return principal.kind === 'operator' ? 'operator' : `${principal.tenant} ${principal.user}`
}

/** A stream ends with its session: a token that got into wrong hands is good for no longer than it says. */
function isOver(principal: Principal, now: number): boolean {
  return principal.kind === 'user' && principal.expiresAt !== undefined && now >= principal.expiresAt
}

/** A follower who does not read is cut off rather than kept in memory. */
function write(response: ServerResponse, text: string): void {
  if (response.writableEnded || response.destroyed) return
  response.write(text)
  if (response.writableLength > LIMITS.eventStreamBufferBytes) response.destroy()
}

function callOf(event: ApiEvent): string {
  return event.event === 'call' ? event.data.id : event.data.call
}

const SIGHT_CALLS = 1_000

/** Whether a follower may see an event. Remembers the verdict per call; each `call` event renews it. */
function createSight(control: GatewayControl, principal: Principal): (event: ApiEvent) => boolean {
  if (principal.kind === 'operator') return () => true
  const verdicts = new Map<string, boolean>()
  return (event) => {
    const id = callOf(event)
    const known = event.event === 'call' ? undefined : verdicts.get(id)
    if (known !== undefined) return known
    const call = event.event === 'call' ? event.data : control.call(id)
    const verdict = call !== undefined && maySee(principal, call)
    const oldest = verdicts.keys().next()
    if (verdicts.size >= SIGHT_CALLS && oldest.done !== true) verdicts.delete(oldest.value)
    verdicts.set(id, verdict)
    return verdict
  }
}
