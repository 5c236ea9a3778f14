import type { CallRecord } from './model.ts'
import { reply } from './replies.ts'
import { finish } from './requests.ts'
import type { CallState } from './state.ts'
import type { Turn } from './turn.ts'

/** Nobody waits for us and we wait for nobody: the call is over. Called at the end of each step. */
export function releaseIfSettled(turn: Turn): void {
  if (turn.call.phase === 'ending' && owesNothing(turn.call)) release(turn)
}

/** What should have come did not: the call ends without it. */
export function giveUp(turn: Turn): void {
  turn.note('error', 'Gave up waiting for peers or media', {
    facts: { requests: turn.call.sent.length, media: turn.call.media.status },
  })
  for (const { key } of turn.call.waiting) reply(turn, key, 500)
  for (const { key } of turn.call.sent) finish(turn, key)
  const { status } = turn.call.media
  if (status !== 'none' && status !== 'closed') turn.emit({ kind: 'media-close', session: turn.call.id })
  release(turn)
}

function owesNothing({ sent, waiting, legs, media }: CallState): boolean {
  return (
    sent.length === 0 &&
    waiting.length === 0 &&
    !Object.values(legs).some((leg) => leg.status === 'parting') &&
    (media.status === 'none' || media.status === 'closed')
  )
}

function release(turn: Turn): void {
  for (const { id } of turn.legs) turn.updateLeg(id, { status: 'gone' })
  turn.update({ deadlines: {} })
  turn.move('released')
  turn.emit({ kind: 'ended', record: recordOf(turn) })
}

function recordOf(turn: Turn): CallRecord {
  const { call, asked, now } = turn
  const { ending, media, answeredAt, builtin, winner } = call
  const callee = winner === undefined ? undefined : call.legs[winner]?.party
  return {
    id: call.id,
    tenant: asked.tenant,
    caller: asked.caller,
    ...(callee !== undefined && { callee }),
    ...(builtin !== undefined && { callee: { kind: 'builtin', tenant: asked.tenant, name: builtin } as const }),
    from: asked.from,
    to: asked.to,
    startedAt: asked.at,
    ...(answeredAt !== undefined && { answeredAt }),
    endedAt: ending?.at ?? now,
    status: answeredAt === undefined ? (ending?.status ?? 500) : 200,
    endedBy: ending?.endedBy ?? 'error',
    reason: ending?.reason ?? '',
    ...(media.summary !== undefined && { media: media.summary }),
  }
}
