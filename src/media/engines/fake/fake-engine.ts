import { type FaultCode, GatewayError, type IdSource, LIMITS, type Millis } from '../../../base/index.ts'
import type { MediaEngine } from '../../engine.ts'
import type { MediaEvent } from '../../events.ts'
import type {
  ChangeResult,
  ConnectedTo,
  LocalSide,
  MediaSessionId,
  OpenedSession,
  RemoteSide,
  SessionChange,
  SessionSpec,
  SessionSummary,
  SideId,
  SideSpec,
  SideStats,
} from '../../model.ts'
import { checkChange, checkSpec, checkTakesEvents } from '../../spec-check.ts'
import { EventQueue } from '../portable/event-queue.ts'
import { type FakeSide, makeSide, withNewIce } from './fake-side.ts'
import { FakePorts } from './port-pool.ts'

export interface FakeEngineOptions {
  readonly ids: IdSource
  /** Told to peers. Default `192.0.2.1`. */
  readonly address?: string
  /** Port pairs for plain RTP sides. Default 1_000. */
  readonly portPairs?: number
  /** Default 0: a released port is free at once. */
  readonly quarantineMs?: number
  /** Needed only for the quarantine. Default: time stands still. */
  readonly now?: () => Millis
}

/** What a test can see of one open session. */
export interface FakeSession {
  readonly id: MediaSessionId
  readonly sides: readonly {
    readonly id: SideId
    readonly spec: SideSpec
    readonly local: LocalSide
    readonly remote?: RemoteSide
    readonly to: ConnectedTo
    readonly muted: boolean
    /** Sent to its peer so far. */
    readonly digits: string
  }[]
  /** Every change that was applied, in order. */
  readonly changes: readonly SessionChange[]
}

type Operation = 'open' | 'change' | 'stats' | 'close'

/** A `MediaEngine` that moves nothing, for tests: everything settles in the next microtask, nothing is random. */
export interface FakeEngine extends MediaEngine {
  /** Open sessions, in the order they were opened. */
  sessions(): readonly FakeSession[]
  session(id: MediaSessionId): FakeSession | undefined
  /** Tells the reader of `events` something. */
  emit(event: MediaEvent): void
  /** The next call of `operation` is refused with this code and changes nothing. */
  failNext(operation: Operation, code: FaultCode): void
  /** Counters a side reports from now on. */
  setStats(id: MediaSessionId, stats: SideStats): void
}

interface Session {
  readonly id: MediaSessionId
  readonly opened: OpenedSession
  readonly sides: Map<SideId, FakeSide>
  readonly changes: SessionChange[]
}

/** Makes a fake engine. Ports begin at 40000; the shared WebRTC port is 3480. */
export function createFakeEngine(options: FakeEngineOptions): FakeEngine {
  return new InMemoryEngine(options)
}

class InMemoryEngine implements FakeEngine {
  readonly name = 'fake'
  readonly #options: FakeEngineOptions
  readonly #ports: FakePorts
  readonly #sessions = new Map<MediaSessionId, Session>()
  readonly #summaries = new Map<MediaSessionId, SessionSummary>()
  readonly #failures = new Map<Operation, FaultCode[]>()
  readonly #events = new EventQueue(LIMITS.mediaEventsQueued)
  #stopped = false

  constructor(options: FakeEngineOptions) {
    this.#options = options
    this.#ports = new FakePorts(FIRST_PORT, options.portPairs ?? 1_000, options.quarantineMs ?? 0)
  }

  get events(): AsyncIterable<MediaEvent> {
    return this.#events
  }

  async open(spec: SessionSpec): Promise<OpenedSession> {
    this.#begin('open')
    const known = this.#sessions.get(spec.id)
    if (known !== undefined) return known.opened
    checkSpec(spec)
    if (this.#sessions.size >= LIMITS.mediaSessions) {
      throw new GatewayError('MEDIA_SESSIONS_EXHAUSTED', 'the fake engine is full')
    }
    const sides = this.#makeSides(spec.sides)
    const opened = { id: spec.id, sides: sides.map((side) => side.local) }
    this.#sessions.set(spec.id, {
      id: spec.id,
      opened,
      sides: new Map(sides.map((side) => [side.spec.id, side])),
      changes: [],
    })
    return opened
  }

  async change(id: MediaSessionId, change: SessionChange): Promise<ChangeResult> {
    this.#begin('change')
    const session = this.#known(id)
    const specs = new Map([...session.sides].map(([side, { spec }]) => [side, spec]))
    checkChange(specs, change)
    const result = this.#apply(session, change)
    session.changes.push(change)
    return { sides: result }
  }

  async stats(id: MediaSessionId): Promise<readonly SideStats[]> {
    this.#begin('stats')
    return [...this.#known(id).sides.values()].map((side) => side.stats)
  }

  async close(id: MediaSessionId): Promise<SessionSummary> {
    this.#begin('close')
    const summary = this.#summaries.get(id)
    if (summary !== undefined && !this.#sessions.has(id)) return summary
    const session = this.#known(id)
    const sides = [...session.sides.values()]
    for (const side of sides) this.#ports.release(side.ports, this.#now())
    this.#sessions.delete(id)
    const closed = { id, sides: sides.map((side) => side.stats) }
    this.#remember(closed)
    return closed
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#sessions.clear()
    this.#events.end()
  }

  sessions(): readonly FakeSession[] {
    return [...this.#sessions.values()].map(view)
  }

  session(id: MediaSessionId): FakeSession | undefined {
    const session = this.#sessions.get(id)
    return session === undefined ? undefined : view(session)
  }

  emit(event: MediaEvent): void {
    this.#events.push(event)
  }

  failNext(operation: Operation, code: FaultCode): void {
    this.#failures.set(operation, [...(this.#failures.get(operation) ?? []), code])
  }

  setStats(id: MediaSessionId, stats: SideStats): void {
    const side = this.#known(id).sides.get(stats.side)
    if (side === undefined) throw new GatewayError('MEDIA_SPEC_INVALID', `there is no side ${stats.side}`)
    side.stats = stats
  }

  #apply(session: Session, change: SessionChange): readonly LocalSide[] {
    switch (change.kind) {
      case 'add-side':
        return [this.#add(session, change.side).local]
      case 'drop-side':
        return this.#drop(session, change.side)
      case 'remote':
        sideOf(session, change.side).remote = change.remote
        return []
      case 'restart-ice': {
        const side = sideOf(session, change.side)
        side.local = withNewIce(side.local, this.#options.ids)
        return [side.local]
      }
      case 'connect':
        connect(session, change.side, change.to)
        return []
      case 'mute':
        sideOf(session, change.side).muted = change.muted
        return []
      case 'send-dtmf':
        sendDigits(sideOf(session, change.side), change.digits)
        return []
    }
  }

  #add(session: Session, spec: SideSpec): FakeSide {
    const known = session.sides.get(spec.id)
    if (known !== undefined) return known
    for (const side of this.#makeSides([spec])) session.sides.set(spec.id, side)
    return sideOf(session, spec.id)
  }

  #drop(session: Session, id: SideId): readonly LocalSide[] {
    if (!session.sides.has(id)) return []
    connect(session, id, { kind: 'nothing' })
    this.#ports.release(sideOf(session, id).ports, this.#now())
    session.sides.delete(id)
    return []
  }

  /** All of them, or nothing is taken. */
  #makeSides(specs: readonly SideSpec[]): readonly FakeSide[] {
    const wanted = specs.reduce((sum, spec) => sum + portsFor(spec), 0)
    const ports = this.#ports.take(wanted, this.#now())
    if (ports === undefined) throw new GatewayError('MEDIA_PORTS_EXHAUSTED', 'no RTP port is free')
    const maker = {
      ids: this.#options.ids,
      address: this.#options.address ?? '192.0.2.1',
      webrtcPort: WEBRTC_PORT,
    }
    return specs.map((spec) => makeSide(spec, ports.splice(0, portsFor(spec)), maker))
  }

  /** Kept so that closing twice gives the same; the oldest is forgotten. */
  #remember(summary: SessionSummary): void {
    this.#summaries.delete(summary.id)
    this.#summaries.set(summary.id, summary)
    const [oldest] = this.#summaries.keys()
    if (this.#summaries.size > LIMITS.endedCallsKept && oldest !== undefined) this.#summaries.delete(oldest)
  }

  #known(id: MediaSessionId): Session {
    const session = this.#sessions.get(id)
    if (session === undefined) throw new GatewayError('MEDIA_SESSION_UNKNOWN', `there is no media session ${id}`)
    return session
  }

  #begin(operation: Operation): void {
    if (this.#stopped) throw new GatewayError('MEDIA_ENGINE_LOST', 'the fake engine was stopped')
    const code = this.#failures.get(operation)?.shift()
    if (code !== undefined) throw new GatewayError(code, `the test wants ${operation} to fail`)
  }

  #now(): Millis {
    return this.#options.now?.() ?? 0
  }
}

function connect(session: Session, id: SideId, to: ConnectedTo): void {
  unlink(session, id)
  if (to.kind === 'side') {
    unlink(session, to.side)
    sideOf(session, to.side).to = { kind: 'side', side: id }
  }
  sideOf(session, id).to = to
}

function sendDigits(side: FakeSide, digits: string): void {
  checkTakesEvents(side.spec.id, side.remote?.media ?? [])
  side.digits += digits
}

function unlink(session: Session, id: SideId): void {
  const side = sideOf(session, id)
  const partner = side.to.kind === 'side' ? session.sides.get(side.to.side) : undefined
  if (partner !== undefined) partner.to = { kind: 'nothing' }
  side.to = { kind: 'nothing' }
}

function sideOf(session: Session, id: SideId): FakeSide {
  const side = session.sides.get(id)
  if (side === undefined) throw new GatewayError('MEDIA_SPEC_INVALID', `there is no side ${id}`)
  return side
}

function portsFor(spec: SideSpec): number {
  return spec.kind === 'rtp' ? spec.media.length : 0
}

function view(session: Session): FakeSession {
  const sides = [...session.sides].map(([id, { spec, local, remote, to, muted, digits }]) => ({
    id,
    spec,
    local,
    to,
    muted,
    digits,
    ...(remote === undefined ? {} : { remote }),
  }))
  return { id: session.id, sides, changes: [...session.changes] }
}

const FIRST_PORT = 40_000
const WEBRTC_PORT = 3480
