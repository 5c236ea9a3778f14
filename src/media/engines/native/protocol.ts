import type { Secret } from '../../../base/index.ts'
import type { MediaEvent } from '../../events.ts'
import type {
  LocalSide,
  MediaSessionId,
  OpenedSession,
  SessionChange,
  SessionSpec,
  SessionSummary,
  SideStats,
} from '../../model.ts'

/**
 * What gateway and media engine say to each other; the other side is `native/crates/control`, and both test the golden
 * files there. The protocol is raised when an older peer would misunderstand; fields that are only added do not raise it.
 */
export const PROTOCOL = 1

/** Part of the model as it stands on the wire: the same with secrets in the open. */
export type Wire<T> =
  T extends Secret<infer Value>
    ? Value
    : T extends readonly (infer Entry)[]
      ? readonly Wire<Entry>[]
      : T extends object
        ? { readonly [Key in keyof T]: Wire<T[Key]> }
        : T

/** What the gateway asks for. */
export type Op =
  /** First on each connection. The last gateway to say it gets the events. */
  | { readonly op: 'hello'; readonly protocol: number; readonly gateway: string }
  | { readonly op: 'open'; readonly spec: Wire<SessionSpec>; readonly deadlineMs?: number }
  | { readonly op: 'change'; readonly session: MediaSessionId; readonly change: Wire<SessionChange> }
  | { readonly op: 'stats'; readonly session: MediaSessionId }
  | { readonly op: 'close'; readonly session: MediaSessionId }
  /** Ids of all sessions, also those of a gateway that died. */
  | { readonly op: 'list' }
  /** Sessions that are ours; those that nobody claims within a minute of a hello are closed. */
  | { readonly op: 'claim'; readonly sessions: readonly MediaSessionId[] }
  | { readonly op: 'engine' }
  /** Replaces the relay by the program at `path` (default: the same), calls up. */
  | { readonly op: 'upgrade'; readonly path?: string }
  | { readonly op: 'stop' }
  /** Tests only: moves the engine's clock ahead. */
  | { readonly op: 'skip'; readonly ms: number }

export type Command = Op & { readonly id: number }

/** What a command gave. */
export type Answer =
  | Hello
  | { readonly kind: 'opened'; readonly session: Wire<OpenedSession> }
  | { readonly kind: 'changed'; readonly sides: readonly Wire<LocalSide>[] }
  | { readonly kind: 'stats'; readonly sides: readonly SideStats[] }
  | ({ readonly kind: 'closed' } & SessionSummary)
  | { readonly kind: 'sessions'; readonly sessions: readonly MediaSessionId[] }
  | { readonly kind: 'engine'; readonly engine: EngineStats }
  | { readonly kind: 'done' }

export interface Hello {
  readonly kind: 'hello'
  readonly protocol: number
  readonly version: string
  readonly relayPid: number
  readonly keeperPid: number
  readonly threads: number
  /** Tier of input and output with the reason: `batch (recvmmsg)`. */
  readonly io: string
}

export interface Reply {
  readonly id: number
  readonly ok?: Answer
  readonly fault?: { readonly code: string; readonly message: string }
}

/** A frame from engine to gateway. */
export type Message = Reply | { readonly events: readonly WireEvent[] }

/** An engine never tells of its own loss. */
export type WireEvent = Exclude<MediaEvent, { readonly kind: 'engine-lost' }>

/** Also those of a newer engine come; what is not here is not passed on. */
export const EVENT_KINDS: Readonly<Record<WireEvent['kind'], true>> = {
  'ice-connected': true,
  'ice-disconnected': true,
  'dtls-connected': true,
  failed: true,
  'first-packet': true,
  silent: true,
  resumed: true,
  ended: true,
  dtmf: true,
  quality: true,
  closed: true,
  recovered: true,
}

/** Since the keeper started, or since the relay did where that is said. */
export interface EngineStats {
  readonly version: string
  readonly sessions: number
  readonly strays: number
  readonly packetsIn: number
  readonly packetsOut: number
  /** Times the relay was replaced. */
  readonly restarts: number
  readonly threads: readonly ThreadStats[]
}

/** Since the relay started. */
export interface ThreadStats {
  readonly sessions: number
  readonly packetsIn: number
  readonly packetsOut: number
  readonly strays: number
  /** In progress. */
  readonly handshakes: number
  /** Packet in → packet out, in µs. */
  readonly latencyUs: LatencyStats
}

export interface LatencyStats {
  readonly count: number
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly max: number
  /** Upper bound in µs and packets of every bucket that is not empty, rising. */
  readonly buckets: readonly (readonly [upperUs: number, packets: number])[]
}
