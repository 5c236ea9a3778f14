/**
 * JSON of `/v1`. Times are Unix milliseconds. Who may see what: the operator's token sees all, a user's token the calls
 * in which that user is a party.
 */

/** `GET /v1/calls` → `{ calls: CallView[] }`, newest first. */
export interface CallView {
  readonly id: string
  readonly tenant: string
  /** State of the call machine: `routing`, `inviting`, `ringing`, `talking`, `reoffering`, `ending`, `ended`, … */
  readonly state: string
  readonly from: string
  readonly to: string
  readonly startedAt: number
  readonly answeredAt?: number
  readonly endedAt?: number
  /** Why and by whom it ended. */
  readonly outcome?: { readonly status: number; readonly endedBy: string; readonly reason: string }
  readonly legs: readonly LegView[]
}

export interface LegView {
  readonly id: string
  /** `user:alice`, `trunk:carrier`, `builtin:echo`. */
  readonly party: string
  readonly profile: 'webrtc' | 'rtp' | 'builtin'
  readonly transport?: string
  readonly state: string
  readonly sipCallId?: string
  /** Negotiated audio codec, if any. */
  readonly codec?: string
  readonly media?: LegMediaView
}

export interface LegMediaView {
  readonly ice?: string
  readonly dtls?: string
  readonly srtpSuite?: string
  readonly remote?: string
  readonly packetsReceived: number
  readonly packetsSent: number
  readonly packetsLost: number
  readonly packetsDiscarded: number
  readonly jitterMs: number
  readonly roundTripMs?: number
}

/** `GET /v1/calls/ID` → CallDetail. */
export interface CallDetail extends CallView {
  readonly timeline: readonly TimelineEntry[]
  /** Entries that came after the bound of the timeline. */
  readonly timelineDropped: number
}

export type TimelineEntry = {
  /** Position in this call's timeline, from 1. */
  readonly seq: number
  readonly at: number
  readonly leg?: string
} & (
  | {
      readonly kind: 'sip'
      readonly direction: 'in' | 'out'
      /** `INVITE sip:bob@…` or `180 Ringing (INVITE)`. */
      readonly summary: string
      readonly repeated: boolean
      readonly remote: string
      readonly transport: string
      /** The message as text, secrets blanked. */
      readonly text: string
    }
  | {
      readonly kind: 'media'
      readonly event: string
      readonly summary: string
      readonly facts: Readonly<Record<string, string | number | boolean>>
    }
  | {
      readonly kind: 'note'
      readonly topic: string
      readonly summary: string
      readonly facts?: Readonly<Record<string, string | number | boolean>>
    }
)

/**
 * `GET /v1/events` (server-sent events). `event:` is `call` (data: CallView, at each change), `timeline`
 * (data: `{ call: string, entry: TimelineEntry }`), `quality` (data: `{ call: string, legs: LegView[] }`).
 * `?call=ID` restricts to one call.
 */
export type ApiEvent =
  | { readonly event: 'call'; readonly data: CallView }
  | { readonly event: 'timeline'; readonly data: { readonly call: string; readonly entry: TimelineEntry } }
  | { readonly event: 'quality'; readonly data: { readonly call: string; readonly legs: readonly LegView[] } }

/** `POST /v1/session` with SessionRequest → SessionGrant: a short-lived token for the page. 401 if the password is wrong. */
export interface SessionRequest {
  readonly user: string
  readonly domain: string
  readonly password: string
}

export interface SessionGrant {
  readonly token: string
  readonly expiresAt: number
}

/** `GET /page.json`, open to all: what the page has to know before anybody signed in. */
export interface PageInfo {
  readonly version: string
  readonly engine: string
  /** Path of the SIP WebSocket on this host. */
  readonly sipPath: string
  readonly domains: readonly string[]
  /** Only in demo mode, and only for browsers on this machine or in its private network: accounts made for this run. */
  readonly demo?: readonly {
    readonly user: string
    readonly domain: string
    readonly password: string
    readonly displayName: string
  }[]
  /** Destinations worth a button. */
  readonly builtins: readonly { readonly dial: string; readonly what: string }[]
}

/** Body of every error of the API. */
export interface ApiError {
  readonly error: { readonly code: string; readonly message: string }
}

/** `GET /v1/registrations` → `{ registrations: RegistrationView[] }`; operator only. */
export interface RegistrationView {
  readonly tenant: string
  readonly user: string
  readonly contact: string
  readonly transport: string
  readonly remote: string
  readonly expiresAt: number
  readonly userAgent?: string
}

/** `GET /healthz`: 200 with `status: 'ok'`, 503 with `stopping`. */
export interface StatusView {
  readonly status: 'ok' | 'stopping'
  readonly engine: string
  readonly calls: number
  readonly registrations: number
  readonly connections: number
}
