import type { HeaderField, SipMessage, SipRequest, SipResponse } from '../sip/index.ts'
import type { CallConfig } from './config.ts'
import type { Leg } from './leg-state.ts'
import type { LegId, Party } from './model.ts'
import type { Turn } from './turn.ts'

/** A session that ends unless somebody refreshes it (RFC 4028). */
export interface Session {
  readonly seconds: number
  readonly refresher: 'us' | 'peer'
  /** When it is over. */
  readonly endsAt: number
  /** How often a peer made it longer with 422 since the last 2xx. */
  readonly raised?: number | undefined
}

/** Longest interval a peer may make us keep, in seconds: a day. */
const MAX_SECONDS = 86_400

/** How often in a row a peer may make us ask again. */
const MAX_RAISES = 3

/** What a message says about its session timer. */
export interface SessionWish {
  readonly seconds: number
  readonly refresher?: 'uac' | 'uas' | undefined
}

/** `Session-Expires: 1800;refresher=uac` (RFC 4028 §4). `undefined`: not there, or not of the grammar. */
export function sessionExpires(message: SipMessage): SessionWish | undefined {
  const match = /^(\d{1,9})\s*(;.*)?$/.exec(message.headers.get('Session-Expires') ?? '')
  if (match?.[1] === undefined) return undefined
  const refresher = /;\s*refresher\s*=\s*(uac|uas)/i.exec(match[2] ?? '')?.[1]?.toLowerCase()
  return { seconds: Number(match[1]), refresher: refresher as SessionWish['refresher'] }
}

/** `Min-SE: 120`, in seconds. */
export function minSessionExpires(message: SipMessage): number | undefined {
  const text = /^\d{1,9}(?=\s*(;|$))/.exec(message.headers.get('Min-SE') ?? '')?.[0]
  return text === undefined ? undefined : Number(text)
}

/** The interval we ask a party for, in seconds; 0: none. */
export function sessionSeconds({ sessionTimer }: CallConfig, party: Party): number {
  const { of } = sessionTimer
  if (of === undefined) return sessionTimer.seconds
  const own = party.kind === 'trunk' ? of[`${party.tenant}/${party.trunk}`] : undefined
  return own ?? of[party.tenant] ?? sessionTimer.seconds
}

/** What our INVITE to a party asks for. Who refreshes is the peer's to say (RFC 4028 §7.1). */
export function askedSession(turn: Turn, party: Party): HeaderField[] {
  const { config } = turn.deps
  const seconds = sessionSeconds(config, party)
  if (seconds === 0) return []
  const asked = [{ name: 'Session-Expires', value: String(Math.max(seconds, config.sessionTimer.minSeconds)) }]
  return config.sessionTimer.minSeconds <= DEFAULT_MIN_SECONDS
    ? asked
    : [...asked, { name: 'Min-SE', value: String(config.sessionTimer.minSeconds) }]
}

/** RFC 4028 §5: what holds where nobody says Min-SE. */
export const DEFAULT_MIN_SECONDS = 90

/**
 * Takes the wish of a request that begins or refreshes the session, by table 2 of RFC 4028 §9. Who knows of timers
 * refreshes what it asked for, unless it wants us to; if it asks for none, we do, at the interval of the configuration.
 * For who does not know them we refresh what a proxy asked for; without a wish the session does not expire.
 */
export function takeWish(turn: Turn, id: LegId, request: SipRequest): void {
  const wish = sessionExpires(request)
  const knows = request.headers.values('Supported').some((tag) => tag.toLowerCase() === 'timer')
  if (wish !== undefined) {
    const refresher = knows && wish.refresher !== 'uas' ? 'peer' : 'us'
    return keepSession(turn, id, request, { seconds: wish.seconds, refresher })
  }
  const seconds = knows ? sessionSeconds(turn.deps.config, turn.leg(id).party) : 0
  if (seconds === 0) return keepSession(turn, id, request, undefined)
  const least = Math.max(turn.deps.config.sessionTimer.minSeconds, minSessionExpires(request) ?? 0)
  keepSession(turn, id, request, { seconds: Math.max(seconds, least), refresher: 'us' })
}

/**
 * Takes what a 2xx to our INVITE or UPDATE says. Without a promise the session no longer expires (RFC 4028 §7.2); of an
 * interval below what we may use as well, so that no peer can make us refresh without end.
 */
export function takePromise(turn: Turn, id: LegId, response: SipResponse): void {
  const promise = sessionExpires(response)
  if (promise === undefined || promise.seconds < DEFAULT_MIN_SECONDS) return keepSession(turn, id, response, undefined)
  const refresher = promise.refresher === 'uas' ? 'peer' : 'us'
  keepSession(turn, id, response, { seconds: promise.seconds, refresher })
}

/** What a request of ours inside the dialog says, so that the session goes on as it is (RFC 4028 §7.4). */
export function keptSession({ session }: Leg): HeaderField[] {
  if (session === undefined) return []
  const refresher = session.refresher === 'us' ? 'uac' : 'uas'
  return [
    { name: 'Supported', value: 'timer' },
    { name: 'Session-Expires', value: `${session.seconds};refresher=${refresher}` },
  ]
}

/** Headers of a 2xx on a leg with a session timer. A peer that shall refresh has to know of it (RFC 4028 §9). */
export function agreedSession({ session }: Leg): HeaderField[] {
  if (session === undefined) return []
  if (session.refresher === 'us') return [{ name: 'Session-Expires', value: `${session.seconds};refresher=uas` }]
  return [
    { name: 'Session-Expires', value: `${session.seconds};refresher=uac` },
    { name: 'Require', value: 'timer' },
  ]
}

/**
 * The interval that a 422 wants instead of ours (RFC 4028 §7.4). `undefined`: none that we would keep, or it was made
 * longer often enough.
 */
export function longerThan(
  { seconds, raised = 0 }: Pick<Session, 'seconds' | 'raised'>,
  response: SipResponse,
): (Pick<Session, 'seconds'> & { readonly raised: number }) | undefined {
  const least = minSessionExpires(response)
  if (least === undefined || least <= seconds || least > MAX_SECONDS || raised >= MAX_RAISES) return undefined
  return { seconds: least, raised: raised + 1 }
}

/** The header lines of a request with a longer interval (RFC 4028 §7.4). */
export function withLongerSession(fields: readonly HeaderField[], seconds: number): readonly HeaderField[] {
  const others = fields.filter(({ name }) => name !== 'Session-Expires' && name !== 'Min-SE')
  return [...others, { name: 'Session-Expires', value: String(seconds) }, { name: 'Min-SE', value: String(seconds) }]
}

export function sessionDeadline(leg: LegId): string {
  return `session:${leg}`
}

/**
 * From now on the session of a leg lives for that long. We refresh at half of it; of a peer that does not we take leave
 * a little before its end (RFC 4028 §10).
 */
function keepSession(
  turn: Turn,
  id: LegId,
  message: SipMessage,
  wanted: Pick<Session, 'seconds' | 'refresher'> | undefined,
): void {
  const leg = turn.leg(id)
  if (wanted === undefined) {
    if (leg.session === undefined) return
    turn.updateLeg(id, { session: undefined })
    return turn.setDeadline(sessionDeadline(id), undefined)
  }
  const { seconds, refresher } = wanted
  const updates = refresher === 'us' ? takesUpdate(message, leg) : leg.updates
  turn.updateLeg(id, { session: { seconds, refresher, endsAt: turn.now + 1_000 * seconds }, updates })
  if (turn.call.answeredAt !== undefined) startSession(turn, id)
}

/** The time of the session runs, from the 2xx on. */
export function startSession(turn: Turn, id: LegId): void {
  const { session } = turn.leg(id)
  if (session === undefined) return
  const { seconds, refresher } = session
  turn.updateLeg(id, { session: { seconds, refresher, endsAt: turn.now + 1_000 * seconds } })
  const awaited = refresher === 'us' ? seconds / 2 : seconds - Math.min(32, seconds / 3)
  turn.setDeadline(sessionDeadline(id), turn.now + Math.ceil(1_000 * awaited))
}

/** Whether the peer takes UPDATE: as its Allow says, or as it said before. */
export function takesUpdate(message: SipMessage, { updates }: Leg): boolean {
  if (message.kind === 'request' && message.method === 'UPDATE') return true
  const allowed = message.headers.values('Allow')
  return allowed.length === 0 ? updates === true : allowed.some((method) => method.toUpperCase() === 'UPDATE')
}
