import type { Millis } from '../base/index.ts'
import type { SessionSummary } from '../media/index.ts'
import type { LocalFacts, SessionDescription } from '../sdp/index.ts'
import type { ClientKey, SendTarget, ServerKey } from '../sip/index.ts'
import type { EarlyDialog } from './early-dialogs.ts'
import type { KeptRequest } from './kept-request.ts'
import type { Leg } from './leg-state.ts'
import type { CallId, Destination, LegId, Party } from './model.ts'
import type { Phase } from './phases.ts'
import type { Replacement } from './replacement.ts'
import type { Outcome } from './status.ts'
import type { Transfer } from './transfer-state.ts'

/** Everything one call is. Plain data: it can be logged, compared, stored and moved to another process. */
export interface CallState {
  readonly id: CallId
  readonly phase: Phase
  /** What the caller asked for; absent only before `offered`. */
  readonly asked?: Asked | undefined
  readonly legs: Readonly<Record<LegId, Leg>>
  /** Groups of destinations that were not tried yet. */
  readonly groups: readonly (readonly Destination[])[]
  readonly builtin?: 'echo' | 'tone' | undefined
  /** Final failures of branches so far. */
  readonly outcomes: readonly Outcome[]
  /** The branch that answered. */
  readonly winner?: LegId | undefined
  /** Who has taken the caller's place; absent: the caller is still there. */
  readonly near?: LegId | undefined
  /** Absent but while one is under way. */
  readonly transfer?: Transfer | undefined
  readonly replacement?: Replacement | undefined
  /** How many there were so far. */
  readonly transfers?: number | undefined
  /** The REFER that was passed on last (RFC 3515 §2.4.6: NOTIFYs name it by its CSeq). */
  readonly passedRefer?: { readonly by: LegId; readonly sequence: number } | undefined
  /** The branch whose media the caller hears before the answer. */
  readonly early?: LegId | undefined
  /** What the caller was told in each early dialog, as far as later messages depend on it; gone when the call is up. */
  readonly earlyDialogs?: readonly EarlyDialog[] | undefined
  /** How many 3xx were followed. */
  readonly redirects?: number | undefined
  /** Status of the last provisional answer the caller got. */
  readonly rang?: number | undefined
  /** Requests that wait for our final answer. */
  readonly waiting: readonly Waiting[]
  /** Requests of ours that wait for a final answer. */
  readonly sent: readonly Sent[]
  readonly media: MediaState
  readonly reoffer?: Reoffer | undefined
  /** An offer of our own that met glare and waits for its next try. */
  readonly retry?: Pick<Reoffer, 'from' | 'offer'> | undefined
  /** Named deadlines; the machine sleeps until the earliest. */
  readonly deadlines: Readonly<Record<string, Millis>>
  /** Last number used for client keys, media operations and branches. */
  readonly counters: { readonly client: number; readonly op: number; readonly branch: number }
  readonly answeredAt?: Millis | undefined
  readonly ending?: Ending | undefined
}

/** The INVITE that began the call. */
export interface Asked {
  readonly key: ServerKey
  readonly at: Millis
  readonly caller: Party
  readonly tenant: string
  /** Identity headers as the caller wrote them. */
  readonly from: string
  readonly to: string
  readonly displayName?: string | undefined
  readonly fromUser: string
  readonly maxForwards: number
  /** Absent: the caller wants our offer (RFC 3261 §13.2.1). */
  readonly offer?: SessionDescription | undefined
  /** Whether the caller takes provisional responses reliably, or takes no others (RFC 3262 §3). */
  readonly reliable?: 'supported' | 'required' | undefined
  readonly ringTimeoutMs: number
  readonly maxDurationMs: number
}

export interface Waiting {
  readonly key: ServerKey
  readonly leg: LegId
  readonly request: KeptRequest
}

export type SentPurpose =
  | 'invite'
  | 'reinvite'
  | 'prack'
  | 'refresh'
  | 'info'
  | 'notify'
  | 'transfer'
  | 'bye'
  | 'stray-bye'

/** One client transaction of ours. */
export interface Sent {
  readonly key: ClientKey
  readonly leg: LegId
  readonly purpose: SentPurpose
  readonly request: KeptRequest
  readonly target: SendTarget
  /** The request of the other leg that this one relays. */
  readonly relayOf?: ServerKey | undefined
  /** How often a 422 made its session interval longer (RFC 4028 §7.4). */
  readonly raised?: number | undefined
  /** It already carries the answer to a challenge. */
  readonly authorized: boolean
}

/** What the machine waits for when it gave the engine an operation. */
export type MediaPurpose =
  | { readonly kind: 'open' }
  | { readonly kind: 'add-side'; readonly leg: LegId }
  | { readonly kind: 'add-target'; readonly leg: LegId }
  | { readonly kind: 'add-replacement'; readonly leg: LegId }
  | { readonly kind: 'restart-ice'; readonly leg: LegId }
  | { readonly kind: 'apply' }
  | { readonly kind: 'drop' }

export interface MediaState {
  readonly status: 'none' | 'opening' | 'open' | 'closing' | 'closed'
  readonly operations: Readonly<Record<number, MediaPurpose>>
  /** What the engine told about our side of each leg. */
  readonly local: Readonly<Record<LegId, LocalFacts>>
  readonly summary?: SessionSummary | undefined
}

/** A renegotiation on its way from one leg to the other (RFC 3264 §8). */
export interface Reoffer {
  readonly from: LegId
  /** Absent while nobody was asked. */
  readonly to?: LegId | undefined
  /** The request that waits for the outcome; absent if we began it ourselves. */
  readonly key?: ServerKey | undefined
  readonly offer: SessionDescription
  readonly stage: 'restarting-ice' | 'asked'
  /** What we sent to `to`. */
  readonly offered?: SessionDescription | undefined
  readonly client?: ClientKey | undefined
}

/** Why the call ends; set once, by the first reason. */
export interface Ending {
  readonly status: number
  readonly endedBy: EndedBy
  readonly reason: string
  readonly at: Millis
}

export type EndedBy = 'caller' | 'callee' | 'media' | 'timer' | 'operator' | 'error'

/** A call that nobody has offered yet. Every field is there from the start: states of one shape are cheap to copy. */
export function createCall(id: CallId): CallState {
  return {
    id,
    phase: 'idle',
    asked: undefined,
    legs: {},
    groups: [],
    builtin: undefined,
    outcomes: [],
    winner: undefined,
    early: undefined,
    earlyDialogs: undefined,
    rang: undefined,
    waiting: [],
    sent: [],
    media: { status: 'none', operations: {}, local: {} },
    reoffer: undefined,
    retry: undefined,
    deadlines: {},
    counters: { client: 0, op: 0, branch: 0 },
    answeredAt: undefined,
    ending: undefined,
  }
}
