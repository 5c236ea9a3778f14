import type { HeaderField, SipRequest, SipResponse } from '../sip/index.ts'
import type { Leg } from './leg-state.ts'
import type { LegId } from './model.ts'
import type { Turn } from './turn.ts'

/** RFC 4028 §4: shorter intervals are refused with 422. */
export const MIN_SESSION_SECONDS = 90

/** What a request says about its session timer. */
export interface SessionWish {
  readonly seconds: number
  readonly refresher?: 'uac' | 'uas' | undefined
}

/** `Session-Expires: 1800;refresher=uac` (RFC 4028 §4). `undefined`: not there, or not of the grammar. */
export function sessionExpires(message: SipRequest | SipResponse): SessionWish | undefined {
  const match = /^(\d{1,9})\s*(;.*)?$/.exec(message.headers.get('Session-Expires') ?? '')
  if (match?.[1] === undefined) return undefined
  const refresher = /;\s*refresher\s*=\s*(uac|uas)/i.exec(match[2] ?? '')?.[1]?.toLowerCase()
  return { seconds: Number(match[1]), refresher: refresher as SessionWish['refresher'] }
}

export function isTooShort(wish: SessionWish | undefined): boolean {
  return wish !== undefined && wish.seconds < MIN_SESSION_SECONDS
}

/**
 * Takes the wish of a request that begins or refreshes the session: its sender refreshes, and we watch. Without a wish
 * the session no longer expires (RFC 4028 §9); who wants us to refresh gets no session timer, as from one who does not
 * know it.
 */
export function takeWish(turn: Turn, leg: LegId, request: SipRequest): void {
  const wish = sessionExpires(request)
  const knows = request.headers.values('Supported').some((tag) => tag.toLowerCase() === 'timer')
  const taken = wish !== undefined && knows && !isTooShort(wish) && wish.refresher !== 'uas'
  watch(turn, leg, taken ? wish.seconds * 1_000 : undefined)
}

/**
 * A peer that answered our INVITE may promise to refresh the session itself (RFC 4028 §9: `refresher=uas`). Without a
 * promise the session no longer expires (§7.2).
 */
export function takePromise(turn: Turn, leg: LegId, response: SipResponse): void {
  const promise = sessionExpires(response)
  const taken = promise?.refresher === 'uas' && !isTooShort(promise)
  watch(turn, leg, taken ? promise.seconds * 1_000 : undefined)
}

/** What a re-INVITE of ours says to a peer that refreshes the session: it shall go on (RFC 4028 §7.4). */
export function keptSession({ sessionMs }: Leg): HeaderField[] {
  if (sessionMs === undefined) return []
  return [
    { name: 'Supported', value: 'timer' },
    { name: 'Session-Expires', value: `${sessionMs / 1_000};refresher=uas` },
  ]
}

/** The session of a leg lives for this long from now, unless it is refreshed again. */
function watch(turn: Turn, leg: LegId, sessionMs: number | undefined): void {
  turn.updateLeg(leg, { sessionMs })
  turn.setDeadline(`session:${leg}`, sessionMs === undefined ? undefined : turn.now + sessionMs)
}

/** Headers of a 2xx on a leg with a session timer: the one who asked is the one who refreshes (RFC 4028 §9). */
export function agreedSession(leg: Leg): HeaderField[] {
  if (leg.sessionMs === undefined) return []
  return [
    { name: 'Session-Expires', value: `${leg.sessionMs / 1_000};refresher=uac` },
    { name: 'Require', value: 'timer' },
  ]
}
