import assert from 'node:assert/strict'
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { EventEmitter, once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { after, describe, test } from 'node:test'
import { WebSocket } from 'ws'
import { digestAnswer, exampleTenant, header } from '../../test/support/core-rig.ts'
import { phoneSdp } from '../../test/support/sdp-texts.ts'
import type { ApiEvent } from '../api/index.ts'
import { seededIds } from '../base/index.ts'
import type { CallRecord } from '../call/index.ts'
import { createFakeEngine } from '../media/engines/fake/index.ts'
import { createGateway } from './gateway.ts'
import type { GatewayOptions } from './model.ts'

const SDP = { 'Content-Type': 'application/sdp' }

/** What a test speaks SIP through. */
interface Wire {
  readonly via: string
  readonly contact: string
  write(data: string): void
}

/** A user agent on real sockets that does what the test says and nothing else. */
class Agent {
  readonly #wire: Wire
  readonly #inbox: string[] = []
  readonly #arrivals = new EventEmitter()
  #sequence = 0
  constructor(wire: Wire) {
    this.#wire = wire
  }
  arrived(message: string): void {
    this.#inbox.push(message)
    this.#arrivals.emit('message')
  }
  write(data: string): void {
    this.#wire.write(data)
  }
  /** The next message that begins so; others stay. */
  async next(start: string): Promise<string> {
    for (;;) {
      const at = this.#inbox.findIndex((message) => message.startsWith(start))
      const [found] = at === -1 ? [] : this.#inbox.splice(at, 1)
      if (found !== undefined) return found
      await once(this.#arrivals, 'message', { signal: AbortSignal.timeout(5_000) }).catch(() => {
        throw new Error(`no ${start}; there is: ${this.#inbox.map((each) => each.split('\r\n', 1)[0]).join(' | ')}`)
      })
    }
  }
  request(method: string, uri: string, headers: Record<string, string> = {}, body = ''): void {
    const sequence = ++this.#sequence
    const all = {
      Via: `${this.#wire.via};branch=z9hG4bK${method}${sequence}${Math.trunc(performance.now())};rport`,
      'Max-Forwards': '70',
      From: '<sip:alice@example.test>;tag=agent',
      To: `<${uri}>`,
      'Call-ID': `${this.#wire.contact}-${method}`,
      CSeq: `${sequence} ${method}`,
      Contact: `<${this.#wire.contact}>`,
      ...headers,
      'Content-Length': String(body.length),
    }
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`)
    this.write([`${method} ${uri} SIP/2.0`, ...lines, '', body].join('\r\n'))
  }
  respond(request: string, status: string, headers: Record<string, string> = {}, body = ''): void {
    const copied = request.split('\r\n').filter((line) => /^(Via|From|Call-ID|CSeq|Record-Route): /.test(line))
    const to = header(request, 'To')
    const all = { To: to.includes('tag=') ? to : `${to};tag=callee`, Contact: `<${this.#wire.contact}>`, ...headers }
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`)
    this.write([`SIP/2.0 ${status}`, ...copied, ...lines, `Content-Length: ${body.length}`, '', body].join('\r\n'))
  }
  async register(user: string, password: string): Promise<void> {
    const uri = 'sip:example.test'
    const who = { From: `<sip:${user}@example.test>;tag=r`, To: `<sip:${user}@example.test>` }
    this.request('REGISTER', uri, who)
    const answer = digestAnswer(await this.next('SIP/2.0 401'), { user, password, method: 'REGISTER', uri })
    this.request('REGISTER', uri, { ...who, ...answer })
    await this.next('SIP/2.0 200')
  }
  /** Sends a request in the dialog that a response opened. */
  follow(method: string, response: string, sequence: number): void {
    const uri = /<([^>]+)>/.exec(header(response, 'Contact'))?.[1] ?? ''
    const [From, To] = [header(response, 'From'), header(response, 'To')]
    this.request(method, uri, { From, To, 'Call-ID': header(response, 'Call-ID'), CSeq: `${sequence} ${method}` })
  }
}

async function startGateway(change: Partial<GatewayOptions> = {}) {
  const records: CallRecord[] = []
  const ends = new EventEmitter()
  const faults: string[] = []
  const gateway = await createGateway({
    listen: {
      sip: [
        { transport: 'udp', host: '127.0.0.1', port: 0 },
        { transport: 'tcp', host: '127.0.0.1', port: 0 },
      ],
    },
    tenants: [exampleTenant()],
    engine: createFakeEngine({ ids: seededIds(1) }),
    log: { debug() {}, info() {}, warn: (_, text) => faults.push(text), error: (_, text) => faults.push(text) },
    product: 'Trunkline/test',
    onCallEnded(record) {
      records.push(record)
      ends.emit('ended')
    },
    ...change,
  })
  const http = createServer().listen(0, '127.0.0.1')
  await once(http, 'listening')
  gateway.attachWebSocket(http)
  after(async () => {
    await gateway.stop()
    http.closeAllConnections()
    http.close()
  })
  const [udp, tcp] = gateway.addresses
  /** The record of the first call that ends. */
  const record = async (): Promise<CallRecord | undefined> => {
    if (records.length === 0) await once(ends, 'ended', { signal: AbortSignal.timeout(5_000) })
    return records[0]
  }
  return {
    gateway,
    record,
    faults,
    udp: udp?.port ?? 0,
    tcp: tcp?.port ?? 0,
    http: (http.address() as AddressInfo).port,
  }
}

async function udpAgent(port: number): Promise<Agent> {
  const socket: UdpSocket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  after(() => socket.close())
  const own = `127.0.0.1:${socket.address().port}`
  const agent = new Agent({
    via: `SIP/2.0/UDP ${own}`,
    contact: `sip:agent@${own}`,
    write: (data) => socket.send(data, port, '127.0.0.1'),
  })
  socket.on('message', (data) => agent.arrived(data.toString('latin1')))
  return agent
}

async function webSocketAgent(port: number): Promise<Agent & { close(): void }> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/sip`, 'sip')
  await once(socket, 'open')
  after(() => socket.terminate())
  const wire: Wire = {
    via: 'SIP/2.0/WS abc.invalid',
    contact: 'sip:page@abc.invalid;transport=ws',
    write: (data) => socket.send(data),
  }
  const agent = Object.assign(new Agent(wire), { close: () => socket.close() })
  socket.on('message', (data: Buffer) => agent.arrived(data.toString('latin1')))
  return agent
}

/** `caller`, who may be anybody with Alice's password, calls the callee and hangs up. */
async function callAndHangUp(caller: Agent, callee: Agent, callId: string): Promise<void> {
  const uri = 'sip:bob@example.test'
  const identity = { From: `<sip:alice@example.test>;tag=${callId}`, 'Call-ID': callId, ...SDP }
  caller.request('INVITE', uri, identity, phoneSdp())
  const challenge = await caller.next('SIP/2.0 407')
  const answer = digestAnswer(challenge, { user: 'alice', password: 'wonderland', method: 'INVITE', uri })
  caller.request('INVITE', uri, { ...identity, ...answer, CSeq: '900 INVITE' }, phoneSdp())
  const invite = await callee.next('INVITE')
  callee.respond(invite, '180 Ringing')
  await caller.next('SIP/2.0 180')
  callee.respond(invite, '200 OK', SDP, phoneSdp())
  const accepted = await caller.next('SIP/2.0 200')
  caller.follow('ACK', accepted, 900)
  await callee.next('ACK')
  caller.follow('BYE', accepted, 901)
  callee.respond(await callee.next('BYE'), '200 OK')
  await caller.next('SIP/2.0 200')
}

describe('the gateway on real sockets', () => {
  test('two telephones talk, and those who follow are told', async () => {
    const { gateway, udp, record, faults } = await startGateway()
    const events: ApiEvent[] = []
    gateway.subscribe((event) => events.push(event))
    const [alice, bob] = [await udpAgent(udp), await udpAgent(udp)]
    await bob.register('bob', 'builder')
    assert.deepEqual(
      gateway.registrations().map(({ user }) => user),
      ['bob'],
    )
    await callAndHangUp(alice, bob, 'first')
    const ended = await record()
    assert.deepEqual([ended?.status, ended?.endedBy], [200, 'caller'])
    assert.ok(Math.abs((ended?.startedAt ?? 0) - Date.now()) < 60_000, 'records tell the time of day')
    assert.equal(gateway.calls()[0]?.state, 'ended')
    const states = events.flatMap((event) => (event.event === 'call' ? [event.data.state] : []))
    assert.ok(states.includes('ringing') && states.includes('talking') && states.at(-1) === 'ended', states.join())
    assert.ok(events.some((event) => event.event === 'timeline' && event.data.entry.kind === 'sip'))
    assert.deepEqual(faults, [])
  })

  test('garbage on every port changes nothing: a good call works afterwards', async () => {
    const { gateway, udp, tcp, http, record, faults } = await startGateway()
    const [noisy, alice, bob] = [await udpAgent(udp), await udpAgent(udp), await udpAgent(udp)]
    const page = await webSocketAgent(http)
    const ids = seededIds(99)
    for (let i = 0; i < 300; i++) {
      const noise = i % 3 === 0 ? `INVITE ${ids.token(i)} SIP/2.0\r\n${ids.token(i)}: x\r\n\r\n` : ids.token(64 * i)
      noisy.write(noise)
      page.write(noise)
    }
    const stream = connect(tcp, '127.0.0.1').on('error', () => undefined)
    stream.end(`${ids.token(50_000)}\r\n\r\n`)
    await once(stream.resume(), 'close')
    await bob.register('bob', 'builder')
    await callAndHangUp(alice, bob, 'after the noise')
    assert.equal((await record())?.status, 200)
    assert.equal(gateway.counts().calls, 0)
    assert.deepEqual(faults, [])
  })

  test('a message of a stream whose length is a lie is answered 400 before the connection ends', async () => {
    const { tcp } = await startGateway()
    const socket = connect(tcp, '127.0.0.1')
    const head = [
      'OPTIONS sip:example.test SIP/2.0',
      'Via: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK1',
      'From: <sip:a@b>;tag=1',
    ]
    socket.write(
      [...head, 'To: <sip:a@b>', 'Call-ID: 1', 'CSeq: 1 OPTIONS', 'Content-Length: many', '', ''].join('\r\n'),
    )
    const chunks: Buffer[] = []
    for await (const chunk of socket) chunks.push(chunk)
    assert.match(Buffer.concat(chunks).toString(), /^SIP\/2\.0 400 /)
  })

  test('a browser is rung over its WebSocket and answers', async () => {
    const { udp, http, record } = await startGateway()
    const [alice, page] = [await udpAgent(udp), await webSocketAgent(http)]
    await page.register('bob', 'builder')
    const uri = 'sip:bob@example.test'
    const identity = { From: '<sip:alice@example.test>;tag=1', 'Call-ID': 'to-the-page', ...SDP }
    alice.request('INVITE', uri, identity, phoneSdp())
    const who = { user: 'alice', password: 'wonderland', method: 'INVITE', uri }
    alice.request('INVITE', uri, { ...identity, ...digestAnswer(await alice.next('SIP/2.0 407'), who) }, phoneSdp())
    const invite = await page.next('INVITE')
    assert.match(invite, /UDP\/TLS\/RTP\/SAVPF/)
    assert.match(header(invite, 'Via'), /^SIP\/2\.0\/WS /)
    page.respond(invite, '486 Busy Here')
    await page.next('ACK')
    await alice.next('SIP/2.0 486')
    assert.equal((await record())?.status, 486)
  })

  test('stopping hangs up and refuses what comes', async () => {
    const { gateway, udp, record } = await startGateway()
    const [alice, bob] = [await udpAgent(udp), await udpAgent(udp)]
    await bob.register('bob', 'builder')
    const uri = 'sip:bob@example.test'
    const identity = { From: '<sip:alice@example.test>;tag=1', 'Call-ID': 'cut', ...SDP }
    alice.request('INVITE', uri, identity, phoneSdp())
    const who = { user: 'alice', password: 'wonderland', method: 'INVITE', uri }
    alice.request('INVITE', uri, { ...identity, ...digestAnswer(await alice.next('SIP/2.0 407'), who) }, phoneSdp())
    bob.respond(await bob.next('INVITE'), '200 OK', SDP, phoneSdp())
    alice.follow('ACK', await alice.next('SIP/2.0 200'), 2)
    await bob.next('ACK')
    const stopped = gateway.stop()
    assert.equal(gateway.status().status, 'stopping')
    for (const agent of [alice, bob]) agent.respond(await agent.next('BYE'), '200 OK')
    await stopped
    assert.equal((await record())?.endedBy, 'operator')
  })

  test('the page’s sign-in knows the same passwords as SIP', async () => {
    const { gateway } = await startGateway()
    const alice = { user: 'alice', domain: 'EXAMPLE.test' }
    assert.equal(gateway.authenticateUser({ ...alice, password: 'wonderland' }), true)
    assert.equal(gateway.authenticateUser({ ...alice, password: 'Wonderland' }), false)
    assert.equal(gateway.authenticateUser({ ...alice, user: 'mallory', password: '' }), false)
    assert.equal(gateway.authenticateUser({ ...alice, domain: 'other.test', password: 'wonderland' }), false)
  })
})
