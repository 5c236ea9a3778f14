import { askedDirection, type SessionDescription } from '../sdp/index.ts'
import { connect } from './answer.ts'
import { dropSide } from './forking.ts'
import { nearLeg, otherLeg } from './leg-state.ts'
import type { LegId } from './model.ts'
import { abandonReoffer, isBusy, relayOffer } from './reoffer.ts'
import type { Turn } from './turn.ts'
import { agreedCodec } from './view.ts'

/** An offer that could not go out yet is tried again after this long. */
const LATER_MS = 500

/**
 * Gives the place of one leg in the conversation to another one, which is confirmed or about to be. The side of the one
 * who stays goes on as it was: same ports, keys, SSRC and sequence.
 */
export function handOver(turn: Turn, leaves: LegId, comes: LegId): void {
  if (turn.call.reoffer !== undefined) abandonReoffer(turn, 491)
  turn.update({ retry: undefined })
  turn.setDeadline('retry', undefined)
  for (const name of Object.keys(turn.call.deadlines))
    if (name.endsWith(`:${leaves}`)) turn.setDeadline(name, undefined)
  turn.update(leaves === nearLeg(turn.call) ? { near: comes } : { winner: comes })
  const { winner } = turn.call
  if (winner !== undefined) connect(turn, winner)
  dropSide(turn, leaves)
}

/** Tells the one who stays what the new one speaks, if that is not what it hears already: it may still be on hold. */
export function renegotiate(turn: Turn, comes: LegId): void {
  const stays = otherLeg(turn.call, comes)
  const { theirs: offer } = turn.leg(comes).sdp
  if (stays === undefined || offer === undefined || fits(turn, stays, comes)) return
  if (!isBusy(turn)) return relayOffer(turn, { from: comes, offer }, stays)
  turn.update({ retry: { from: comes, offer } })
  turn.setDeadline('retry', turn.now + LATER_MS)
}

function fits(turn: Turn, stays: LegId, comes: LegId): boolean {
  const leg = turn.leg(stays)
  return isBothWays(leg.sdp.ours) && isBothWays(leg.sdp.theirs) && agreedCodec(leg) === agreedCodec(turn.leg(comes))
}

function isBothWays(sdp: SessionDescription | undefined): boolean {
  const audio = sdp?.media.find(({ kind, port }) => kind === 'audio' && port !== 0)
  return audio !== undefined && askedDirection(audio) === 'sendrecv'
}
