import type { Millis } from '../../../../base/index.ts'
import { buildRtp } from './build.ts'
import { Continuity, type Place } from './continuity.ts'
import { EventRelay } from './event-relay.ts'
import type { Route, RtpSender, RtpSenderOptions } from './model.ts'
import type { RtpHeader } from './packet.ts'

/** Makes one outgoing RTP stream. */
export function createRtpSender(options: RtpSenderOptions): RtpSender {
  return new ContinuousSender(options)
}

class ContinuousSender implements RtpSender {
  readonly ssrc: number
  packetsSent = 0
  bytesSent = 0
  readonly #line: Continuity
  readonly #events = new EventRelay()

  constructor({ ssrc, firstSequence, firstTimestamp }: RtpSenderOptions) {
    this.ssrc = ssrc
    // In the lower half a receiver that misses the first packets still guesses the right SRTP index (RFC 3711 §3.3.1).
    this.#line = new Continuity(firstSequence & 0x7fff, firstTimestamp)
  }

  switchSource(): void {
    this.#line.cut()
    this.#events.cut()
  }

  forward(packet: Buffer, header: RtpHeader, route: Route, now: Millis): Buffer | undefined {
    const payload = packet.subarray(header.payloadOffset, header.payloadEnd)
    if (route.event !== undefined) return this.#forwardEvent(payload, header, route, now)
    const place = this.#line.place(header, route.clockRateHz, now)
    return place === undefined ? undefined : this.#send(payload, place, header.marker, route)
  }

  produce(payload: Uint8Array, ticks: number, route: Route, now: Millis): Buffer {
    return this.#send(payload, this.#line.next(ticks, route.clockRateHz, now), false, route)
  }

  insert(payload: Uint8Array, timestamp: number, marker: boolean, route: Route): Buffer {
    return this.#send(payload, { sequence: this.#line.insert(), timestamp, begins: false }, marker, route)
  }

  eventStart(clockRateHz: number, now: Millis): number {
    return this.#line.eventStart(clockRateHz, now)
  }

  get clockRateHz(): number | undefined {
    return this.#line.clockRateHz
  }

  mapTimestamp(ssrc: number, timestamp: number): number | undefined {
    return this.#line.mapTimestamp(ssrc, timestamp)
  }

  timestampAt(now: Millis): number | undefined {
    return this.#line.timestampAt(now)
  }

  #forwardEvent(payload: Buffer, header: RtpHeader, route: Route, now: Millis): Buffer | undefined {
    const clocks = route.event ?? { fromHz: route.clockRateHz, toHz: route.clockRateHz }
    const relayed = this.#events.convert(payload, header, clocks.fromHz, clocks.toHz)
    if (relayed === undefined) return undefined
    const place = this.#line.placeEvent(header, route.clockRateHz, now, relayed.start)
    if (place === undefined) return undefined
    this.#events.started(place.timestamp)
    const timestamp = (place.timestamp + relayed.offset) >>> 0
    return this.#send(relayed.payload, { ...place, timestamp }, header.marker, route)
  }

  #send(payload: Uint8Array, place: Place, marker: boolean, route: Route): Buffer {
    this.packetsSent++
    this.bytesSent += payload.length
    return buildRtp(
      {
        // The marker starts a talkspurt in audio, but ends a frame in video.
        marker: marker || (place.begins && route.kind !== 'video'),
        payloadType: route.payloadType,
        sequence: place.sequence,
        timestamp: place.timestamp,
        ssrc: this.ssrc,
        ...(route.mid === undefined ? {} : { mid: route.mid }),
      },
      payload,
    )
  }
}
