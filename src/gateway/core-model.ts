import type { CallDetail, CallView, RegistrationView, TimelineEntry } from '../api/index.ts'
import type { ByteString, FaultCode, IdSource, Millis } from '../base/index.ts'
import type { CallConfig, CallId, CallRecord } from '../call/index.ts'
import type { MessageSummary } from '../events/index.ts'
import type {
  ChangeResult,
  MediaEvent,
  MediaSessionId,
  OpenedSession,
  SessionChange,
  SessionSpec,
  SessionSummary,
} from '../media/index.ts'
import type { RegistrarConfig } from '../registrar/index.ts'
import type {
  DigestHash,
  DnsAnswer,
  DnsQuestion,
  Flow,
  SendTarget,
  SipEndpointOptions,
  StreamFault,
  TransportName,
} from '../sip/index.ts'
import type { Tenant } from '../tenancy/index.ts'

/**
 * The gateway without sockets, clock and randomness: SIP endpoint, registrar, routing, authentication and every call.
 *
 * After each `handle`, drain `poll()` until it gives nothing, then sleep until `deadline()` and hand in
 * `{ kind: 'wake' }`.
 */
export interface Core {
  handle(input: CoreInput, now: Millis): void
  poll(): CoreOutput | undefined
  deadline(): Millis | undefined

  /** Newest first: live calls, then ended ones that are still kept. */
  calls(): readonly CallView[]
  call(id: CallId): CallDetail | undefined
  /** The call without its timeline. */
  view(id: CallId): CallView | undefined
  /** Whether it is not over yet. */
  isLive(id: CallId): boolean
  registrations(now: Millis): readonly RegistrationView[]
  counts(): CoreCounts
  kept(): CoreKept
}

export interface CoreCounts {
  readonly calls: number
  readonly registrations: number
  readonly transactions: number
}

/** What is kept besides calls and registrations. */
export interface CoreKept {
  readonly subscriptions: number
  readonly publications: number
  /** Instant messages that wait for their receivers. */
  readonly messages: number
}

export type CoreInput =
  | { readonly kind: 'received'; readonly flow: Flow; readonly data: ByteString; readonly broken?: StreamFault }
  | { readonly kind: 'flow-closed'; readonly flowId: string }
  | { readonly kind: 'send-failed'; readonly sendId: number; readonly cause: string }
  | { readonly kind: 'media-opened'; readonly call: CallId; readonly op: number; readonly opened: OpenedSession }
  | { readonly kind: 'media-changed'; readonly call: CallId; readonly op: number; readonly result: ChangeResult }
  | {
      readonly kind: 'media-failed'
      readonly call: CallId
      readonly op: number
      readonly code: FaultCode
      readonly detail: string
    }
  | { readonly kind: 'media-closed'; readonly call: CallId; readonly summary: SessionSummary }
  /** From the engine's `events`; its session tells the call. */
  | { readonly kind: 'media'; readonly event: MediaEvent }
  /** The answer to a `dns-query`. */
  | { readonly kind: 'dns-answer'; readonly question: DnsQuestion; readonly answer: DnsAnswer }
  | { readonly kind: 'end-call'; readonly call: CallId; readonly reason: string }
  /** Voice messages that wait in a user's mailbox: whoever watches it is told (RFC 3842). */
  | {
      readonly kind: 'mailbox'
      readonly tenant: string
      readonly user: string
      readonly summary: MessageSummary
    }
  /** From now on new calls get 503. */
  | { readonly kind: 'drain' }
  /** The process ends: whoever watches somebody is told to ask again later. */
  | { readonly kind: 'farewell' }
  | { readonly kind: 'wake' }

export type CoreOutput =
  /** `sendId` 0: nobody waits for the fate of these bytes. */
  | { readonly kind: 'send'; readonly sendId: number; readonly target: SendTarget; readonly data: ByteString }
  /** Whoever asks the DNS answers each with one `dns-answer`, whatever happens. */
  | { readonly kind: 'dns-query'; readonly question: DnsQuestion }
  /** Requests to this port of the flow's peer may go over the flow (RFC 5923): its certificate proves who it is. */
  | { readonly kind: 'alias'; readonly flow: Flow; readonly port: number }
  /** The engine's answers come back as `media-opened`, `media-changed`, `media-failed`, `media-closed`. */
  | { readonly kind: 'media-open'; readonly call: CallId; readonly op: number; readonly spec: SessionSpec }
  | {
      readonly kind: 'media-change'
      readonly call: CallId
      readonly op: number
      readonly session: MediaSessionId
      readonly change: SessionChange
    }
  | { readonly kind: 'media-close'; readonly call: CallId; readonly session: MediaSessionId }
  /** The call changed; read it with `call(id)`. */
  | { readonly kind: 'call-changed'; readonly call: CallId }
  /** A line was added to the call's timeline. `entry()` makes it readable. */
  | { readonly kind: 'timeline'; readonly call: CallId; readonly entry: () => TimelineEntry }
  /** New counters; read them with `view(id)`. */
  | { readonly kind: 'quality'; readonly call: CallId }
  | { readonly kind: 'call-ended'; readonly record: CallRecord }
  | {
      readonly kind: 'log'
      readonly level: 'debug' | 'info' | 'warn' | 'error'
      readonly fields: Readonly<Record<string, string | number | boolean>>
      readonly message: string
    }

export interface CoreOptions {
  readonly endpoint: SipEndpointOptions
  readonly call: CallConfig
  readonly tenants: readonly Tenant[]
  /** Names and addresses of ours, besides the tenants' domains, that a Request-URI may carry. Lower case. */
  readonly ownHosts: readonly string[]
  readonly registrar?: RegistrarConfig
  readonly ids: IdSource
  /** Node's `createHash`, or a stand-in in tests. */
  readonly hash: DigestHash
  /** Wall clock of the moment `now`, in Unix ms. Default: `now` itself. */
  readonly wallClock?: (now: Millis) => Millis
  readonly locating?: LocatingOptions
  readonly limits?: CoreLimits
  readonly count?: CoreCounting
}

/** How the targets of trunks are found and left (RFC 3263). */
export interface LocatingOptions {
  /** Transports requests can be sent over. Default: UDP and TCP. */
  readonly transports?: readonly TransportName[]
  /** How long a target is tried last that did not serve, in ms. Default 60_000. */
  readonly avoidMs?: number
}

export interface CoreLimits {
  readonly calls?: number
  readonly registrations?: number
  readonly timelineEntries?: number
  readonly endedCallsKept?: number
  /** How long an ended call can still be read. Default 3_600_000. */
  readonly endedCallsKeptMs?: number
}

/** Where the core counts; `Metrics` of `telemetry` is one. */
export interface CoreCounting {
  sipMessage(direction: 'in' | 'out', transport: TransportName, what: string | number): void
  sipRetransmitted(transport: TransportName): void
  sipRejected(code: string): void
  authFailed(kind: 'sip'): void
  callStarted(): void
  callEnded(record: CallRecord): void
  fault(code: FaultCode): void
  /** A target of a trunk did not serve a request. */
  targetFailed(cause: 'silent' | 'timeout' | 'transport' | '503'): void
  /** The relay was replaced with sessions up. */
  mediaRecovered(gapMs: number): void
  /** The engine closed a session that nobody asked it to close. */
  mediaClosedByEngine(): void
}
