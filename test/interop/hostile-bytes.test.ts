import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { CallView } from '../../src/api/index.ts'
import { corpus } from '../support/corpora.ts'
import { seededRandom } from '../support/random.ts'
import { eventually } from './support/eventually.ts'
import { figures, growth } from './support/figures.ts'
import { type GatewayProcess, startGateway } from './support/gateway.ts'
import { tcpPeer, udpPeer, webSocketPeer } from './support/raw-peer.ts'
import { ask, DOMAIN, statusOf } from './support/sip-text.ts'
import { goodCall, nothingIsLeft, openWitness, TENANTS, type Witness } from './support/witness.ts'

const skip = process.env.TRUNKLINE_SKIP_INTEROP ?? false
const SEED = 4475
/** Datagrams sent in one go; the gateway's socket buffers hold as many. */
const BURST = 100

/** Bytes of all kinds: random ones, and every damaged or tortuous input there is. */
const RANDOM = randomInputs(300)
const SIP = [...RANDOM, ...seeds('sip'), ...seeds('uri'), ...seeds('sdp'), ...torture()]
const MEDIA = [...RANDOM, ...['stun', 'rtp', 'rtcp', 'srtp', 'sip'].flatMap(seeds)]

describe('garbage', { skip }, () => {
  let gateway: GatewayProcess
  let witness: Witness
  let browser: Witness
  let seen: ReadonlyMap<string, number>

  before(async () => {
    gateway = await startGateway({ tenants: TENANTS })
    witness = await openWitness(gateway, 'phone')
    browser = await openWitness(gateway, 'browser')
    seen = await figures(gateway)
  })
  after(async () => {
    await Promise.all([witness?.hangUp(), browser?.hangUp()])
    await gateway?.stop()
  })

  /** Two calls kept their audio, a new one works, and the sender's next question is answered. */
  const nothingElseChanged = async (): Promise<void> => {
    await Promise.all([witness.isUnharmed(), browser.isUnharmed()])
    await Promise.all([goodCall(gateway, 'phone'), goodCall(gateway, 'browser')])
    await nothingIsLeft(gateway, 2)
  }
  const rejected = (after: ReadonlyMap<string, number>): number => growth(seen, after, 'trunkline_sip_rejected_total')

  test('on the SIP port over UDP', async () => {
    const peer = await udpPeer(gateway.sip)
    for (const [n, input] of SIP.entries()) {
      if (input.length <= 65_507) peer.send(input)
      if (n % BURST === 0) await isAlive(peer)
    }
    await isAlive(peer)
    peer.close()
    assert.ok(rejected(await figures(gateway)) > 200)
    await nothingElseChanged()
  })

  test('on the SIP port over TCP, each input on a connection of its own', async () => {
    await pour(SIP, gateway.sip)
    const peer = await tcpPeer(gateway.sip)
    await isAlive(peer)
    peer.close()
    await eventually(async () => {
      const grown = growth(seen, await figures(gateway), 'trunkline_sip_rejected_total{code="stream-malformed"}')
      assert.ok(grown >= 10, `${grown} streams`)
    })
    await nothingElseChanged()
  })

  test('on the HTTP port', async () => {
    await pour(SIP, gateway.http.slice('http://'.length))
    assert.equal((await fetch(`${gateway.http}/healthz`)).status, 200)
    await nothingElseChanged()
  })

  test('on the WebSocket, as text and as binary messages', async () => {
    const before = rejected(await figures(gateway))
    const peer = await webSocketPeer(gateway.webSocket)
    for (const [n, input] of SIP.entries()) {
      if (input.length > 65_535) continue
      peer.send(input)
      peer.send(Buffer.from(input).toString('latin1'))
      if (n % BURST === 0) await isAlive(peer)
    }
    await isAlive(peer)
    peer.close()
    assert.ok(rejected(await figures(gateway)) - before > 400)
    await nothingElseChanged()
  })

  test('on the WebRTC media port, from strangers', async () => {
    await flood(MEDIA, [browser.media.port])
    await eventually(async () => {
      const strays = growth(seen, await figures(gateway), 'trunkline_media_strays_total')
      assert.ok(strays > 0.9 * MEDIA.length, `${strays} of ${MEDIA.length} datagrams were counted`)
    })
    await nothingElseChanged()
  })

  test("on a call's RTP and RTCP ports, from another address", async () => {
    await flood(MEDIA, [witness.media.port, witness.media.port + 1], '127.0.0.5')
    await nothingElseChanged()
  })

  test('audio that sounds right, from another address, is not taken and not answered', async () => {
    const before = await discarded()
    const heard = await flood(rtpStream(100), [witness.media.port, witness.media.port + 1], '127.0.0.5')
    await witness.isUnharmed()
    assert.equal(heard, 0, 'packets that a stranger was sent')
    await eventually(async () => {
      const grown = (await discarded()) - before
      assert.ok(grown >= 100, `${grown} packets were counted as discarded`)
    }, 10_000)
    await nothingElseChanged()
  })

  test("on a call's RTP and RTCP ports, from another port of the peer's address", async () => {
    await flood(MEDIA, [witness.media.port, witness.media.port + 1])
    await nothingElseChanged()
  })

  test("on a call's RTP and RTCP ports, from the peer itself", async () => {
    for (const inputs of batches(MEDIA, BURST)) {
      for (const input of inputs) {
        witness.sendFromMediaSocket(input, witness.media.port)
        witness.sendFromMediaSocket(input, witness.media.port + 1)
      }
      await witness.isUnharmed()
    }
    await nothingElseChanged()
  })

  test('after all of it both calls end as calls do, and what was thrown away is counted', async () => {
    await Promise.all([witness.hangUp(), browser.hangUp()])
    await nothingIsLeft(gateway)
    assert.ok(growth(seen, await figures(gateway), 'trunkline_media_packets_discarded_total') > 1_000)
  })

  /** What the call that is up says of itself; told by the engine every few seconds. */
  async function discarded(): Promise<number> {
    const { calls } = await gateway.api<{ calls: readonly CallView[] }>('/v1/calls?state=active')
    return calls.flatMap(({ legs }) => legs).reduce((sum, { media }) => sum + (media?.packetsDiscarded ?? 0), 0)
  }

  /** @returns how many datagrams came back. */
  async function flood(inputs: readonly Uint8Array[], ports: readonly number[], from = '127.0.0.1'): Promise<number> {
    const socket = createSocket('udp4')
    let heard = 0
    socket.on('message', () => heard++)
    socket.bind(0, from)
    await once(socket, 'listening')
    for (const batch of batches(inputs, BURST)) {
      for (const input of batch) for (const port of ports) socket.send(input, port, '127.0.0.1', () => undefined)
      await figures(gateway) // The media engine is asked for them: it has had a turn for what was sent.
    }
    socket.close()
    return heard
  }

  async function isAlive(peer: Parameters<typeof ask>[0]): Promise<void> {
    assert.equal(statusOf(await ask(peer, { method: 'OPTIONS', uri: `sip:${DOMAIN}` })), 200)
  }
})

function* batches<T>(all: readonly T[], size: number): Iterable<readonly T[]> {
  for (let at = 0; at < all.length; at += size) yield all.slice(at, at + size)
}

/** Each input on a connection of its own, which the gateway has then closed. */
async function pour(inputs: readonly Uint8Array[], to: string): Promise<void> {
  const [host = '', port = ''] = to.split(':')
  for (const batch of batches(inputs, 25)) {
    await Promise.all(
      batch.map(async (input) => {
        const socket = connect(Number(port), host)
        socket.on('error', () => undefined)
        await once(socket, 'connect')
        socket.end(input)
        socket.resume()
        await once(socket, 'close')
      }),
    )
  }
}

function randomInputs(count: number): readonly Uint8Array[] {
  const random = seededRandom(SEED)
  return Array.from({ length: count }, (_, n) => {
    const bytes = Buffer.alloc(n < 10 ? n : random.between(1, 1_400))
    for (let at = 0; at < bytes.length; at++) bytes[at] = random.between(0, 255)
    return bytes
  })
}

/** A stream like that of a phone. */
function rtpStream(packets: number): readonly Uint8Array[] {
  return Array.from({ length: packets }, (_, n) => {
    const packet = Buffer.alloc(172, 0xd5)
    packet.writeUInt16BE(0x8000, 0)
    packet.writeUInt16BE(n, 2)
    packet.writeUInt32BE(n * 160, 4)
    packet.writeUInt32BE(0xbad, 8)
    return packet
  })
}

function seeds(kind: string): readonly Uint8Array[] {
  return filesOf(corpus('fuzz-seeds'), kind)
}

function torture(): readonly Uint8Array[] {
  return ['rfc4475', 'rfc5118/wire'].flatMap((folder) => filesOf(corpus('sip-torture'), folder))
}

function filesOf(topic: string | undefined, folder: string): readonly Uint8Array[] {
  if (topic === undefined) return []
  const path = join(topic, folder)
  return readdirSync(path).map((name) => readFileSync(join(path, name)))
}
