import { randomBytes } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { FRAME_SAMPLES, type MediaPeer, type ReceivedPacket, StreamMeter } from '../../src/caller/index.ts'
import { createSrtpContext, type SrtpContext } from '../../src/media/engines/portable/srtp/index.ts'
import { Samples } from '../report/index.ts'

/** One direction of all calls through one gateway. Memory: 8 bytes per packet. */
export class DirectionMeter {
  readonly delaysMs = new Samples()
  /** 99th percentile of the delays of each second of talk. */
  readonly secondsP99Ms: number[] = []
  readonly #second = new Samples()
  readonly #streams: StreamMeter[] = []
  #sent = 0
  #open = false

  /** From now on packets count; those sent before are let go. */
  begin(): void {
    this.#open = true
  }

  /** Packets sent from now on do not count; those on their way still do. */
  end(): void {
    this.#open = false
  }

  /** Ends a second of talk. Only its own packets are sorted for it, so that this takes no time from the measurement. */
  closeSecond(): void {
    this.secondsP99Ms.push(this.#second.percentile(0.99))
    this.#second.clear()
  }

  /** The payload of the next packet: when it leaves, and whether it counts. */
  stamp(): Buffer {
    const payload = Buffer.alloc(FRAME_SAMPLES, 0xff)
    if (!this.#open) return payload
    payload.write(MAGIC, 0, 'latin1')
    payload.writeDoubleBE(performance.now(), 4)
    this.#sent++
    return payload
  }

  /** The receiving end of one more stream. */
  receiver(): (packet: ReceivedPacket) => void {
    const meter = new StreamMeter(8_000)
    this.#streams.push(meter)
    return (packet) => {
      const sentAtMs = stampOf(packet.payload)
      if (sentAtMs === undefined) return
      this.delaysMs.add(packet.atMs - sentAtMs)
      this.#second.add(packet.atMs - sentAtMs)
      // Against the moment of sending, so that a late timer of ours is not taken for jitter of the path.
      meter.onPacket({ ...packet, timestamp: sentAtMs * 8 })
    }
  }

  totals(): { sent: number; received: number; lost: number; reordered: number; jitterMs: Samples } {
    const jitterMs = new Samples()
    let received = 0
    let reordered = 0
    for (const stream of this.#streams) {
      const report = stream.report()
      received += report.received
      reordered += report.reordered
      jitterMs.add(report.jitterMs)
    }
    return { sent: this.#sent, received, lost: this.#sent - received, reordered, jitterMs }
  }
}

function stampOf(payload: Buffer): number | undefined {
  if (payload.length < 12 || payload.toString('latin1', 0, 4) !== MAGIC) return undefined
  return payload.readDoubleBE(4)
}

/** Marks a payload of this bench. A gateway that transcodes destroys it, and the bench says so. */
const MAGIC = 'TKLN'

/** Both directions of one call. */
export interface MeasuredPair {
  readonly web: MediaPeer
  readonly sip: MediaPeer
}

export function attach(pair: MeasuredPair, toSip: DirectionMeter, toWeb: DirectionMeter): void {
  pair.sip.onPacket = toSip.receiver()
  pair.web.onPacket = toWeb.receiver()
}

/**
 * A flow without a gateway: the same packets, encrypted by the sender and decrypted by the receiver, from socket to
 * socket. What it takes is the cost of this program and of the machine.
 */
export interface DirectFlow {
  send(payload: Buffer): void
  close(): void
}

export async function openDirectFlow(onPacket: (packet: ReceivedPacket) => void): Promise<DirectFlow> {
  const [sending, receiving] = await Promise.all([bound(), bound()])
  const keys = { suite: 'AES_CM_128_HMAC_SHA1_80', masterKey: randomBytes(16), masterSalt: randomBytes(14) } as const
  const outward = createSrtpContext({ ...keys, direction: 'send' })
  const inward = createSrtpContext({ ...keys, direction: 'receive' })
  receiving.on('message', (data) => {
    const packet = read(inward, data)
    if (packet) onPacket(packet)
  })
  const { port } = receiving.address()
  let sequence = 0
  return {
    send(payload) {
      const packet = outward.protectRtp(rtp(sequence++, payload))
      if (packet) sending.send(packet, port, '127.0.0.1')
    },
    close() {
      sending.close()
      receiving.close()
    },
  }
}

function read(inward: SrtpContext, data: Buffer): ReceivedPacket | undefined {
  const atMs = performance.now()
  const packet = inward.unprotectRtp(data)
  if (!packet) return undefined
  return {
    sequence: packet.readUInt16BE(2),
    timestamp: packet.readUInt32BE(4),
    ssrc: 1,
    payloadType: 0,
    payload: packet.subarray(12),
    atMs,
  }
}

function rtp(sequence: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(12)
  head[0] = 0x80
  head.writeUInt16BE(sequence & 0xffff, 2)
  head.writeUInt32BE((sequence * FRAME_SAMPLES) >>> 0, 4)
  head.writeUInt32BE(1, 8)
  return Buffer.concat([head, payload])
}

async function bound(): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return socket
}
