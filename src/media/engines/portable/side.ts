import type { FaultCode, Millis } from '../../../base/index.ts'
import type { MediaEvent } from '../../events.ts'
import type { LocalSide, LocalStream, MediumKind, RemoteSide, SideId, SideStats } from '../../model.ts'
import type { DtmfDigit } from './rtp/index.ts'
import type { Stream, StreamListener } from './stream.ts'

/** What `SideMonitor` may tell: events without the names of session and side. */
type Told<E = MediaEvent> = E extends { session: string; side: string } ? Omit<E, 'session' | 'side'> : never
export type SideEvent = Told

/** One side of a session, whatever its transport is. */
export interface Side {
  readonly id: SideId
  /** In the order of the spec. */
  readonly streams: readonly Stream[]
  /** What the peer has to be told, as of now. */
  local(): LocalSide
  /** @throws GatewayError `MEDIA_SPEC_INVALID`; nothing changed. */
  applyRemote(remote: RemoteSide): void
  restartIce(): void
  stats(): SideStats
  /** Time-outs and reports; called every 250 ms. */
  tick(now: Millis): void
  close(): Promise<void>
}

/** Watches what arrives on a side: the first packet, silence, digits, goodbye. */
export class SideMonitor implements StreamListener {
  readonly #tell: (event: SideEvent) => void
  readonly #remoteText: () => string | undefined
  readonly #silenceMs: number
  #heard = false
  #silent = false
  #ended = false
  #goodbyeAt: Millis | undefined
  /** When something was last heard, or began to be expected; `undefined` while the peer may not send. */
  #quietSince: Millis | undefined

  constructor(tell: (event: SideEvent) => void, remoteText: () => string | undefined, silenceMs: number) {
    this.#tell = tell
    this.#remoteText = remoteText
    this.#silenceMs = silenceMs
  }

  onMedia(_stream: Stream, now: Millis): void {
    this.#quietSince = now
    this.#goodbyeAt = undefined
    if (!this.#heard) {
      this.#heard = true
      this.#tell({ kind: 'first-packet', remote: this.#remoteText() ?? '' })
    }
    if (!this.#silent) return
    this.#silent = false
    this.#tell({ kind: 'resumed' })
  }

  onDigit({ digit, durationMs }: DtmfDigit): void {
    this.#tell({ kind: 'dtmf', digit, durationMs })
  }

  onGoodbye(now: Millis): void {
    this.#goodbyeAt ??= now
  }

  /** The transport itself ended. */
  onEnded(): void {
    if (this.#ended) return
    this.#ended = true
    this.#tell({ kind: 'ended' })
  }

  onFailed(code: FaultCode, detail: string): void {
    this.#tell({ kind: 'failed', code, detail })
  }

  /** @param expected Whether the peer may send audio and has a way to. */
  tick(expected: boolean, now: Millis): void {
    // A BYE may only end one SSRC of a peer that goes on with another: silence has to follow.
    if (this.#goodbyeAt !== undefined && now - this.#goodbyeAt >= GOODBYE_MS) this.onEnded()
    if (!expected) {
      this.#quietSince = undefined
      this.#silent = false
      return
    }
    this.#quietSince ??= now
    const forMs = now - this.#quietSince
    if (this.#silent || forMs < this.#silenceMs) return
    this.#silent = true
    this.#tell({ kind: 'silent', forMs: Math.round(forMs), cause: this.#heard ? 'stopped' : 'never-heard' })
  }
}

/** Random facts of the streams of a side; one CNAME for all of them (RFC 7022). */
export function localStreams(media: readonly MediumKind[], cname: string, random32: () => number): LocalStream[] {
  return media.map((kind) => ({ kind, ssrc: random32(), cname }))
}

const GOODBYE_MS = 1_000
