import type { FaultCode } from '../base/index.ts'
import type { SendTarget } from '../sip/index.ts'

/** Who is on a leg. */
export type Party =
  | { readonly kind: 'user'; readonly tenant: string; readonly user: string }
  | { readonly kind: 'trunk'; readonly tenant: string; readonly trunk: string }
  | { readonly kind: 'builtin'; readonly tenant: string; readonly name: 'echo' | 'tone' }

/** One place to ring. */
export interface Destination {
  readonly party: Party
  /** Request-URI of the INVITE. */
  readonly uri: string
  readonly target: SendTarget
  readonly profile: 'webrtc' | 'rtp'
  /** Preloaded Route set (a registration's Path). */
  readonly route: readonly string[]
  readonly srtp: 'offer' | 'accept' | 'never'
  /** It wants to offer itself: its INVITE carries no SDP. */
  readonly lateOffer?: boolean
}

/** What routing decided. */
export type RouteDecision =
  | { readonly kind: 'refuse'; readonly code: FaultCode; readonly status: number; readonly reason: string }
  | { readonly kind: 'builtin'; readonly builtin: 'echo' | 'tone' }
  /** Groups are tried one after the other; the members of a group ring together. */
  | { readonly kind: 'ring'; readonly groups: readonly (readonly Destination[])[] }
