import type { Profile, SessionDescription } from '../sdp/index.ts'
import type { Dialog, Flow, SendTarget, ServerKey, TransportName } from '../sip/index.ts'
import type { KeptRequest } from './kept-request.ts'
import type { Destination, LegId, Party } from './model.ts'
import type { Session } from './session-timer.ts'

/**
 * `waiting`: its media side is being made. `inviting`: no 101–199 yet. `accepted`: a 2xx is on its way and its ACK is
 * not here. `parting`: hangs up as soon as the ACK is here (RFC 3261 §15). `leaving`: BYE sent or received.
 */
export type LegStatus =
  | 'waiting'
  | 'inviting'
  | 'ringing'
  | 'accepted'
  | 'confirmed'
  | 'cancelling'
  | 'parting'
  | 'leaving'
  | 'gone'

/** One dialog of the call with its own offer/answer history. Plain data. */
export interface Leg {
  readonly id: LegId
  readonly party: Party
  readonly profile: Profile
  readonly transport: TransportName
  /** Where the peer was reached or heard last. */
  readonly target: SendTarget
  readonly flow?: Flow | undefined
  readonly status: LegStatus
  /** Only of called legs. */
  readonly destination?: Destination | undefined
  readonly sipCallId: string
  readonly localTag: string
  readonly dialog?: Dialog | undefined
  /** Further early dialogs of its INVITE, by the peer's tag: it forked behind the peer. */
  readonly forks?: Readonly<Record<string, Dialog>> | undefined
  /** What the peer said reliably before it answered, by its tag (RFC 3262 §4). */
  readonly reliable?: Readonly<Record<string, ReliablyTold>> | undefined
  /** Key of its INVITE: the server's of `a`, ours of a called leg. */
  readonly inviteKey?: string | undefined
  /** Its INVITE as far as a second answer to it has to be understood. */
  readonly invitation?: KeptRequest | undefined
  readonly sdp: LegSdp
  /** INVITE that we answered with 2xx and whose ACK is not here yet. */
  readonly unacknowledged?: ServerKey | undefined
  /** The peer on this leg has put the other one on hold. */
  readonly holds: boolean
  readonly session?: Session | undefined
  /** The peer takes UPDATE; known only where it matters. */
  readonly updates?: boolean | undefined
}

export interface ReliablyTold {
  /** RSeq of the last response that was acknowledged. */
  readonly rseq: number
  /** One of them carried SDP: offer and answer are settled, whatever the 2xx says. */
  readonly agreed: boolean
}

export interface LegSdp {
  readonly sessionId: string
  /** Version of the last SDP sent on this leg. */
  readonly version: number
  readonly sent?: SessionDescription | undefined
  /** The agreed pair. */
  readonly ours?: SessionDescription | undefined
  readonly theirs?: SessionDescription | undefined
  /** The answer to `sent` that comes in the ACK (RFC 3261 §13.2.1). */
  readonly awaitsAnswer?: boolean | undefined
  /** The pair was agreed before the answer to the INVITE, which therefore carries no SDP (RFC 6337 §3.1.1). */
  readonly agreedEarly?: boolean | undefined
}

/** A leg that has only begun. Every field is there from the start, as in a new call. */
export function createLeg(
  parts: Omit<
    Leg,
    'sdp' | 'holds' | 'dialog' | 'forks' | 'reliable' | 'invitation' | 'unacknowledged' | 'session' | 'updates'
  > &
    Pick<LegSdp, 'sessionId'>,
): Leg {
  const { id, party, profile, transport, target, flow, status, destination, sipCallId, localTag, inviteKey } = parts
  return {
    id,
    party,
    profile,
    transport,
    target,
    flow,
    status,
    destination,
    sipCallId,
    localTag,
    dialog: undefined,
    forks: undefined,
    reliable: undefined,
    inviteKey,
    invitation: undefined,
    sdp: {
      sessionId: parts.sessionId,
      version: 0,
      sent: undefined,
      ours: undefined,
      theirs: undefined,
      awaitsAnswer: undefined,
    },
    unacknowledged: undefined,
    holds: false,
    session: undefined,
    updates: undefined,
  }
}

export function isCallee(leg: LegId): boolean {
  return leg !== 'a'
}

/** It rings or is about to; a CANCEL ends it. */
export function isPending(leg: Leg): boolean {
  return leg.status === 'waiting' || leg.status === 'inviting' || leg.status === 'ringing'
}

/** The two who talk. Which legs they are changes with each transfer. */
interface Pair {
  readonly near?: LegId | undefined
  readonly winner?: LegId | undefined
  readonly legs: Readonly<Record<LegId, Leg>>
}

/** The caller, or who has taken its place. */
export function nearLeg({ near = 'a' }: Pick<Pair, 'near'>): LegId {
  return near
}

/** Who talks with `id`: the caller with the branch that answered. `undefined` while there is none, or none any more. */
export function otherLeg(call: Pair, id: LegId): LegId | undefined {
  const other = id === nearLeg(call) ? call.winner : nearLeg(call)
  return other === undefined || (call.winner !== undefined && call.legs[other]?.status === 'gone') ? undefined : other
}
