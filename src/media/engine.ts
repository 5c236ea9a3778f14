import type { MediaEvent } from './events.ts'
import type {
  ChangeResult,
  MediaSessionId,
  OpenedSession,
  SessionChange,
  SessionSpec,
  SessionSummary,
  SideStats,
} from './model.ts'

export interface OpenOptions {
  /** Time allowed for binding, in ms. Default 500, from 10 to 5_000. */
  readonly deadlineMs?: number
}

/** Counters of a whole engine, as last read. */
export interface EngineCounters {
  readonly packetsIn: number
  readonly packetsOut: number
  /** Times the process that relays was replaced. */
  readonly restarts: number
  /** Packets by the time they took from in to out: an upper bound in µs and how many, rising. */
  readonly latency: readonly (readonly [upperUs: number, packets: number])[]
}

/**
 * Moves media. It takes negotiated parameters and returns facts; it never sees SDP or SIP.
 *
 * One contract suite (`test/contract/media-engine.ts`) runs against each implementation.
 */
export interface MediaEngine {
  /** `portable`, `native`, `mediasoup`, `fake`. */
  readonly name: string

  /**
   * Opens a session and binds its ports. No media flows until `remote` and `connect` were given.
   *
   * Safe to retry: the same `spec.id` returns the session opened first.
   *
   * @returns What the peers have to be told, in the order of `spec.sides`.
   * @throws GatewayError `MEDIA_PORTS_EXHAUSTED`, `MEDIA_SESSIONS_EXHAUSTED`: try another node.
   * @throws GatewayError `MEDIA_SPEC_INVALID`: a bug in the caller; nothing was bound.
   * @throws GatewayError `MEDIA_DEADLINE_MISSED`: nothing was bound.
   * @throws GatewayError `MEDIA_ENGINE_LOST`: every session of this engine is gone.
   */
  open(spec: SessionSpec, options?: OpenOptions): Promise<OpenedSession>

  /**
   * Changes a session. Changes of one session take effect in the order they were given; each but `send-dtmf` is idempotent.
   *
   * @throws GatewayError `MEDIA_SESSION_UNKNOWN`, `MEDIA_SPEC_INVALID`, `MEDIA_PORTS_EXHAUSTED`, `MEDIA_ENGINE_LOST`.
   */
  change(id: MediaSessionId, change: SessionChange): Promise<ChangeResult>

  /** Current counters. @throws GatewayError `MEDIA_SESSION_UNKNOWN`. */
  stats(id: MediaSessionId): Promise<readonly SideStats[]>

  /** Ends a session; its ports rest in quarantine before they are used again. Closing twice gives the same summary. */
  close(id: MediaSessionId): Promise<SessionSummary>

  /** What happened, in order, for one reader. Ends after `stop`. */
  readonly events: AsyncIterable<MediaEvent>

  /** Datagrams since the start that reached shared ports and belonged to nobody. Absent where they are not counted. */
  readonly strays?: () => number

  /** Absent where they are not counted. */
  readonly counters?: () => EngineCounters

  /** Reads `strays` and `counters` anew where they are counted elsewhere. Never fails: then they stay as they were. */
  refresh?(): Promise<void>

  /** One line for people: what runs here. */
  readonly about?: string

  /** Frees everything. */
  stop(): Promise<void>
}
