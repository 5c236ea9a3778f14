import { refreshTarget, type SipResponse } from '../sip/index.ts'
import { hangUp } from './hangup.ts'
import { otherLeg } from './leg-state.ts'
import type { LegId } from './model.ts'
import { askAgain, isBusy, relayOffer } from './reoffer.ts'
import { finish, sendInDialog } from './requests.ts'
import { ownOfferTo } from './sdp-exchange.ts'
import { keptSession, longerThan, sessionDeadline, takePromise } from './session-timer.ts'
import type { Sent } from './state.ts'
import type { Turn } from './turn.ts'

/** When a refresh that got no 2xx is tried again, in ms: a transaction later. */
const NEXT_TRY_MS = 33_000

/** When a refresh is tried again that another renegotiation is in the way of, in ms. */
const BUSY_MS = 2_000

/** The time of a session has come: to refresh it, or to end the call that nobody refreshed (RFC 4028 §10). */
export function onSessionDue(turn: Turn, id: LegId): void {
  const { session } = turn.leg(id)
  if (session === undefined || turn.call.ending !== undefined) return
  if (session.refresher === 'peer') return expire(turn, 'The peer no longer refreshes the session')
  if (turn.now >= session.endsAt) return expire(turn, 'The peer no longer answers our refreshes of the session')
  refresh(turn, id)
}

/** An answer to an UPDATE that refreshes. */
export function onRefreshResponse(turn: Turn, key: string, { leg: id }: Sent, response: SipResponse): void {
  if (response.status < 200) return
  finish(turn, key)
  const { dialog } = turn.leg(id)
  if (response.status < 300) {
    if (dialog !== undefined) turn.updateLeg(id, { dialog: refreshTarget(dialog, response) })
    return takePromise(turn, id, response)
  }
  afterRefusal(turn, id, response)
}

/** What a refused refresh comes to. */
function afterRefusal(turn: Turn, id: LegId, response: SipResponse): void {
  const { session } = turn.leg(id)
  const { status } = response
  if (session === undefined || turn.call.ending !== undefined) return
  if (status === 408 || status === 481) {
    if (status === 481) turn.updateLeg(id, { status: 'gone' })
    return expire(turn, 'The peer does not know the call any more')
  }
  if (status === 405 || status === 501) {
    turn.updateLeg(id, { updates: false })
    return refresh(turn, id)
  }
  const longer = status === 422 ? longerThan(session, response) : undefined
  if (longer === undefined) return // The next try is set already.
  turn.updateLeg(id, { session: { ...session, ...longer } })
  refresh(turn, id)
}

/** The refresh was not answered at all (RFC 4028 §10). */
export function onRefreshFailed(turn: Turn): void {
  if (turn.call.ending === undefined) expire(turn, 'The peer does not answer our refresh of the session')
}

function refresh(turn: Turn, id: LegId): void {
  const leg = turn.leg(id)
  const { session, updates } = leg
  if (session === undefined) return
  turn.setDeadline(sessionDeadline(id), Math.min(session.endsAt, turn.now + NEXT_TRY_MS))
  if (updates === true) {
    sendInDialog(turn, id, 'UPDATE', 'refresh', { headers: keptSession(leg) })
    return
  }
  if (isBusy(turn)) return turn.setDeadline(sessionDeadline(id), Math.min(session.endsAt, turn.now + BUSY_MS))
  const from = otherLeg(turn.call, id) ?? id
  const offer = turn.leg(from).sdp.theirs
  if (offer === undefined) return
  if (from === id) askAgain(turn, { from, offer }, id, ownOfferTo(turn, id))
  else relayOffer(turn, { from, offer }, id)
}

function expire(turn: Turn, reason: string): void {
  hangUp(turn, { status: 408, endedBy: 'timer', reason })
}
