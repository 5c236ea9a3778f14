import { randomBytes } from 'node:crypto'
import { GatewayError, LIMITS, type Millis } from '../../../base/index.ts'
import type { MediaEngine, OpenOptions } from '../../engine.ts'
import type { MediaEvent } from '../../events.ts'
import type {
  ChangeResult,
  MediaSessionId,
  OpenedSession,
  SessionChange,
  SessionSpec,
  SessionSummary,
  SideStats,
} from '../../model.ts'
import { checkSpec } from '../../spec-check.ts'
import type { MediaClock, MediaLog, PortableConfig } from './config.ts'
import { withDeadline } from './deadline.ts'
import { createCertificate } from './dtls/index.ts'
import { EventQueue } from './event-queue.ts'
import { WebRtcMux } from './ice/index.ts'
import { RtpPlaces } from './rtp-places.ts'
import { Session } from './session.ts'
import { SideFactory } from './side-factory.ts'
import { Ticker } from './ticker.ts'
import { PortPool } from './udp/port-pool.ts'
import type { SocketGroup } from './udp/socket-group.ts'

/** What an engine is built from; `index.ts` does it. */
export interface EngineOptions {
  readonly config: PortableConfig
  readonly clock: MediaClock
  readonly advertise: readonly string[]
  readonly groups: readonly SocketGroup[]
}

interface Entry {
  readonly session: Session
  readonly opened: Promise<OpenedSession>
}

/** `MediaEngine` in this process. */
export class PortableEngine implements MediaEngine {
  readonly name = 'portable'
  readonly #clock: MediaClock
  readonly #log: MediaLog | undefined
  readonly #groups: readonly SocketGroup[]
  readonly #maxSessions: number
  readonly #qualityMs: number
  readonly #events: EventQueue
  readonly #mux: WebRtcMux
  readonly #sides: SideFactory
  readonly #ticker: Ticker
  readonly #sessions = new Map<MediaSessionId, Entry>()
  readonly #closing = new Map<MediaSessionId, Promise<SessionSummary>>()
  #faults = 0
  #stopped = false

  constructor({ config, clock, advertise, groups }: EngineOptions) {
    this.#clock = clock
    this.#log = config.log
    this.#groups = groups
    this.#maxSessions = config.limits?.sessions ?? LIMITS.mediaSessions
    this.#qualityMs = config.qualityMs ?? 2_000
    this.#events = new EventQueue(config.limits?.eventsQueued ?? LIMITS.mediaEventsQueued)
    this.#ticker = new Ticker(
      clock,
      (now) => this.#tick(now),
      (error) => this.#onFault(error),
    )
    const now = () => clock.now()
    const pool = new PortPool(config.rtpPorts, config.quarantineMs ?? 30_000, random32() / 2 ** 32)
    const mux = new WebRtcMux((error) => this.#onFault(error))
    this.#mux = mux
    for (const socket of groups.flatMap((group) => group.sockets)) mux.listen(socket)
    const parts = {
      mux,
      certificate: createCertificate(Date.now()),
      ids: config.ids,
      consentMs: config.consentMs ?? 30_000,
      silenceMs: config.silenceMs ?? 5_000,
      latch: config.latch ?? ('same-ip' as const),
      now,
      random32,
      wantWakeups: this.#ticker.wantWakeups,
      onFault: (error: unknown) => this.#onFault(error),
    }
    const places = new RtpPlaces({ pool, advertise, bind: config.bind, now })
    this.#sides = new SideFactory({
      parts,
      places,
      groups,
      ticker: this.#ticker,
      tell: (event) => this.#events.push(event),
    })
  }

  get events(): AsyncIterable<MediaEvent> {
    return this.#events
  }

  readonly strays = (): number => this.#mux.counters.strangers + this.#mux.counters.checksRefused

  async open(spec: SessionSpec, options: OpenOptions = {}): Promise<OpenedSession> {
    this.#refuseIfStopped()
    const known = this.#sessions.get(spec.id)
    if (known !== undefined) return known.opened
    checkSpec(spec)
    if (this.#sessions.size >= this.#maxSessions) {
      throw new GatewayError('MEDIA_SESSIONS_EXHAUSTED', `${this.#maxSessions} media sessions are open`)
    }
    const session = new Session(spec.id, this.#sides, this.#clock.now() + this.#qualityMs)
    const opened = this.#open(session, spec, options)
    this.#sessions.set(spec.id, { session, opened })
    this.#closing.delete(spec.id)
    this.#ticker.want(true)
    return opened
  }

  async change(id: MediaSessionId, change: SessionChange): Promise<ChangeResult> {
    return (await this.#opened(id)).change(change)
  }

  async stats(id: MediaSessionId): Promise<readonly SideStats[]> {
    return (await this.#opened(id)).stats()
  }

  async close(id: MediaSessionId): Promise<SessionSummary> {
    const entry = this.#sessions.get(id)
    const earlier = this.#closing.get(id)
    if (entry === undefined && earlier !== undefined) return earlier
    const session = await this.#opened(id)
    const known = this.#closing.get(id)
    if (known !== undefined) return known // Closed by another caller in the meantime.
    const closing = session.close().then((sides) => ({ id, sides }))
    this.#sessions.delete(id)
    this.#ticker.want(this.#sessions.size > 0)
    this.#remember(id, closing)
    return closing
  }

  async stop(): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    const entries = [...this.#sessions.values()]
    this.#sessions.clear()
    await Promise.allSettled(entries.map(({ session, opened }) => opened.then(() => session.close())))
    await Promise.allSettled(this.#closing.values())
    this.#ticker.stop()
    await Promise.all(this.#groups.flatMap((group) => group.sockets.map((socket) => socket.close())))
    this.#events.end()
  }

  async #open(session: Session, spec: SessionSpec, { deadlineMs = 500 }: OpenOptions): Promise<OpenedSession> {
    const opening = session.open(spec.sides)
    try {
      return { id: spec.id, sides: await withDeadline(opening, Math.min(5_000, Math.max(10, deadlineMs))) }
    } catch (error) {
      this.#sessions.delete(spec.id)
      // Only when all binding is over is it known what has to be given back.
      await opening.catch(() => {}).then(() => session.abandon())
      throw error
    }
  }

  /** The session, once it is open. */
  async #opened(id: MediaSessionId): Promise<Session> {
    this.#refuseIfStopped()
    const entry = this.#sessions.get(id)
    if (entry === undefined) throw new GatewayError('MEDIA_SESSION_UNKNOWN', `there is no media session ${id}`)
    await entry.opened
    return entry.session
  }

  #tick(now: Millis): void {
    for (const { session } of this.#sessions.values()) {
      session.tick(now)
      if (now < session.qualityAt) continue
      session.qualityAt = now + this.#qualityMs
      this.#events.push({ kind: 'quality', session: session.id, sides: session.stats() })
    }
  }

  /** Kept so that closing twice gives the same; the oldest is forgotten. */
  #remember(id: MediaSessionId, closing: Promise<SessionSummary>): void {
    this.#closing.set(id, closing)
    const [oldest] = this.#closing.keys()
    if (this.#closing.size > LIMITS.endedCallsKept && oldest !== undefined) this.#closing.delete(oldest)
  }

  #refuseIfStopped(): void {
    if (this.#stopped) throw new GatewayError('MEDIA_ENGINE_LOST', 'the media engine was stopped')
  }

  /** A bug of ours that a datagram found. The first few are worth a line, a flood is not. */
  #onFault(error: unknown): void {
    this.#faults++
    if (this.#faults <= MAX_FAULTS_LOGGED) this.#log?.warn({ error, faults: this.#faults }, 'media: a datagram failed')
  }
}

const MAX_FAULTS_LOGGED = 20

function random32(): number {
  return randomBytes(4).readUInt32BE()
}
