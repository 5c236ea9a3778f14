import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { type Millis, Secret, seededIds } from '../../src/base/index.ts'
import {
  type Core,
  type CoreInput,
  type CoreOptions,
  type CoreOutput,
  createCore,
  digestHash,
} from '../../src/gateway/index.ts'
import { createFakeEngine, type FakeEngine } from '../../src/media/engines/fake/index.ts'
import { type DnsAnswer, type DnsQuestion, type Flow, isReliable, type TransportName } from '../../src/sip/index.ts'
import type { Tenant } from '../../src/tenancy/index.ts'
import { CALL_CONFIG } from './call-rig.ts'
import { phoneSdp } from './sdp-texts.ts'

export const GATEWAY_HOST = '192.0.2.1'

/** One tenant with two users, a carrier and a PBX. */
export function exampleTenant(change: Partial<Tenant> = {}): Tenant {
  return {
    domain: 'example.test',
    aliases: [],
    users: [
      { name: 'alice', password: new Secret('wonderland') },
      { name: 'bob', password: new Secret('builder') },
    ],
    trunks: [
      {
        name: 'carrier',
        targets: ['sip:203.0.113.5:5060'],
        accept: ['203.0.113.5'],
        auth: { username: 'acct', password: new Secret('s3cret'), realm: 'carrier.test' },
        srtp: 'never',
      },
    ],
    routes: [{ prefix: '+', trunk: 'carrier', strip: 0, prepend: '' }],
    numbers: [{ number: '+15550100', to: { kind: 'user', name: 'alice' } }],
    limits: { concurrentCalls: 100, maxCallDurationMs: 3_600_000, ringTimeoutMs: 60_000 },
    ...change,
  }
}

/** A core in virtual time with a fake engine; peers write and read SIP as text. */
export class CoreRig {
  readonly core: Core
  readonly engine: FakeEngine
  readonly outputs: CoreOutput[] = []
  /** What the DNS says, by `TYPE name`; of everything else that there is nothing, for a minute. */
  readonly zone = new Map<string, DnsAnswer>()
  /** Questions to the DNS, as `TYPE name`. */
  readonly asked: string[] = []
  /** Questions are not answered: they wait for whoever hands the answers in. */
  dnsIsSilent = false
  now: Millis = 0
  readonly #peers: RigPeer[] = []
  readonly #media = new Set<Promise<void>>()

  constructor(options: Partial<CoreOptions> = {}) {
    const ids = seededIds(7)
    this.engine = createFakeEngine({ ids: seededIds(8) })
    const sentBy = { host: GATEWAY_HOST, port: 5060 }
    this.core = createCore({
      endpoint: { sentBy: { udp: sentBy, tcp: sentBy, ws: sentBy }, product: 'Trunkline/test' },
      call: CALL_CONFIG,
      tenants: [exampleTenant()],
      ownHosts: [GATEWAY_HOST],
      ids,
      hash: digestHash,
      ...options,
    })
  }

  /** A peer at that address; a WebSocket peer is found by its flow only. */
  peer(host: string, transport: TransportName = 'udp', port = 5060): RigPeer {
    const peer = new RigPeer(this, { host, transport, port, flowId: `${transport} ${host} ${port}` })
    this.#peers.push(peer)
    return peer
  }

  input(input: CoreInput): void {
    this.core.handle(input, this.now)
    for (let output = this.core.poll(); output !== undefined; output = this.core.poll()) this.#perform(output)
  }

  /** Lets the engine answer, and what follows from its answers. */
  async settle(): Promise<void> {
    while (this.#media.size > 0) await Promise.all(this.#media)
  }

  /** Jumps from deadline to deadline for so many ms. */
  async advance(ms: number): Promise<void> {
    const until = this.now + ms
    for (let next = this.core.deadline(); next !== undefined && next <= until; next = this.core.deadline()) {
      this.now = Math.max(this.now, next)
      this.input({ kind: 'wake' })
      await this.settle()
    }
    this.now = until
  }

  logged(): readonly (CoreOutput & { kind: 'log' })[] {
    return this.outputs.filter((output) => output.kind === 'log')
  }

  #perform(output: CoreOutput): void {
    this.outputs.push(output)
    if (output.kind === 'send') this.#deliver(output)
    else if (output.kind === 'dns-query') this.#answer(output.question)
    else if (output.kind === 'media-open') {
      this.#media_(async () => {
        const { call, op } = output
        return { kind: 'media-opened', call, op, opened: await this.engine.open(output.spec) }
      })
    } else if (output.kind === 'media-change') {
      this.#media_(async () => {
        const { call, op } = output
        return { kind: 'media-changed', call, op, result: await this.engine.change(output.session, output.change) }
      })
    } else if (output.kind === 'media-close') {
      this.#media_(async () => {
        return { kind: 'media-closed', call: output.call, summary: await this.engine.close(output.session) }
      })
    }
  }

  #media_(work: () => Promise<CoreInput>): void {
    const running = work().then((input) => {
      this.#media.delete(running)
      this.input(input)
    })
    this.#media.add(running)
  }

  #answer(question: DnsQuestion): void {
    const key = `${question.type} ${question.name}`
    this.asked.push(key)
    const answer = this.zone.get(key) ?? { kind: 'none', ttlSeconds: 60 }
    if (!this.dnsIsSilent) this.#media_(async () => ({ kind: 'dns-answer', question, answer }))
  }

  #deliver({ target, data, sendId }: CoreOutput & { readonly kind: 'send' }): void {
    const { transport, to } =
      target.kind === 'flow' ? { transport: target.flow.transport, to: target.flow.remote } : target
    const peer = this.#peers.find((each) =>
      target.kind === 'flow' && target.flow.transport !== 'udp'
        ? each.flow.id === target.flow.id
        : each.flow.remote.host === to.host &&
          each.flow.remote.port === to.port &&
          isReliable(each.flow.transport) === isReliable(transport),
    )
    if (target.kind === 'address' && target.transport === 'tcp' && peer?.flow.transport !== 'tcp') {
      this.#media_(async () => ({ kind: 'send-failed', sendId, cause: 'connection refused' }))
    } else peer?.inbox.push(data)
  }
}

/** Somebody who speaks SIP by hand. */
export class RigPeer {
  readonly inbox: string[] = []
  readonly flow: Flow
  readonly #rig: CoreRig
  #sequence = 0

  constructor(
    rig: CoreRig,
    { host, transport, port, flowId }: { host: string; transport: TransportName; port: number; flowId: string },
  ) {
    this.#rig = rig
    this.flow = {
      id: flowId,
      transport,
      local: { host: GATEWAY_HOST, port: 5060 },
      remote: { host, port },
    }
  }

  /** Bytes as they are. */
  raw(data: string): void {
    this.#rig.input({ kind: 'received', flow: this.flow, data })
  }

  async send(data: string): Promise<void> {
    this.raw(data)
    await this.#rig.settle()
  }

  /** Takes out the oldest message that begins so. */
  take(start: string): string {
    const at = this.inbox.findIndex((message) => message.startsWith(start))
    const [message] = at === -1 ? [] : this.inbox.splice(at, 1)
    assert.ok(message, `no ${start} among: ${this.inbox.map((each) => each.slice(0, 60).split('\r\n')[0]).join(' | ')}`)
    return message
  }

  /** A request text; `headers` come after the usual ones and replace those of the same name. */
  request(method: string, uri: string, headers: Readonly<Record<string, string>> = {}, body = ''): string {
    const { transport, remote } = this.flow
    const id = `${remote.host}-${remote.port}-${++this.#sequence}`
    const all: Record<string, string> = {
      Via: `SIP/2.0/${transport.toUpperCase()} ${remote.host}:${remote.port};branch=z9hG4bK${id}`,
      'Max-Forwards': '70',
      From: `<sip:alice@example.test>;tag=${id}`,
      To: `<${uri}>`,
      'Call-ID': id,
      CSeq: `${this.#sequence} ${method}`,
      Contact: `<sip:peer@${remote.host}:${remote.port}>`,
      ...headers,
      'Content-Length': String(body.length),
    }
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`)
    return [`${method} ${uri} SIP/2.0`, ...lines, '', body].join('\r\n')
  }

  /** Sends a request, answers the challenge it gets, and returns the final or provisional response that follows. */
  async authenticated(
    method: string,
    uri: string,
    who: { readonly user: string; readonly password: string },
    headers: Readonly<Record<string, string>> = {},
    body = '',
  ): Promise<void> {
    const identity = {
      From: `<sip:${who.user}@example.test>;tag=${who.user}${++this.#sequence}`,
      ...(method === 'REGISTER' ? { To: `<sip:${who.user}@example.test>` } : {}),
      'Call-ID': `${who.user}-${this.flow.remote.host}-${this.flow.remote.port}-${this.#sequence}`,
      ...headers,
    }
    await this.send(this.request(method, uri, identity, body))
    const challenge = this.take(method === 'INVITE' || method === 'MESSAGE' ? 'SIP/2.0 407' : 'SIP/2.0 401')
    if (method === 'INVITE') await this.send(this.ackFailure(challenge, uri))
    const answer = digestAnswer(challenge, { ...who, method, uri })
    await this.send(this.request(method, uri, { ...identity, ...answer }, body))
  }

  async register(user: string, password: string): Promise<void> {
    await this.authenticated('REGISTER', 'sip:example.test', { user, password }, { Expires: '600' })
    this.take('SIP/2.0 200')
  }

  /** Calls as a user, up to what follows the challenge. */
  async call(
    user: string,
    password: string,
    to: string,
    body = phoneSdp({ address: this.flow.remote.host }),
  ): Promise<void> {
    const headers = { 'Content-Type': 'application/sdp' }
    await this.authenticated('INVITE', `sip:${to}@example.test`, { user, password }, headers, body)
  }

  /** The response to a request text, with the same identity. */
  response(request: string, status: string, headers: Readonly<Record<string, string>> = {}, body = ''): string {
    const to = header(request, 'To')
    const tagged = status.startsWith('100') ? to : this.#tagged(to)
    const copied = request
      .split('\r\n\r\n', 1)
      .join('')
      .split('\r\n')
      .filter((line) => /^(Via|From|Call-ID|CSeq|Record-Route):/i.test(line))
    const more = Object.entries({
      Contact: `<sip:peer@${this.flow.remote.host}:${this.flow.remote.port}>`,
      ...headers,
      'Content-Length': String(body.length),
    }).map(([name, value]) => `${name}: ${value}`)
    return [`SIP/2.0 ${status}`, ...copied, `To: ${tagged}`, ...more, '', body].join('\r\n')
  }

  /** A request inside the dialog that `message` (a request or response we received) belongs to. */
  inDialog(method: string, message: string, headers: Readonly<Record<string, string>> = {}, body = ''): string {
    const isResponse = message.startsWith('SIP/2.0')
    const contact = /<([^>]+)>/.exec(header(message, 'Contact'))?.[1] ?? ''
    const [ours, theirs] = isResponse ? ['From', 'To'] : ['To', 'From']
    return this.request(
      method,
      contact,
      {
        From: this.#tagged(header(message, ours)),
        To: header(message, theirs),
        'Call-ID': header(message, 'Call-ID'),
        CSeq: `${method === 'ACK' ? (header(message, 'CSeq').split(' ')[0] ?? '') : 1000 + ++this.#sequence} ${method}`,
        ...headers,
      },
      body,
    )
  }

  #tagged(address: string): string {
    return address.includes(';tag=') ? address : `${address};tag=peer-${this.flow.remote.host}`
  }

  /** The ACK that belongs to the INVITE's own transaction (RFC 3261 §17.1.1.3). */
  ackFailure(response: string, uri: string): string {
    return this.request('ACK', uri, {
      Via: header(response, 'Via'),
      From: header(response, 'From'),
      To: header(response, 'To'),
      'Call-ID': header(response, 'Call-ID'),
      CSeq: header(response, 'CSeq').replace('INVITE', 'ACK'),
    })
  }
}

/** The first line of that name. */
export function header(message: string, name: string): string {
  return new RegExp(`^${name}:[ \\t]*(.*)$`, 'im').exec(message)?.[1]?.trim() ?? ''
}

/** Answers the first Digest challenge of a response: MD5, with qop if offered (RFC 2617). */
export function digestAnswer(
  response: string,
  who: { readonly user: string; readonly password: string; readonly method: string; readonly uri: string },
): Record<string, string> {
  const isProxy = response.startsWith('SIP/2.0 407')
  const challenge = header(response, isProxy ? 'Proxy-Authenticate' : 'WWW-Authenticate')
  const field = (name: string): string => new RegExp(`${name}="([^"]*)"`).exec(challenge)?.[1] ?? ''
  const [realm, nonce] = [field('realm'), field('nonce')]
  const md5 = (text: string): string => createHash('md5').update(text).digest('hex')
  const a1 = md5(`${who.user}:${realm}:${who.password}`)
  const a2 = md5(`${who.method}:${who.uri}`)
  const proof = md5(`${a1}:${nonce}:00000001:abcdef:auth:${a2}`)
  const value =
    `Digest username="${who.user}", realm="${realm}", nonce="${nonce}", uri="${who.uri}", response="${proof}", ` +
    `algorithm=MD5, cnonce="abcdef", qop=auth, nc=00000001`
  return { [isProxy ? 'Proxy-Authorization' : 'Authorization']: value }
}

/** Counts by name. */
export function counting(): NonNullable<CoreOptions['count']> & { readonly counts: Map<string, number> } {
  const counts = new Map<string, number>()
  const add = (name: string): void => void counts.set(name, (counts.get(name) ?? 0) + 1)
  return {
    counts,
    sipMessage: (direction) => add(`message ${direction}`),
    sipRetransmitted: () => add('retransmitted'),
    sipRejected: (code) => add(code),
    authFailed: () => add('auth failed'),
    callStarted: () => add('started'),
    callEnded: (record) => add(`ended ${record.status}`),
    fault: (code) => add(code),
    targetFailed: (cause) => add(`target failed: ${cause}`),
    mediaRecovered: () => add('recovered'),
    mediaClosedByEngine: () => add('closed by engine'),
  }
}
