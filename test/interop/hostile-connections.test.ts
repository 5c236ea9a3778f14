import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { eventually } from './support/eventually.ts'
import { figures, growth } from './support/figures.ts'
import { type GatewayProcess, startGateway } from './support/gateway.ts'
import { type RawPeer, type RawWebSocket, tcpPeer, webSocketPeer } from './support/raw-peer.ts'
import { ask, DOMAIN, isFinal, sipRequest, statusOf, token } from './support/sip-text.ts'
import { goodCall, nothingIsLeft, openWitness, TENANTS, type Witness } from './support/witness.ts'

const skip = process.env.TRUNKLINE_SKIP_INTEROP ?? false
const HALF_OPEN = 300
/** The gateway asks after 20 s whether anybody is there and waits 20 s for the answer. */
const SILENCE_NOTICED_MS = 45_000
const OPTIONS = { method: 'OPTIONS', uri: `sip:${DOMAIN}` } as const

const UPGRADE = [
  'GET /sip HTTP/1.1',
  'Host: 127.0.0.1',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Protocol: sip',
]

describe('connections that misbehave', { skip }, () => {
  let gateway: GatewayProcess
  let witness: Witness
  let http: { host: string; port: number }
  /** Opened at the start; looked at when their time is over. */
  let halfOpen: Socket[]
  let halfRequests: Socket[]

  before(async () => {
    gateway = await startGateway({ tenants: TENANTS })
    const { hostname, port } = new URL(gateway.http)
    http = { host: hostname, port: Number(port) }
    halfOpen = await Promise.all(Array.from({ length: HALF_OPEN }, () => halfOpenWebSocket(http)))
    halfRequests = await Promise.all(
      ['', 'GET /sip HTT', `${UPGRADE.join('\r\n')}\r\nX-More: `].map((start) => opened(http, start)),
    )
    witness = await openWitness(gateway, 'browser')
  })
  after(async () => {
    for (const socket of [...halfOpen, ...halfRequests]) socket.destroy()
    await witness?.hangUp()
    await gateway?.stop()
  })

  const nothingElseChanged = async (): Promise<void> => {
    await witness.isUnharmed()
    await goodCall(gateway, 'browser')
    await nothingIsLeft(gateway, 1)
  }
  const dropped = async (code: string, act: () => Promise<void>, least = 1): Promise<void> => {
    const before = await figures(gateway)
    await act()
    await eventually(async () => {
      const name = `trunkline_sip_rejected_total{code="${code}"}`
      assert.ok(growth(before, await figures(gateway), name) >= least, `${name} grew by ${least}`)
    })
  }

  test(`${HALF_OPEN} WebSockets that say nothing stand in nobody's way`, async () => {
    assert.equal(halfOpen.filter((socket) => !socket.destroyed).length, HALF_OPEN)
    await nothingElseChanged()
  })

  test('an upgrade without the subprotocol sip is answered 400', () =>
    dropped('subprotocol-missing', async () => {
      for (const protocol of [undefined, 'chat', 'sipx, xsip']) {
        assert.equal(await upgradeStatus(http, { 'sec-websocket-protocol': protocol }), 400, protocol)
      }
      await nothingElseChanged()
    }))

  test('an upgrade by a page from elsewhere is answered 403', () =>
    dropped('origin-refused', async () => {
      for (const origin of ['https://evil.example', 'null', 'http://127.0.0.1:1', '']) {
        assert.equal(await upgradeStatus(http, { origin }), 403, origin)
      }
      await nothingElseChanged()
    }))

  test('an upgrade of another path is answered 404, of another version 400 or 426', async () => {
    assert.equal(await upgradeStatus(http, {}, '/elsewhere'), 404)
    assert.ok([400, 426].includes(await upgradeStatus(http, { 'sec-websocket-version': '7' })))
    assert.equal(await upgradeStatus(http, { 'sec-websocket-key': 'short' }), 400)
    await nothingElseChanged()
  })

  test('a message over the limit closes the WebSocket with 1009', () =>
    dropped('frame-too-large', async () => {
      const peer = await webSocketPeer(gateway.webSocket)
      peer.send('x'.repeat(65_536))
      assert.equal(await peer.closed(), 1009)
      await nothingElseChanged()
    }))

  test('a message over the limit in many fragments closes the WebSocket with 1009', () =>
    dropped('frame-too-large', async () => {
      const peer = await webSocketPeer(gateway.webSocket)
      sendFragments(peer, 10_000, 100)
      assert.equal(await peer.closed(), 1009)
      await nothingElseChanged()
    }))

  test('a message of 20,000 fragments that hold nothing closes the WebSocket or is borne', async () => {
    const peer = await webSocketPeer(gateway.webSocket)
    sendFragments(peer, 20_000, 0)
    await nothingElseChanged()
    peer.close()
  })

  test('frames that break the protocol of WebSockets close that WebSocket alone', async () => {
    const frames = ['ffff', '81ff7fffffffffffffff00000000', '8b80', 'c180', '0980', '817e0010', '88010a']
    for (const hex of frames) {
      const socket = await halfOpenWebSocket(http)
      const ended = once(socket, 'close')
      socket.resume()
      socket.end(Buffer.from(hex, 'hex'))
      await ended
    }
    await nothingElseChanged()
  })

  for (const [what, length, status] of [
    ['too large', '99999', 513],
    ['huge', '99999999999999999999', 400],
    ['negative', '-5', 400],
    ['no number', 'five', 400],
    ['twice', '0\r\nContent-Length: 5', 400],
    ['missing', '', 400],
  ] as const) {
    test(`a TCP stream whose Content-Length is ${what} is answered ${status} and closed`, () =>
      dropped('stream-malformed', async () => {
        const peer = await tcpPeer(gateway.sip)
        const callId = token()
        peer.send(sipRequest(peer, { ...OPTIONS, callId, contentLength: length }))
        const response = await peer.answer(`${status}`, isFinal(callId))
        assert.equal(statusOf(response), status, response)
        await peer.closed()
        await nothingElseChanged()
      }))
  }

  test('a Content-Length that lies short makes the rest garbage: answered, then closed', () =>
    dropped('stream-malformed', async () => {
      const peer = await tcpPeer(gateway.sip)
      const callId = token()
      peer.send(sipRequest(peer, { ...OPTIONS, callId, sdp: 'v=0\r\nthis is no start line', contentLength: '3' }))
      assert.equal(statusOf(await peer.answer('200', isFinal(callId))), 200)
      peer.send('and goes on\r\nlike: that\r\n\r\n')
      await peer.closed()
      await nothingElseChanged()
    }))

  test('headers without an end are cut off', () =>
    dropped('stream-malformed', async () => {
      const peer = await tcpPeer(gateway.sip)
      peer.send(`OPTIONS sip:${DOMAIN} SIP/2.0\r\n`)
      peer.send('X-More: and more and more\r\n'.repeat(2_000))
      await peer.closed()
      await nothingElseChanged()
    }))

  test('a body that never comes is waited for, but not for long', () =>
    dropped('idle', async () => {
      const peer = await tcpPeer(gateway.sip)
      peer.send(sipRequest(peer, { ...OPTIONS, contentLength: '1000' }))
      await nothingElseChanged()
      await peer.closed(15_000)
    }))

  test('one byte a segment is slow, but right', async () => {
    const peer = await tcpPeer(gateway.sip)
    const callId = token()
    for (const byte of sipRequest(peer, { ...OPTIONS, callId })) peer.send(byte)
    assert.equal(statusOf(await peer.answer('200', isFinal(callId))), 200)
    await alive(peer)
    peer.close()
    await nothingElseChanged()
  })

  test('a peer that asks and never reads is cut off before it costs memory', () =>
    dropped('send-buffer-full', async () => {
      const peer = await tcpPeer(gateway.sip)
      peer.pause()
      // The answers repeat the Call-ID: 24 MB, more than the system's buffers take.
      for (let n = 0; n < 3_000; n++) peer.send(sipRequest(peer, { ...OPTIONS, callId: `${n}`.padEnd(8_000, 'x') }))
      await peer.closed(10_000)
      await nothingElseChanged()
    }))

  test('those that never said anything whole are gone in the end', () =>
    dropped(
      'silent',
      async () => {
        const open = (): number => [...halfOpen, ...halfRequests].filter((socket) => !socket.closed).length
        await eventually(() => assert.equal(open(), 0), SILENCE_NOTICED_MS)
        await witness.isUnharmed()
        await witness.hangUp()
        await nothingIsLeft(gateway)
      },
      HALF_OPEN,
    ))

  async function alive(peer: RawPeer): Promise<void> {
    assert.equal(statusOf(await ask(peer, OPTIONS)), 200)
  }
})

function sendFragments({ socket }: RawWebSocket, count: number, bytes: number): void {
  for (let n = 0; n < count; n++) socket.send('x'.repeat(bytes), { fin: false }, () => undefined)
}

async function opened({ host, port }: { host: string; port: number }, start: string): Promise<Socket> {
  const socket = connect(port, host)
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  if (start !== '') socket.write(start)
  socket.resume()
  return socket
}

/** The upgrade is answered; then nothing more is said, not even to a ping. */
async function halfOpenWebSocket(http: { host: string; port: number }): Promise<Socket> {
  const socket = await opened(http, `${UPGRADE.join('\r\n')}\r\n\r\n`)
  const [answer] = (await once(socket, 'data')) as [Buffer]
  assert.match(answer.toString('latin1'), /^HTTP\/1\.1 101 /)
  socket.resume()
  return socket
}

async function upgradeStatus(
  { host, port }: { host: string; port: number },
  changed: Record<string, string | undefined>,
  path = '/sip',
): Promise<number> {
  const usual = {
    host: `${host}:${port}`,
    upgrade: 'websocket',
    connection: 'Upgrade',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'sec-websocket-protocol': 'sip',
  }
  const headers = Object.entries({ ...usual, ...changed }).filter(([, value]) => value !== undefined)
  const sent = request({ host, port, path, headers: Object.fromEntries(headers) as Record<string, string> })
  sent.end()
  const status = await new Promise<number>((resolve, reject) => {
    sent.on('response', (response) => resolve(response.statusCode ?? 0))
    sent.on('upgrade', (response, socket) => {
      socket.destroy()
      resolve(response.statusCode ?? 0)
    })
    sent.on('error', reject)
  })
  sent.destroy()
  return status
}
