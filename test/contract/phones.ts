import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { buildRtp, isRtcp, type RtpHeader, readRtp } from '../../src/media/engines/portable/rtp/index.ts'
import type {
  LocalRtpStream,
  MediaEngine,
  MediaEvent,
  PayloadCodec,
  RemoteRtpMedium,
  SideId,
  SideStats,
} from '../../src/media/index.ts'
import { Inbox, PCMU, rtpMedium, UdpEnd } from '../support/media-peers.ts'

export type Heard = RtpHeader & { readonly payload: Buffer }

/** A phone on loopback and the side of the engine it talks to. */
export interface Phone {
  readonly end: UdpEnd
  readonly local: LocalRtpStream
  /** Applies what the phone agreed to, changed by `more`. */
  negotiate(more: Partial<RemoteRtpMedium>): Promise<void>
  send(fields: Partial<typeof FIELDS>, payload: Buffer): void
  /** The next RTP packet it gets. */
  next(payloadType?: number): Promise<Heard>
  /** Says something new, which `to` hears. */
  say(to: Phone, sequence: number, timestamp: number, payloadType?: number): Promise<Heard>
  /** Payloads of all RTP it got. */
  payloads(): readonly string[]
  stats(): Promise<SideStats>
}

export const FIELDS = { marker: false, payloadType: 0, sequence: 0, timestamp: 0, ssrc: 0x5151 }

/** Three phones in one session, negotiated but not connected; `b` and `c` may have codecs of their own. */
export async function trio(engine: MediaEngine, codecs: readonly PayloadCodec[] = [PCMU], theirs = codecs) {
  const names = ['a', 'b', 'c'] as const
  const { sides } = await engine.open({
    id: 'call',
    sides: names.map((id) => ({ kind: 'rtp', id, media: ['audio'], towards: '127.0.0.1' })),
  })
  const phones = await Promise.all(
    names.map(async (id, index) => {
      const side = sides[index]
      assert.ok(side?.kind === 'rtp' && side.media[0] !== undefined)
      return phone(engine, id, side.media[0], id === 'a' ? codecs : theirs)
    }),
  )
  const [a, b, c] = phones
  assert.ok(a && b && c)
  const close = (): void => {
    for (const { end } of phones) end.close()
  }
  return { a, b, c, close }
}

async function phone(
  engine: MediaEngine,
  side: SideId,
  local: LocalRtpStream,
  codecs: readonly PayloadCodec[],
): Promise<Phone> {
  const end = await UdpEnd.open()
  const negotiate = async (more: Partial<RemoteRtpMedium>): Promise<void> => {
    const media = [rtpMedium(end, { sendCodecs: codecs, receiveCodecs: codecs, ...more })]
    await engine.change('call', { kind: 'remote', side, remote: { kind: 'rtp', media } })
  }
  await negotiate({})
  const send: Phone['send'] = (fields, payload) => {
    // Each phone has its SSRC; the local port is as good as any number.
    end.send(buildRtp({ ...FIELDS, ssrc: local.port, ...fields }, payload), local.port, local.address)
  }
  const next: Phone['next'] = async (payloadType) => {
    return hear(
      await end.received.next((datagram) => {
        return !isRtcp(datagram) && (payloadType === undefined || readRtp(datagram)?.payloadType === payloadType)
      }),
    )
  }
  return {
    end,
    local,
    negotiate,
    send,
    next,
    async say(to, sequence, timestamp, payloadType = 0) {
      const words = randomBytes(160)
      const heard = to.end.received.next((datagram) => datagram.subarray(-160).equals(words))
      send({ sequence, timestamp, payloadType }, words)
      return hear(await heard)
    },
    payloads: () => end.received.all.filter((datagram) => !isRtcp(datagram)).map((d) => hear(d).payload.toString()),
    async stats() {
      const stats = (await engine.stats('call')).find((each) => each.side === side)
      assert.ok(stats)
      return stats
    },
  }
}

export async function link(engine: MediaEngine, side: SideId, partner: SideId): Promise<void> {
  await engine.change('call', { kind: 'connect', side, to: { kind: 'side', side: partner } })
}

function hear(datagram: Buffer): Heard {
  const header = readRtp(datagram)
  assert.ok(header)
  return { ...header, payload: datagram.subarray(header.payloadOffset, header.payloadEnd) }
}

export function inboxOf(engine: MediaEngine): Inbox<MediaEvent> {
  const events = new Inbox<MediaEvent>()
  void (async () => {
    for await (const event of engine.events) events.push(event)
  })()
  return events
}

/** Asks again, one turn of the event loop later, until it is so; the suite's time-out bounds it. */
export async function reached(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setImmediate(resolve))
}
