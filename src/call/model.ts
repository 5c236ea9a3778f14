import type { FaultCode, Millis } from '../base/index.ts'
import type {
  ChangeResult,
  MediaEvent,
  MediaSessionId,
  OpenedSession,
  SessionChange,
  SessionSpec,
  SessionSummary,
} from '../media/index.ts'
import type { Destination, Party, RouteDecision } from '../routing/index.ts'
import type {
  AddressTarget,
  ClientKey,
  Flow,
  HeaderField,
  LocatedTargets,
  SendTarget,
  ServerKey,
  SipRequest,
  SipResponse,
} from '../sip/index.ts'

export type CallId = string
/** `a` is the leg that called us; `b1`, `b2`, … are the ones we call. Also the name of the leg's media side. */
export type LegId = string

export type { Destination, Party, RouteDecision } from '../routing/index.ts'

/** What happens to a call. The gateway translates inputs of the endpoint, the engine and the API to these. */
export type CallEvent =
  | {
      readonly kind: 'offered'
      readonly key: ServerKey
      readonly request: SipRequest
      readonly flow: Flow
      readonly caller: Party
      readonly decision: RouteDecision
      readonly limits: { readonly ringTimeoutMs: number; readonly maxDurationMs: number }
    }
  /**
   * A request inside one of the call's dialogs, or a re-INVITE to it. Never ACK or CANCEL. `referral`: where a REFER
   * leads.
   */
  | {
      readonly kind: 'request'
      readonly leg: LegId
      readonly key: ServerKey
      readonly request: SipRequest
      readonly flow: Flow
      readonly referral?: Referral
    }
  /** An INVITE that takes the place of the dialog of `leg` (RFC 3891). Its own leg gets the name `nextLegId`. */
  | {
      readonly kind: 'replacing'
      readonly leg: LegId
      readonly key: ServerKey
      readonly request: SipRequest
      readonly flow: Flow
      readonly party: Party
    }
  | { readonly kind: 'ack'; readonly leg: LegId; readonly request: SipRequest }
  /** CANCEL for the INVITE `key`. */
  | { readonly kind: 'cancelled'; readonly key: ServerKey; readonly request: SipRequest }
  | { readonly kind: 'ack-missing'; readonly key: ServerKey }
  /** The connection closed that the INVITE came over and its answer would go. */
  | { readonly kind: 'caller-gone' }
  | { readonly kind: 'response'; readonly key: ClientKey; readonly response: SipResponse; readonly flow: Flow }
  /**
   * A request of this call was challenged (401, 407) and the trunk's credentials answer it: send it again with the next
   * CSeq and this header. The gateway gives it at most once per request.
   */
  | { readonly kind: 'authorized'; readonly key: ClientKey; readonly authorization: HeaderField }
  | {
      readonly kind: 'failed'
      readonly key: ClientKey
      readonly cause: 'timeout' | 'transport'
      readonly detail: string
    }
  /** What became of `locate`. */
  | ({ readonly kind: 'located' } & LocatedTargets)
  | { readonly kind: 'media-opened'; readonly op: number; readonly opened: OpenedSession }
  | { readonly kind: 'media-changed'; readonly op: number; readonly result: ChangeResult }
  | { readonly kind: 'media-failed'; readonly op: number; readonly code: FaultCode; readonly detail: string }
  | { readonly kind: 'media-closed'; readonly summary: SessionSummary }
  | { readonly kind: 'media'; readonly event: MediaEvent }
  /** Where the contacts of a `redirect` lead; empty: nowhere. */
  | {
      readonly kind: 'redirected'
      readonly leg: LegId
      readonly status: number
      readonly destinations: readonly Destination[]
    }
  /** Somebody with the right ends the call (API, drain, shutdown). */
  | { readonly kind: 'end'; readonly reason: string }
  | { readonly kind: 'wake' }

/** What becomes of a REFER, decided by who may transfer and by routing. */
export type Referral =
  | { readonly kind: 'refuse'; readonly status: number; readonly reason: string }
  /** The other side shall do it. */
  | { readonly kind: 'pass' }
  /** It is taken, but its target cannot be called. */
  | { readonly kind: 'unreachable'; readonly status: number; readonly reason: string }
  /** `headers`: what the INVITE to the target says besides. */
  | {
      readonly kind: 'ring'
      readonly groups: readonly (readonly Destination[])[]
      readonly headers: readonly HeaderField[]
    }

/** What a call wants done. */
export type CallEffect =
  /** `credentialsOf`: the trunk whose digest credentials may answer a challenge of this request. */
  | {
      readonly kind: 'request'
      readonly leg: LegId
      readonly key: ClientKey
      readonly request: SipRequest
      readonly target: SendTarget
      readonly credentialsOf?: { readonly tenant: string; readonly trunk: string }
    }
  /** Find the servers of this domain (RFC 3263); the answer is `located`. One at a time. */
  | { readonly kind: 'locate'; readonly target: AddressTarget }
  /** The INVITE `key` got no answer at all in time, and the next target is tried. */
  | { readonly kind: 'silent'; readonly key: ClientKey }
  | { readonly kind: 'cancel'; readonly key: ClientKey; readonly headers?: readonly HeaderField[] }
  | {
      readonly kind: 'ack'
      readonly leg: LegId
      readonly key: ClientKey
      readonly ack: SipRequest
      readonly target: SendTarget
    }
  | { readonly kind: 'respond'; readonly leg: LegId; readonly key: ServerKey; readonly response: SipResponse }
  /** A branch answered 3xx: routing is asked where its contacts lead, and answers with `redirected`. */
  | {
      readonly kind: 'redirect'
      readonly leg: LegId
      readonly party: Party
      readonly contacts: readonly string[]
      readonly status: number
    }
  /** A dialog of this call exists from now on (until `ended`): in-dialog requests with these belong to `leg`. */
  | {
      readonly kind: 'dialog'
      readonly leg: LegId
      readonly sipCallId: string
      readonly localTag: string
      /** Of a peer that called into the call: its tag, and how it is reached. */
      readonly peer?: { readonly tag: string; readonly flow: Flow }
    }
  | { readonly kind: 'media-open'; readonly op: number; readonly spec: SessionSpec }
  | {
      readonly kind: 'media-change'
      readonly op: number
      readonly session: MediaSessionId
      readonly change: SessionChange
    }
  | { readonly kind: 'media-close'; readonly session: MediaSessionId }
  /** Something worth telling whoever looks at the call. */
  | { readonly kind: 'note'; readonly note: CallNote }
  /** The call changed so that followers should be told (`/v1/events`). */
  | { readonly kind: 'changed' }
  /** Nothing is owed to anybody any more; the state may be dropped. */
  | { readonly kind: 'ended'; readonly record: CallRecord }

/** A line of the timeline that is not a SIP message or a media event. */
export interface CallNote {
  readonly leg?: LegId
  /** `routing`, `sdp`, `state`, `media`, `error`. */
  readonly topic: string
  readonly text: string
  readonly facts?: Readonly<Record<string, string | number | boolean>>
}

/** Call detail record. */
export interface CallRecord {
  readonly id: CallId
  readonly tenant: string
  readonly caller: Party
  readonly callee?: Party
  readonly from: string
  readonly to: string
  readonly startedAt: Millis
  readonly answeredAt?: Millis
  readonly endedAt: Millis
  /** SIP status that ended the attempt, or 200. */
  readonly status: number
  /** Who or what ended it: `caller`, `callee`, `media`, `timer`, `operator`, `error`. */
  readonly endedBy: string
  readonly reason: string
  readonly media?: SessionSummary
}
