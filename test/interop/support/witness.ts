import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import {
  type CallerCall,
  FRAME_SAMPLES,
  type MediaPeer,
  measuredCall,
  openPlainPeer,
  openWebRtcPeer,
  openWebSocket,
  openWire,
  paceFrames,
  StreamMeter,
  UserAgent,
  type Wire,
} from '../../../src/caller/index.ts'
import { randomIds } from '../../../src/random.ts'
import { bounded } from './child.ts'
import { eventually } from './eventually.ts'
import { figures } from './figures.ts'
import type { GatewayProcess } from './gateway.ts'
import { DOMAIN } from './sip-text.ts'

/** The tenant of these tests: a trunk at an address that no attacker has, and users with known passwords. */
export const TENANTS = `
  - domain: ${DOMAIN}
    users:
      - { name: alice, password: alice-secret }
      - { name: bob, password: bob-secret }
      - { name: mallory, password: mallory-secret }
    trunks:
      - { name: carrier, targets: ["sip:127.0.0.9:5060"], accept: ["127.0.0.9"] }
    routes:
      - { prefix: "+", trunk: carrier }
    numbers:
      - { number: "+15550100", to: "user:bob" }
`

const TONE_HZ = 620
/** Frames that have to come back after a disturbance: 0.3 s. */
const FURTHER_FRAMES = 15

export type Kind = 'phone' | 'browser'

export async function agentOf(
  gateway: GatewayProcess,
  kind: Kind,
  user: string,
): Promise<{ agent: UserAgent; wire: Wire }> {
  const wire =
    kind === 'phone'
      ? await openWire('udp', { host: '127.0.0.1', port: gateway.sipPort })
      : await openWebSocket(gateway.webSocket)
  const agent = new UserAgent({
    wire,
    user,
    domain: DOMAIN,
    password: `${user}-secret`,
    ids: randomIds,
    product: 'witness',
  })
  return { agent, wire }
}

/** A call to the echo that has to work as if nothing had happened. */
export async function goodCall(gateway: GatewayProcess, kind: Kind): Promise<void> {
  const { agent } = await agentOf(gateway, kind, 'bob')
  const peer = await (kind === 'phone' ? openPlainPeer('127.0.0.1') : openWebRtcPeer('127.0.0.1'))
  try {
    const options = { uri: `sip:*43@${DOMAIN}`, toneHz: TONE_HZ, seconds: 0.5, onStep: () => undefined }
    const { tone, stream } = await measuredCall(agent, peer, options)
    assert.ok(tone.heard > 0, `the echo came back: ${JSON.stringify({ tone, stream })}`)
  } finally {
    peer.close()
    agent.close()
  }
}

/** A call to the echo that is up while others misbehave. */
export interface Witness {
  /** What its requests inside the dialog have to say, from the caller's side. */
  readonly dialog: DialogNames
  /** Where the gateway takes its audio. */
  readonly media: { readonly host: string; readonly port: number }
  /** Bytes from the very socket that its audio comes from. `phone` only. */
  sendFromMediaSocket(data: Uint8Array, port: number): void
  /** Resolves once more audio came back; throws if the call ended or any packet was lost. */
  isUnharmed(): Promise<void>
  /** Ends the call; harmless when done before. */
  hangUp(): Promise<void>
}

export interface DialogNames {
  readonly callId: string
  readonly fromTag: string
  readonly toTag: string
  readonly uri: string
}

export async function openWitness(gateway: GatewayProcess, kind: Kind, user = 'alice'): Promise<Witness> {
  const { agent, wire } = await agentOf(gateway, kind, user)
  const acks: string[] = []
  const send = wire.send.bind(wire)
  wire.send = (data) => {
    if (data.startsWith('ACK ')) acks.push(data)
    send(data)
  }
  const phone = kind === 'phone' ? await PhoneMedia.open() : undefined
  const peer = phone ?? (await openWebRtcPeer('127.0.0.1'))
  const call = agent.call(`sip:*43@${DOMAIN}`, peer.offer())
  const answer = await call.answered
  peer.accept(answer)
  await peer.connected
  const audio = followAudio(peer, call)
  let isOver = false
  await audio.isUnharmed()
  return {
    dialog: namesOf(acks.at(-1) ?? ''),
    media: { host: '127.0.0.1', port: Number(/^m=audio (\d+)/m.exec(answer)?.[1]) },
    sendFromMediaSocket: (data, port) => phone?.sendRaw(data, port),
    isUnharmed: audio.isUnharmed,
    async hangUp() {
      if (isOver) return
      isOver = true
      audio.stop()
      await call.hangUp()
      peer.close()
      agent.close()
    },
  }
}

function followAudio(peer: MediaPeer, call: CallerCall) {
  const meter = new StreamMeter(8_000)
  let frames = 0
  let ended: string | undefined
  let look: () => void = () => undefined
  peer.onPacket = (packet) => {
    meter.onPacket(packet)
    frames++
    look()
  }
  void call.ended.then((why) => {
    ended = why
    look()
  })
  const stop = paceFrames(() => peer.send(Buffer.alloc(FRAME_SAMPLES, 0x55)))
  return {
    stop,
    async isUnharmed(): Promise<void> {
      const wanted = frames + FURTHER_FRAMES
      await bounded<void>(
        'the audio of the call that was up',
        5_000,
        () => `${frames} of ${wanted} frames; ended: ${ended}`,
        (resolve, reject) => {
          look = () => {
            if (ended !== undefined) reject(new Error(`the call that was up ended: ${ended}`))
            if (frames >= wanted) resolve()
          }
          look()
          return undefined
        },
      )
      const { lost } = meter.report()
      assert.equal(lost, 0, 'packets lost of the call that was up')
    },
  }
}

function namesOf(ack: string): DialogNames {
  const part = (pattern: RegExp): string => {
    const found = pattern.exec(ack)?.[1]
    if (found === undefined) throw new Error(`no ${pattern} in\n${ack}`)
    return found
  }
  return {
    uri: part(/^ACK (\S+) /),
    callId: part(/^Call-ID: *(\S+)/im),
    fromTag: part(/^From:.*;tag=([^;\s]+)/im),
    toTag: part(/^To:.*;tag=([^;\s]+)/im),
  }
}

/** A phone's media whose socket the test can use too. */
class PhoneMedia implements MediaPeer {
  onPacket: MediaPeer['onPacket'] = () => undefined
  readonly connected = Promise.resolve()
  readonly #socket: Socket
  #to = 0
  #sent = 0

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('message', (data) => {
      if (data.length < 12 || ((data[1] ?? 0) & 0x7f) !== 0) return
      this.onPacket({
        sequence: data.readUInt16BE(2),
        timestamp: data.readUInt32BE(4),
        ssrc: data.readUInt32BE(8),
        payloadType: 0,
        payload: data.subarray(12),
        atMs: performance.now(),
      })
    })
    socket.on('error', () => undefined)
  }

  static async open(): Promise<PhoneMedia> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 })
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    return new PhoneMedia(socket)
  }

  offer(): string {
    return plainOffer(this.#socket.address().port)
  }

  answer(offer: string): string {
    this.accept(offer)
    return this.offer()
  }

  accept(answer: string): void {
    this.#to = Number(/^m=audio (\d+)/m.exec(answer)?.[1])
  }

  send(payload: Buffer): void {
    const header = Buffer.alloc(12)
    header[0] = 0x80
    header.writeUInt16BE(this.#sent & 0xffff, 2)
    header.writeUInt32BE(this.#sent * FRAME_SAMPLES, 4)
    header.writeUInt32BE(0x5eed, 8)
    this.#sent++
    this.sendRaw(Buffer.concat([header, payload]), this.#to)
  }

  sendRaw(data: Uint8Array, port: number): void {
    this.#socket.send(data, port, '127.0.0.1', () => undefined)
  }

  details(): undefined {
    return undefined
  }

  state(): string {
    return `sends to ${this.#to}`
  }

  close(): void {
    this.#socket.close()
  }
}

/** A phone's offer of G.711 µ-law. */
export function plainOffer(port: number): string {
  return [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    'c=IN IP4 127.0.0.1',
    't=0 0',
    `m=audio ${port} RTP/AVP 0`,
    'a=rtpmap:0 PCMU/8000',
    '',
  ].join('\r\n')
}

/** No call, registration, media session or fault of ours is left behind. */
export async function nothingIsLeft(gateway: GatewayProcess, calls = 0): Promise<void> {
  await eventually(async () => {
    const active = await gateway.api<{ calls: unknown[] }>('/v1/calls?state=active')
    assert.equal(active.calls.length, calls, `live calls: ${JSON.stringify(active.calls)}`)
    assert.deepEqual((await gateway.api<{ registrations: unknown[] }>('/v1/registrations')).registrations, [])
    const seen = await figures(gateway)
    assert.equal(seen.get('trunkline_media_sessions_active'), calls, 'media sessions')
    assert.equal(seen.get('trunkline_faults_total{code="INTERNAL"}') ?? 0, 0, 'faults of ours')
  })
  assert.equal(gateway.child.process.exitCode, null, 'the gateway runs')
  assert.doesNotMatch(gateway.child.output(), /uncaught|unhandled|fault of ours|an output was lost|a datagram failed/i)
}
