import type { PayloadCodec, RemoteMedium } from '../../model.ts'
import type { Route } from './rtp/index.ts'

/** What becomes of packets of one payload type of a source. */
export interface CodecRoute {
  /** The codec of the source. */
  readonly codec: PayloadCodec
  /** Whether it is telephone-event. */
  readonly event: boolean
  /** `undefined`: the target does not want it. */
  readonly route: Route | undefined
}

/** By payload type of the source. */
export type RouteTable = readonly (CodecRoute | undefined)[]

/**
 * How each codec of a source goes out to a target: the same codec by name, clock and channels, under the target's number.
 *
 * @param activeHz Clock of the codec that the source uses now; decides which telephone-event of the target is meant, for
 * an event shares the clock of the audio around it (RFC 4733 §2.1).
 */
export function routeTable(source: RemoteMedium, target: RemoteMedium | undefined, activeHz?: number): RouteTable {
  const table: (CodecRoute | undefined)[] = new Array(128)
  const audioHz = activeHz ?? firstCommonClock(source, target)
  for (const codec of source.receiveCodecs) {
    const route = target === undefined ? undefined : routeOf(codec, target, audioHz)
    table[codec.payloadType] = { codec, event: isTelephoneEvent(codec), route }
  }
  return table
}

export function isTelephoneEvent(codec: PayloadCodec): boolean {
  return codec.name.toLowerCase() === 'telephone-event'
}

function routeOf(codec: PayloadCodec, target: RemoteMedium, audioHz: number | undefined): Route | undefined {
  const common = { kind: target.kind, ...midOf(target) }
  if (isTelephoneEvent(codec)) {
    const events = target.sendCodecs.filter(isTelephoneEvent)
    const event = events.find(({ clockRateHz }) => clockRateHz === audioHz) ?? events[0]
    if (event === undefined) return undefined
    return {
      payloadType: event.payloadType,
      clockRateHz: audioHz ?? event.clockRateHz,
      event: { fromHz: codec.clockRateHz, toHz: event.clockRateHz },
      ...common,
    }
  }
  const wanted = target.sendCodecs.find((candidate) => isSameCodec(codec, candidate))
  return wanted && { payloadType: wanted.payloadType, clockRateHz: wanted.clockRateHz, ...common }
}

function firstCommonClock(source: RemoteMedium, target: RemoteMedium | undefined): number | undefined {
  return source.receiveCodecs.find((codec) => {
    return !isTelephoneEvent(codec) && target?.sendCodecs.some((candidate) => isSameCodec(codec, candidate))
  })?.clockRateHz
}

function isSameCodec(a: PayloadCodec, b: PayloadCodec): boolean {
  return (
    a.name.toLowerCase() === b.name.toLowerCase() &&
    a.clockRateHz === b.clockRateHz &&
    (a.channels ?? 1) === (b.channels ?? 1) &&
    bitstream(a) === bitstream(b)
  )
}

/** The parameters without which a decoder cannot read the stream; others only describe wishes. */
function bitstream({ name, fmtp }: PayloadCodec): string {
  const parameter = (key: string) => new RegExp(`(?:^|[;\\s])${key}=([^;\\s]+)`, 'i').exec(fmtp ?? '')?.[1]
  switch (name.toLowerCase()) {
    case 'h264': // Profile and constraints, not the level (RFC 6184 §8.1).
      return `${parameter('packetization-mode') ?? 0} ${(parameter('profile-level-id') ?? '42e0').slice(0, 4).toLowerCase()}`
    case 'vp9':
      return parameter('profile-id') ?? '0'
    default:
      return ''
  }
}

/** The header extension that a bundling peer wants. */
export function midOf({ mid, midExtensionId }: RemoteMedium): Pick<Route, 'mid'> {
  return mid === undefined || midExtensionId === undefined ? {} : { mid: { id: midExtensionId, value: mid } }
}
