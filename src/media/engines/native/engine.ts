import { GatewayError, LIMITS } from '../../../base/index.ts'
import type { EngineCounters, MediaEngine, OpenOptions } from '../../engine.ts'
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
import { EventQueue } from '../portable/event-queue.ts'
import { countersOf } from './counters.ts'
import { type Answer, type EngineStats, EVENT_KINDS, type Op, type WireEvent } from './protocol.ts'
import { Supervisor, type SupervisorOptions } from './supervisor.ts'
import { fromWire, toWire } from './wire.ts'

export type NativeEngineOptions = Pick<SupervisorOptions, 'path' | 'gateway' | 'launch' | 'log'>

type AnswerTo<Kind extends Answer['kind']> = Extract<Answer, { readonly kind: Kind }>

/** `MediaEngine` in other processes, on whose death and replacement see `Supervisor`. */
export class NativeEngine implements MediaEngine {
  readonly name = 'native'
  readonly #supervisor: Supervisor
  readonly #events = new EventQueue(LIMITS.mediaEventsQueued)
  /** Sessions that are ours, also those of which we do not know yet whether they were opened. */
  readonly #sessions = new Set<MediaSessionId>()
  #stats: EngineStats | undefined
  #stopping: Promise<void> | undefined

  constructor(options: NativeEngineOptions) {
    this.#supervisor = new Supervisor({
      ...options,
      sessions: () => [...this.#sessions],
      onEvents: (events) => this.#onEvents(events),
      onLost: (detail) => this.#onLost(detail),
    })
  }

  /** @throws GatewayError `LISTEN_FAILED`, `MEDIA_ENGINE_MISSING`: it could not be started. */
  start(): Promise<void> {
    return this.#supervisor.start()
  }

  get events(): AsyncIterable<MediaEvent> {
    return this.#events
  }

  get about(): string {
    return this.#supervisor.about
  }

  /** Ids of keeper and relay; `undefined` while there are none. */
  get processes(): { readonly keeper: number; readonly relay: number } | undefined {
    return this.#supervisor.processes
  }

  /** As of the last `refresh`. */
  readonly strays = (): number => this.#stats?.strays ?? 0

  readonly counters = (): EngineCounters => countersOf(this.#stats)

  async open(spec: SessionSpec, { deadlineMs = 500 }: OpenOptions = {}): Promise<OpenedSession> {
    this.#refuseIfStopped()
    checkSpec(spec)
    const allowedMs = Math.min(5_000, Math.max(10, deadlineMs))
    const isOurs = this.#sessions.has(spec.id)
    this.#sessions.add(spec.id)
    try {
      const op: Op = { op: 'open', spec: toWire(spec), deadlineMs: allowedMs }
      const { session } = await this.#ask(op, 'opened', allowedMs + GRACE_MS)
      return fromWire<OpenedSession>(session)
    } catch (thrown) {
      if (!isOurs) this.#undoOpen(spec.id, thrown)
      throw thrown
    }
  }

  async change(id: MediaSessionId, change: SessionChange): Promise<ChangeResult> {
    const { sides } = await this.#ask({ op: 'change', session: id, change: toWire(change) }, 'changed')
    return { sides: fromWire<ChangeResult['sides']>(sides) }
  }

  async stats(id: MediaSessionId): Promise<readonly SideStats[]> {
    return (await this.#ask({ op: 'stats', session: id }, 'stats')).sides
  }

  async close(id: MediaSessionId): Promise<SessionSummary> {
    const { sides } = await this.#ask({ op: 'close', session: id }, 'closed')
    this.#sessions.delete(id)
    return { id, sides }
  }

  async refresh(): Promise<void> {
    try {
      this.#stats = (await this.#ask({ op: 'engine' }, 'engine', COUNT_MS)).engine
    } catch {
      // That the engine is gone is told by others.
    }
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  /** Replaces the relay by the program at `path` (default: the same), with calls up. */
  async upgrade(path?: string): Promise<void> {
    await this.#ask(path === undefined ? { op: 'upgrade' } : { op: 'upgrade', path }, 'done', UPGRADE_MS)
  }

  /** Tests only: moves the clock of an engine that was started with a test clock. */
  async advance(ms: number): Promise<void> {
    await this.#ask({ op: 'skip', ms }, 'done')
  }

  async #stop(): Promise<void> {
    this.#sessions.clear()
    await this.#supervisor.stop()
    this.#events.end()
  }

  async #ask<Kind extends Answer['kind']>(op: Op, kind: Kind, deadlineMs = ANSWER_MS): Promise<AnswerTo<Kind>> {
    this.#refuseIfStopped()
    const answer = await this.#supervisor.call(op, deadlineMs)
    if (isAnswer(answer, kind)) return answer
    throw new GatewayError('INTERNAL', `the media engine answered ${op.op} with ${answer.kind}`)
  }

  /** What came too late may be open all the same, and its caller was told that nothing is bound. */
  #undoOpen(id: MediaSessionId, thrown: unknown): void {
    this.#sessions.delete(id)
    if (!(thrown instanceof GatewayError) || thrown.code !== 'MEDIA_DEADLINE_MISSED') return
    this.#supervisor.call({ op: 'close', session: id }, ANSWER_MS).catch(() => {}) // Most likely it never was open.
  }

  #onEvents(events: readonly WireEvent[]): void {
    for (const event of events) {
      if (!Object.hasOwn(EVENT_KINDS, event.kind)) continue
      if (event.kind === 'closed') this.#sessions.delete(event.session)
      this.#events.push(event)
    }
  }

  #onLost(detail: string): void {
    this.#sessions.clear()
    this.#events.push({ kind: 'engine-lost', detail })
  }

  #refuseIfStopped(): void {
    if (this.#stopping !== undefined) throw new GatewayError('MEDIA_ENGINE_LOST', 'the media engine was stopped')
  }
}

function isAnswer<Kind extends Answer['kind']>(answer: Answer, kind: Kind): answer is AnswerTo<Kind> {
  return answer.kind === kind
}

/** The engine itself answers within 5 s, or says that it is overloaded; a replaced relay costs milliseconds. */
const ANSWER_MS = 6_000
/** Beyond the engine's own deadline. */
const GRACE_MS = 500
/** A program has 10 s to show that it can take over. */
const UPGRADE_MS = 20_000
const COUNT_MS = 1_000
