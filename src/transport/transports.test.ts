import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { EventEmitter, once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net'
import { after, describe, test } from 'node:test'
import { WebSocket } from 'ws'
import type { Flow } from '../sip/index.ts'
import type { SipListen, TransportDrop, TransportHandler, TransportLimits } from './model.ts'
import { openTransports, type Transports } from './transports.ts'

const OPTIONS = [
  'OPTIONS sip:a@127.0.0.1 SIP/2.0',
  'Via: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK1',
  'From: <sip:b@127.0.0.1>;tag=1',
  'To: <sip:a@127.0.0.1>',
  'Call-ID: 1',
  'CSeq: 1 OPTIONS',
  'Max-Forwards: 70',
  'Content-Length: 5',
  '',
  'h\xe9llo',
].join('\r\n')

/** Everything the transports told, with a promise for what comes next. */
class Recorder implements TransportHandler {
  readonly events = new EventEmitter()
  readonly messages: { flow: Flow; data: string }[] = []
  readonly drops: TransportDrop[] = []
  received(flow: Flow, data: string): void {
    this.messages.push({ flow, data })
    this.events.emit('received')
  }
  flowClosed(flowId: string, cause: string): void {
    this.events.emit('closed', flowId, cause)
  }
  sendFailed(sendId: number, cause: string): void {
    this.events.emit('failed', sendId, cause)
  }
  dropped(code: TransportDrop): void {
    this.drops.push(code)
  }
  async next(): Promise<{ flow: Flow; data: string }> {
    while (this.messages.length === 0) await once(this.events, 'received')
    const [message] = this.messages.splice(0, 1)
    assert.ok(message)
    return message
  }
}

const opened: Transports[] = []
after(() => Promise.all(opened.map((transports) => transports.close())))

async function start(listen: SipListen['transport'][], limits: Partial<TransportLimits> = {}) {
  const handler = new Recorder()
  const transports = await openTransports(
    { listen: listen.map((transport) => ({ transport, host: '127.0.0.1', port: 0 })), limits },
    handler,
  )
  opened.push(transports)
  const port = transports.addresses[0]?.port ?? 0
  return { handler, transports, port }
}

async function dial(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' })
  await once(socket, 'connect')
  return socket
}

/** The gateway's HTTP side, as far as upgrades go. */
async function withWebSockets(limits: Partial<TransportLimits> = {}) {
  const started = await start([], limits)
  const server = createServer()
  server.on('upgrade', (request, socket, head) => started.transports.acceptWebSocket(request, socket, head))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  after(() => server.close())
  const { port } = server.address() as AddressInfo
  return { ...started, url: `ws://127.0.0.1:${port}/sip`, port }
}

describe('UDP', () => {
  test('a datagram is a message, byte for byte, and its flow leads back', async () => {
    const { handler, transports, port } = await start(['udp'])
    const peer = createSocket('udp4').bind(0, '127.0.0.1')
    await once(peer, 'listening')
    peer.send(Buffer.from(OPTIONS, 'latin1'), port, '127.0.0.1')
    const { flow, data } = await handler.next()
    assert.equal(data, OPTIONS)
    assert.equal(flow.remote.port, peer.address().port)
    transports.send(1, { kind: 'flow', flow }, 'h\xe9')
    const [answer] = await once(peer, 'message')
    assert.equal(answer.toString('latin1'), 'h\xe9')
    peer.close()
  })

  test('the same pair of addresses is the same flow', async () => {
    const { handler, port } = await start(['udp'])
    const peer = createSocket('udp4').bind(0, '127.0.0.1')
    await once(peer, 'listening')
    peer.send('one', port, '127.0.0.1')
    peer.send('two', port, '127.0.0.1')
    const first = await handler.next()
    assert.equal((await handler.next()).flow.id, first.flow.id)
    peer.close()
  })

  test('bytes that cannot leave are told, not thrown', async () => {
    const { handler, transports } = await start(['udp'])
    const failed = once(handler.events, 'failed')
    transports.send(7, { kind: 'address', transport: 'udp', to: { host: '127.0.0.1', port: 9 } }, 'x'.repeat(70_000))
    assert.equal((await failed)[0], 7)
    const unresolved = once(handler.events, 'failed')
    transports.send(8, { kind: 'address', transport: 'udp', to: { host: 'no-such-name.invalid', port: 9 } }, 'x')
    assert.equal((await unresolved)[0], 8)
  })

  test('an address that is taken is a fault with a code, and nothing stays open', async () => {
    const { port } = await start(['udp'])
    const listen = [
      { transport: 'tcp', host: '127.0.0.1', port: 0 },
      { transport: 'udp', host: '127.0.0.1', port },
    ] as const
    await assert.rejects(openTransports({ listen }, new Recorder()), { code: 'LISTEN_FAILED' })
  })
})

describe('TCP', () => {
  test('a message cut at any place is the same message', async () => {
    const { handler, port } = await start(['tcp'])
    const socket = await dial(port)
    socket.setNoDelay(true)
    for (let cut = 1; cut < OPTIONS.length; cut++) {
      socket.write(OPTIONS.slice(0, cut), 'latin1')
      await new Promise((done) => setImmediate(done)) // Lets the first part leave alone.
      socket.write(OPTIONS.slice(cut), 'latin1')
      assert.equal((await handler.next()).data, OPTIONS, `cut at ${cut}`)
    }
    socket.destroy()
  })

  test('several messages in one segment are several messages', async () => {
    const { handler, port } = await start(['tcp'])
    const socket = await dial(port)
    socket.write(`\r\n${OPTIONS}${OPTIONS}`, 'latin1')
    assert.equal((await handler.next()).data, OPTIONS)
    assert.equal((await handler.next()).data, OPTIONS)
    socket.destroy()
  })

  test('RFC 5626 §3.5.1: CRLFCRLF is answered with CRLF', async () => {
    const { port } = await start(['tcp'])
    const socket = await dial(port)
    socket.write('\r\n\r\n')
    assert.equal(String((await once(socket, 'data'))[0]), '\r\n')
    socket.destroy()
  })

  test('a Content-Length that is no number: the endpoint sees the message, the connection ends', async () => {
    const { handler, port } = await start(['tcp'])
    const socket = await dial(port)
    socket.write(OPTIONS.replace('Content-Length: 5', 'Content-Length: -5'), 'latin1')
    assert.match((await handler.next()).data, /^OPTIONS/)
    await once(socket, 'close')
    assert.deepEqual(handler.drops, ['stream-malformed'])
  })

  test('a Content-Length beyond the bound ends the connection before the bytes are waited for', async () => {
    const { handler, port } = await start(['tcp'])
    const socket = await dial(port)
    socket.write(OPTIONS.replace('Content-Length: 5', 'Content-Length: 99999999'), 'latin1')
    await once(socket, 'close')
    assert.deepEqual(handler.drops, ['stream-malformed'])
  })

  test('a message begun and not finished ends the connection', async () => {
    const { handler, port } = await start(['tcp'], { partialMessageMs: 40 })
    const socket = await dial(port)
    socket.write(OPTIONS.slice(0, 60), 'latin1')
    await once(socket, 'close')
    assert.deepEqual(handler.drops, ['idle'])
  })

  test('a connection on which nothing is said is closed', async () => {
    const { handler, port } = await start(['tcp'], { connectionIdleMs: 40 })
    const socket = await dial(port)
    socket.write('\r\n\r\n') // A keep-alive is not a message.
    socket.resume()
    await once(socket, 'close')
    assert.deepEqual(handler.drops, ['idle'])
  })

  test('one address may hold so many connections and no more', async () => {
    const { handler, port } = await start(['tcp'], { connectionsPerAddress: 2 })
    const first = await dial(port)
    const second = await dial(port)
    const third = connect({ port, host: '127.0.0.1' })
    await once(third, 'close')
    assert.deepEqual(handler.drops, ['connections-exhausted'])
    const freed = once(handler.events, 'closed')
    second.destroy()
    await freed
    const fourth = await dial(port)
    fourth.write(OPTIONS, 'latin1')
    assert.equal((await handler.next()).data, OPTIONS)
    first.destroy()
    fourth.destroy()
  })

  test('a peer that does not read is cut off, and what waits for it is told', async () => {
    const { handler, transports, port } = await start(['tcp'], { sendBufferBytes: 100_000 })
    const socket = await dial(port)
    socket.pause()
    socket.write(OPTIONS, 'latin1')
    const { flow } = await handler.next()
    const closed = once(handler.events, 'closed')
    for (let i = 0; i < 400; i++) transports.send(i, { kind: 'flow', flow }, 'x'.repeat(50_000))
    await closed
    assert.ok(handler.drops.includes('send-buffer-full'))
    socket.destroy()
  })

  test('RFC 3261 §18: requests to one address share a connection, whoever opened it', async () => {
    const { handler, transports } = await start(['tcp'])
    const peer = createTcpServer().listen(0, '127.0.0.1')
    await once(peer, 'listening')
    const { port } = peer.address() as AddressInfo
    const accepted: Socket[] = []
    peer.on('connection', (socket) => accepted.push(socket))
    const to = { kind: 'address', transport: 'tcp', to: { host: '127.0.0.1', port } } as const
    const connected = once(peer, 'connection')
    transports.send(1, to, OPTIONS)
    transports.send(2, to, OPTIONS)
    const [socket] = (await connected) as [Socket]
    let text = ''
    while (text.length < 2 * OPTIONS.length) text += ((await once(socket, 'data'))[0] as Buffer).toString('latin1')
    transports.send(3, to, OPTIONS)
    await once(socket, 'data')
    socket.write(OPTIONS, 'latin1')
    const { flow } = await handler.next()
    transports.send(4, { kind: 'flow', flow }, OPTIONS)
    await once(socket, 'data')
    assert.equal(accepted.length, 1)
    socket.destroy()
    peer.close()
  })

  test('a peer that cannot be reached fails each message that waited', async () => {
    const { handler, transports } = await start(['tcp'])
    const failed = once(handler.events, 'failed')
    transports.send(5, { kind: 'address', transport: 'tcp', to: { host: '127.0.0.1', port: 1 } }, OPTIONS)
    assert.equal((await failed)[0], 5)
  })

  test('a closed connection is told once, and bytes for it fail', async () => {
    const { handler, transports, port } = await start(['tcp'])
    const socket = await dial(port)
    socket.write(OPTIONS, 'latin1')
    const { flow } = await handler.next()
    const closed = once(handler.events, 'closed')
    socket.end()
    assert.equal((await closed)[0], flow.id)
    const failed = once(handler.events, 'failed')
    transports.send(6, { kind: 'flow', flow }, OPTIONS)
    assert.equal((await failed)[0], 6)
  })
})

describe('WebSocket (RFC 7118)', () => {
  test('text and binary frames are messages; answers are text where they can be', async () => {
    const { handler, transports, url } = await withWebSockets()
    const socket = new WebSocket(url, 'sip')
    await once(socket, 'open')
    assert.equal(socket.protocol, 'sip')
    socket.send('Größe')
    const { flow, data } = await handler.next()
    assert.equal(data, Buffer.from('Größe').toString('latin1'))
    assert.equal(flow.transport, 'ws')
    socket.send(Buffer.from([0x41, 0xff]))
    assert.equal((await handler.next()).data, 'A\xff')
    transports.send(1, { kind: 'flow', flow }, data)
    assert.deepEqual(await once(socket, 'message'), [Buffer.from('Größe'), false])
    transports.send(2, { kind: 'flow', flow }, 'A\xff')
    assert.deepEqual(await once(socket, 'message'), [Buffer.from([0x41, 0xff]), true])
    socket.terminate()
  })

  const refused: readonly (readonly [what: string, protocols: string[], origin: string | undefined, status: number])[] =
    [
      ['no subprotocol', [], undefined, 400],
      ['another subprotocol', ['chat'], undefined, 400],
      ['a foreign page', ['sip'], 'https://evil.example', 403],
      ['a page without origin', ['sip'], 'null', 403],
    ]
  for (const [what, protocols, origin, status] of refused) {
    test(`${what} is refused with ${status}`, async () => {
      const { url, handler } = await withWebSockets()
      const socket = new WebSocket(url, protocols, origin === undefined ? {} : { origin })
      const [, response] = await once(socket, 'unexpected-response')
      assert.equal(response.statusCode, status)
      assert.equal(handler.drops.length, 1)
      socket.on('error', () => undefined)
      socket.terminate()
    })
  }

  test('our own page may connect', async () => {
    const { url, port } = await withWebSockets()
    const socket = new WebSocket(url, 'sip', { origin: `http://127.0.0.1:${port}` })
    await once(socket, 'open')
    socket.terminate()
  })

  test('a frame over the limit ends the connection with 1009', async () => {
    const { url, handler } = await withWebSockets({ messageBytes: 1_000 })
    const socket = new WebSocket(url, 'sip')
    await once(socket, 'open')
    socket.send('x'.repeat(1_001))
    const [code] = await once(socket, 'close')
    assert.equal(code, 1009)
    assert.deepEqual(handler.drops, ['frame-too-large'])
    assert.deepEqual(handler.messages, [])
  })

  test('a peer that stopped answering without a word is noticed', async () => {
    const { url, handler } = await withWebSockets({ pingMs: 40 })
    const socket = new WebSocket(url, 'sip', { autoPong: false })
    await once(socket, 'open')
    socket.send(OPTIONS)
    const { flow } = await handler.next()
    const [closed] = await once(handler.events, 'closed')
    assert.equal(closed, flow.id)
    assert.deepEqual(handler.drops, ['silent'])
    socket.terminate()
  })

  test('a socket on which nothing is said is closed', async () => {
    const { url, handler } = await withWebSockets({ webSocketIdleMs: 40 })
    const socket = new WebSocket(url, 'sip')
    await once(socket, 'close')
    assert.deepEqual(handler.drops, ['idle'])
  })
})
