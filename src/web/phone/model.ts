/** What the page knows of its own telephone: plain data, no JsSIP and no DOM. */

export interface Account {
  readonly user: string
  readonly domain: string
  readonly password: string
  readonly displayName?: string
}

/** The WebSocket to the gateway. */
export type Connection =
  | { readonly kind: 'off' }
  | { readonly kind: 'connecting'; readonly attempt: number }
  | { readonly kind: 'open' }
  /** It closed or never opened; JsSIP tries again by itself. */
  | { readonly kind: 'lost'; readonly words: string }

export type Registration =
  | { readonly kind: 'none' }
  | { readonly kind: 'asking' }
  | { readonly kind: 'registered' }
  | { readonly kind: 'failed'; readonly words: string }

/**
 * Where a call of this page is. `preparing`: waiting for the microphone; `dialling`: INVITE sent; `ringing`: 180 came;
 * `incoming`: rings here; `answering`: we said yes, media is being negotiated; `talking`: ACK sent or received.
 */
export type CallPhase = 'preparing' | 'dialling' | 'ringing' | 'incoming' | 'answering' | 'talking'

export interface PhoneCall {
  /** Name of the call inside the page. */
  readonly id: string
  /** SIP Call-ID once there is an INVITE: how the gateway's view of the call is found. */
  readonly sipCallId?: string
  readonly direction: 'outgoing' | 'incoming'
  /** Who is at the other end, for people. */
  readonly peer: string
  /** What to dial to reach the other end again. */
  readonly redial: string
  readonly phase: CallPhase
  readonly startedAt: number
  readonly answeredAt?: number
  readonly muted: boolean
  readonly heldByUs: boolean
  readonly heldByPeer: boolean
  /** The far end is heard before the answer. */
  readonly earlyMedia: boolean
  readonly quality?: Quality
}

/** What the browser itself measured on the media it got, once a second. */
export interface Quality {
  readonly codec: string
  readonly packetsReceived: number
  readonly packetsLost: number
  /** Lost share of the last few seconds, 0 to 1. */
  readonly lossFraction: number
  readonly jitterMs: number
  readonly roundTripMs?: number
}

/** How a call ended, in words. */
export interface Outcome {
  readonly words: string
  readonly status?: number
  /** `false` for what people expect: somebody hung up, we cancelled. */
  readonly problem: boolean
}

/** A call that is over, newest first in the list. */
export interface RecentCall {
  readonly id: string
  readonly sipCallId?: string
  readonly direction: 'outgoing' | 'incoming'
  readonly peer: string
  readonly redial: string
  readonly startedAt: number
  readonly talkedMs: number
  readonly outcome: Outcome
}

export interface PhoneState {
  readonly account?: Account
  readonly connection: Connection
  readonly registration: Registration
  readonly calls: readonly PhoneCall[]
  readonly recent: readonly RecentCall[]
  /** Something people must be told; replaced by the next, removed by the next call. */
  readonly notice?: { readonly words: string; readonly problem: boolean }
}

/** How a digit travels: RFC 4733 in the audio stream, or SIP INFO. */
export type DigitTransport = 'rtp' | 'info'

/** `default`, `tone` (a test tone instead of a microphone), `silence`, or a device id of the browser. */
export type MicrophoneChoice = string
