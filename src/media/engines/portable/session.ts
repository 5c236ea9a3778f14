import { GatewayError, type Millis } from '../../../base/index.ts'
import type {
  ChangeResult,
  ConnectedTo,
  LocalSide,
  MediaSessionId,
  SessionChange,
  SideId,
  SideSpec,
  SideStats,
} from '../../model.ts'
import { checkChange, checkTakesEvents } from '../../spec-check.ts'
import { createSilence, createTone, type Tone } from './rtp/index.ts'
import type { Side } from './side.ts'
import type { Stream } from './stream.ts'
import { ToneSource } from './tone-source.ts'

/** Makes and unmakes sides: the part of the engine that knows ports. */
export interface SideMaker {
  /** @throws GatewayError `MEDIA_PORTS_EXHAUSTED`; nothing is left bound. */
  make(session: MediaSessionId, spec: SideSpec): Promise<Side>
  unmake(side: Side): Promise<void>
  /** The side never was anybody's: its ports need no rest. */
  abandon(side: Side): Promise<void>
  /** The stream makes packets of its own, or does not any more. */
  follow(stream: Stream): void
}

interface Member {
  readonly spec: SideSpec
  readonly side: Side
  to: ConnectedTo
}

/** Sides and who is connected to whom. Changes are made one after the other, in the order they were asked for. */
export class Session {
  readonly id: MediaSessionId
  /** When the next `quality` is due. */
  qualityAt: Millis
  readonly #maker: SideMaker
  readonly #members = new Map<SideId, Member>()
  #queue: Promise<unknown> = Promise.resolve()

  constructor(id: MediaSessionId, maker: SideMaker, qualityAt: Millis) {
    this.id = id
    this.#maker = maker
    this.qualityAt = qualityAt
  }

  /** All sides or none. */
  async open(specs: readonly SideSpec[]): Promise<readonly LocalSide[]> {
    for (const spec of specs) await this.#add(spec)
    return specs.map((spec) => this.#member(spec.id).side.local())
  }

  /** Undoes an `open` that failed or came too late. */
  async abandon(): Promise<void> {
    const sides = [...this.#members.values()].map(({ side }) => side)
    this.#members.clear()
    await Promise.all(sides.map((side) => this.#maker.abandon(side)))
  }

  change(change: SessionChange): Promise<ChangeResult> {
    return this.#enqueue(async () => {
      checkChange(new Map([...this.#members].map(([id, { spec }]) => [id, spec])), change)
      return { sides: await this.#apply(change) }
    })
  }

  stats(): readonly SideStats[] {
    return [...this.#members.values()].map(({ side }) => side.stats())
  }

  tick(now: Millis): void {
    for (const { side } of this.#members.values()) side.tick(now)
  }

  /** @returns The final counters. */
  close(): Promise<readonly SideStats[]> {
    return this.#enqueue(async () => {
      for (const id of this.#members.keys()) this.#disconnect(id)
      const sides = [...this.#members.values()].map(({ side }) => side)
      const stats = sides.map((side) => side.stats())
      this.#members.clear()
      await Promise.all(sides.map((side) => this.#maker.unmake(side)))
      return stats
    })
  }

  #enqueue<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(task)
    this.#queue = result.catch(() => {}) // The caller hears of it; the next change must not.
    return result
  }

  async #apply(change: SessionChange): Promise<readonly LocalSide[]> {
    switch (change.kind) {
      case 'add-side':
        return [(await this.#add(change.side)).local()]
      case 'drop-side':
        await this.#drop(change.side)
        return []
      case 'remote':
        this.#member(change.side).side.applyRemote(change.remote)
        return []
      case 'restart-ice': {
        const { side } = this.#member(change.side)
        side.restartIce()
        return [side.local()]
      }
      case 'connect':
        this.#connect(change.side, change.to)
        return []
      case 'mute':
        for (const stream of this.#member(change.side).side.streams) stream.mute(change.muted)
        return []
      case 'send-dtmf':
        this.#sendDigits(change)
        return []
    }
  }

  async #add(spec: SideSpec): Promise<Side> {
    const known = this.#members.get(spec.id)
    if (known !== undefined) return known.side
    const side = await this.#maker.make(this.id, spec)
    this.#members.set(spec.id, { spec, side, to: { kind: 'nothing' } })
    return side
  }

  async #drop(id: SideId): Promise<void> {
    const member = this.#members.get(id)
    if (member === undefined) return
    this.#disconnect(id)
    this.#members.delete(id)
    await this.#maker.unmake(member.side)
  }

  #connect(id: SideId, to: ConnectedTo): void {
    const member = this.#member(id)
    if (isSameLink(member.to, to)) return
    this.#disconnect(id)
    if (to.kind === 'side') this.#disconnect(to.side)
    member.to = to
    const { streams } = member.side
    if (to.kind === 'echo') for (const stream of streams) stream.connect(stream)
    if (to.kind === 'tone') this.#play(streams, createTone(to.frequencyHz))
    if (to.kind === 'silence') this.#play(streams, createSilence())
    if (to.kind !== 'side') return
    const partner = this.#member(to.side)
    partner.to = { kind: 'side', side: id }
    for (const [ours, theirs] of pairs(streams, partner.side.streams)) {
      ours.connect(theirs)
      theirs.connect(ours)
    }
  }

  #play(streams: readonly Stream[], tone: Tone): void {
    const stream = streams.find(({ kind }) => kind === 'audio')
    if (stream === undefined) return
    stream.connect(undefined, new ToneSource(tone))
    this.#maker.follow(stream)
  }

  #sendDigits({ side, ...digits }: SessionChange & { kind: 'send-dtmf' }): void {
    const { streams } = this.#member(side).side
    checkTakesEvents(
      side,
      streams.map(({ remote }) => remote),
    )
    const stream = streams.find(({ kind }) => kind === 'audio')
    if (stream === undefined) return
    stream.sendDigits(digits)
    this.#maker.follow(stream)
  }

  #disconnect(id: SideId): void {
    const member = this.#member(id)
    const partner = member.to.kind === 'side' ? this.#members.get(member.to.side) : undefined
    for (const each of partner === undefined ? [member] : [member, partner]) {
      if (each.to.kind === 'nothing') continue
      each.to = { kind: 'nothing' }
      for (const stream of each.side.streams) {
        stream.connect(undefined)
        this.#maker.follow(stream)
      }
    }
  }

  #member(id: SideId): Member {
    const member = this.#members.get(id)
    if (member === undefined) throw new GatewayError('MEDIA_SPEC_INVALID', `there is no side ${id}`)
    return member
  }
}

function isSameLink(a: ConnectedTo, b: ConnectedTo): boolean {
  if (a.kind === 'side') return b.kind === 'side' && a.side === b.side
  if (a.kind === 'tone') return b.kind === 'tone' && a.frequencyHz === b.frequencyHz
  return a.kind === b.kind
}

/** The first audio with the first audio, the first video with the first video, and so on. */
function pairs(ours: readonly Stream[], theirs: readonly Stream[]): readonly (readonly [Stream, Stream])[] {
  const left = [...theirs]
  return ours.flatMap((stream) => {
    const at = left.findIndex(({ kind }) => kind === stream.kind)
    const [partner] = at < 0 ? [] : left.splice(at, 1)
    return partner === undefined ? [] : [[stream, partner] as const]
  })
}
