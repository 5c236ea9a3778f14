import { GatewayError } from '../../../base/index.ts'
import type { MediaEvent } from '../../events.ts'
import type { MediaSessionId, RtpSideSpec, SideSpec } from '../../model.ts'
import type { EngineParts } from './parts.ts'
import type { RtpPlace, RtpPlaces } from './rtp-places.ts'
import { RtpSide } from './rtp-side.ts'
import type { SideMaker } from './session.ts'
import type { Side, SideEvent } from './side.ts'
import type { Stream } from './stream.ts'
import type { Ticker } from './ticker.ts'
import type { SocketGroup } from './udp/socket-group.ts'
import { WebRtcSide } from './webrtc-side.ts'

export interface SideFactoryOptions {
  readonly parts: EngineParts
  readonly places: RtpPlaces
  /** At least one. */
  readonly groups: readonly SocketGroup[]
  readonly ticker: Ticker
  readonly tell: (event: MediaEvent) => void
}

/** Makes sides of either kind with the sockets they need. */
export class SideFactory implements SideMaker {
  readonly #options: SideFactoryOptions
  readonly #places = new Map<Side, readonly RtpPlace[]>()
  #nextGroup = 0

  constructor(options: SideFactoryOptions) {
    this.#options = options
  }

  async make(session: MediaSessionId, spec: SideSpec): Promise<Side> {
    const { parts, tell } = this.#options
    const tellOf = (event: SideEvent) => tell({ ...event, session, side: spec.id })
    if (spec.kind === 'webrtc') return new WebRtcSide(spec, parts, this.#group(), tellOf)
    const places = await this.#take(spec)
    const side = new RtpSide(spec, parts, places, tellOf)
    this.#places.set(side, places)
    return side
  }

  async unmake(side: Side): Promise<void> {
    await side.close()
    for (const place of this.#places.get(side) ?? []) this.#options.places.release(place)
    this.#places.delete(side)
  }

  async abandon(side: Side): Promise<void> {
    await side.close()
    await Promise.all((this.#places.get(side) ?? []).map((place) => this.#options.places.abandon(place)))
    this.#places.delete(side)
  }

  follow(stream: Stream): void {
    this.#options.ticker.follow(stream)
  }

  /** A pair of ports for each medium, or none at all. */
  async #take({ media, towards }: RtpSideSpec): Promise<readonly RtpPlace[]> {
    const { places } = this.#options
    const taken: RtpPlace[] = []
    try {
      for (const _ of media) taken.push(await places.take(towards))
      return taken
    } catch (error) {
      await Promise.all(taken.map((place) => places.abandon(place)))
      throw error
    }
  }

  /** Sessions are spread over the WebRTC ports in turn. */
  #group(): SocketGroup {
    const { groups } = this.#options
    const group = groups[this.#nextGroup++ % groups.length]
    if (group === undefined) throw new GatewayError('MEDIA_PORTS_EXHAUSTED', 'no WebRTC port is bound')
    return group
  }
}
