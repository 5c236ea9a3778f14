import { branchFailed } from './forking.ts'
import { hangUp } from './hangup.ts'
import { onInviteResponse, onStrayAnswer } from './invite-response.ts'
import { bodyOf } from './kept-request.ts'
import type { CallEvent, LegId } from './model.ts'
import { onRefreshFailed, onRefreshResponse } from './refresh.ts'
import { followReinvite, onReinviteFailed, onReinviteResponse } from './reoffer.ts'
import { reply } from './replies.ts'
import { finish, sendAgain } from './requests.ts'
import type { Sent } from './state.ts'
import { statusForCaller } from './status.ts'
import { onNotified } from './transfer-outcome.ts'
import { onTargetResponse, targetFailed } from './transfer-target.ts'
import type { Turn } from './turn.ts'

type Event<Kind extends CallEvent['kind']> = CallEvent & { readonly kind: Kind }

/** A response to a request of ours. */
export function onResponse(turn: Turn, { key, response, flow }: Event<'response'>): void {
  const sent = turn.sent(key)
  if (sent === undefined) return onLateResponse(turn, { kind: 'response', key, response, flow })
  turn.updateLeg(sent.leg, { flow })
  switch (sent.purpose) {
    case 'invite':
      return onInviteResponse(turn, key, sent, response)
    case 'reinvite':
      return onReinviteResponse(turn, key, sent, response)
    case 'refresh':
      return onRefreshResponse(turn, key, sent, response)
    case 'prack': // Whatever it is: the INVITE goes on, or its peer refuses that.
      if (response.status >= 200) finish(turn, key)
      return
    case 'transfer':
      return onTargetResponse(turn, key, sent, response)
    case 'notify':
      if (response.status >= 200) onNotified(turn, key, response.status)
      return
    case 'info':
      return onInfoResponse(turn, key, sent, response)
    case 'bye':
    case 'stray-bye':
      if (response.status >= 200) onByeDone(turn, key, sent)
  }
}

/** The gateway has credentials for the challenge of a request of ours. */
export function onAuthorized(turn: Turn, { key, authorization }: Event<'authorized'>): void {
  const sent = turn.sent(key)
  if (sent === undefined) return
  const invites = sent.purpose === 'invite' || sent.purpose === 'transfer'
  const cancelled = invites && turn.leg(sent.leg).status === 'cancelling'
  if (cancelled) return onFailed(turn, { kind: 'failed', key, cause: 'timeout', detail: 'cancelled' })
  const again = sendAgain(turn, key, authorization)
  if (again === undefined) return
  if (invites) turn.updateLeg(sent.leg, { inviteKey: again })
  followReinvite(turn, key, again)
}

/** A request of ours got no answer. */
export function onFailed(turn: Turn, { key, cause, detail }: Event<'failed'>): void {
  const sent = finish(turn, key)
  if (sent === undefined) return
  const status = statusOfSilence(turn, sent.leg, cause)
  turn.note('error', `No answer to ${sent.request.method}: ${detail}`, { leg: sent.leg, facts: { cause } })
  if (sent.purpose === 'invite') return branchFailed(turn, sent.leg, { status, told: [] })
  if (sent.purpose === 'transfer') return targetFailed(turn, sent.leg, { status, told: [] })
  if (sent.purpose === 'notify') return onNotified(turn, key, status)
  if (sent.purpose === 'reinvite') return onReinviteFailed(turn, key, sent, cause)
  if (sent.purpose === 'prack') return
  if (sent.purpose === 'refresh') return onRefreshFailed(turn)
  if (sent.purpose === 'info') return afterInfo(turn, sent, status)
  onByeDone(turn, key, sent)
}

/**
 * RFC 3261 §8.1.3.1: silence counts as 408, a transport error as 503. That one phone cannot be reached says nothing of
 * us, though, and whoever is told 503 may take its calls elsewhere for a while (§21.5.4).
 */
function statusOfSilence(turn: Turn, id: LegId, cause: 'timeout' | 'transport'): number {
  if (cause === 'timeout') return 408
  return turn.leg(id).party.kind === 'user' ? 480 : 503
}

/** A further 2xx of an INVITE that was answered before. */
function onLateResponse(turn: Turn, { key, response }: Event<'response'>): void {
  const leg = turn.legs.find(({ id, inviteKey }) => id !== 'a' && inviteKey === key)
  if (leg?.invitation === undefined || response.status < 200 || response.status >= 300) return
  if (response.headers.toTag === leg.dialog?.remoteTag) return
  onStrayAnswer(turn, leg.id, key, leg.invitation, response)
}

function onInfoResponse(turn: Turn, key: string, sent: Sent, response: Event<'response'>['response']): void {
  if (response.status < 200) return
  finish(turn, key)
  afterInfo(turn, sent, response.status, bodyOf(response))
}

/** RFC 3261 §12.2.1.2: 481 and 408 mean that the peer no longer has the dialog. */
function afterInfo(
  turn: Turn,
  { leg, relayOf }: Sent,
  status: number,
  body = undefined as ReturnType<typeof bodyOf>,
): void {
  const lost = status === 408 || status === 481
  if (relayOf !== undefined) reply(turn, relayOf, lost ? 480 : relayed(status), { body })
  if (lost && turn.call.ending === undefined) loseLeg(turn, leg, status)
}

/** The peer's own answer, unless it is a challenge: only we could have met that. */
function relayed(status: number): number {
  return status === 401 || status === 407 ? statusForCaller(status) : status
}

function loseLeg(turn: Turn, leg: LegId, status: number): void {
  if (status === 481) turn.updateLeg(leg, { status: 'gone' })
  hangUp(turn, {
    status,
    endedBy: leg === 'a' ? 'caller' : 'callee',
    reason: 'The peer does not know the call any more',
  })
}

function onByeDone(turn: Turn, key: string, sent: Sent): void {
  finish(turn, key)
  if (sent.purpose === 'bye') turn.updateLeg(sent.leg, { status: 'gone' })
}
