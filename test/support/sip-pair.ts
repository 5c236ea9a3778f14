import assert from 'node:assert/strict'
import { type Millis, seededIds } from '../../src/base/index.ts'
import {
  createRequest,
  createSipEndpoint,
  type Flow,
  type HeaderField,
  replyTo,
  type SendTarget,
  type SipEndpoint,
  type SipInput,
  type SipMessage,
  type SipOutput,
  type SipRequest,
  writeMessage,
} from '../../src/sip/index.ts'
import { GOOD_NETWORK, Network } from './network.ts'
import { seededRandom } from './random.ts'

/** What an endpoint reports besides `send`, and when. */
export type Report = Exclude<SipOutput, { kind: 'send' }> & { readonly at: Millis }
export type Sent = Extract<SipOutput, { kind: 'send' }> & { readonly at: Millis }

/** One end of a `sipPair`: an endpoint with everything it said. */
export interface End {
  readonly host: string
  readonly endpoint: SipEndpoint
  readonly reports: Report[]
  readonly sent: Sent[]
  /** Toward the other end. */
  readonly target: SendTarget
  /** Called with each report at once, to play the transaction user. */
  user: (report: Report) => void
  tell(input: SipInput): void
}

export interface PairOptions {
  readonly transport?: Flow['transport']
  readonly seed?: number
  readonly maxTransactions?: number
}

/** Two endpoints, a network between them and one clock that jumps to the next deadline of any of them. */
export class SipPair {
  now: Millis = 0
  readonly network: Network
  readonly a: End
  readonly b: End
  readonly #transport: Flow['transport']

  constructor({ transport = 'udp', seed = 1, maxTransactions = 1_000 }: PairOptions = {}) {
    this.#transport = transport
    this.network = new Network(seededRandom(seed), GOOD_NETWORK)
    this.a = this.#end('192.0.2.1', '192.0.2.2', { seed, maxTransactions })
    this.b = this.#end('192.0.2.2', '192.0.2.1', { seed: seed + 1_000, maxTransactions })
  }

  flow(local: string, remote: string): Flow {
    const address = (host: string) => ({ host, port: 5060 })
    return {
      id: `${this.#transport}:${local}-${remote}`,
      transport: this.#transport,
      local: address(local),
      remote: address(remote),
    }
  }

  /** Lets time pass until `until`, delivering and waking as things come due. */
  run(until: Millis): void {
    for (;;) {
      const next = Math.min(
        this.network.deadline() ?? Number.POSITIVE_INFINITY,
        this.a.endpoint.deadline() ?? Number.POSITIVE_INFINITY,
        this.b.endpoint.deadline() ?? Number.POSITIVE_INFINITY,
      )
      if (next > until) break
      this.now = Math.max(this.now, next)
      for (const { from, to, data } of this.network.arrived(this.now)) {
        this.#endAt(to).tell({ kind: 'received', flow: this.flow(to, from), data })
      }
      for (const end of [this.a, this.b])
        if ((end.endpoint.deadline() ?? until + 1) <= this.now) end.tell({ kind: 'wake' })
    }
    this.now = Math.max(this.now, until)
  }

  /** Messages that went out of an end, as "INVITE" or "200", each followed by "*" if it was a repetition. */
  static trace({ sent }: End): string[] {
    return sent.map(({ message, repeated }) => {
      const name = message.kind === 'request' ? message.method : String(message.status)
      return repeated ? `${name}*` : name
    })
  }

  #endAt(host: string): End {
    return host === this.a.host ? this.a : this.b
  }

  #end(host: string, peer: string, { seed, maxTransactions }: { seed: number; maxTransactions: number }): End {
    const sentBy = { [this.#transport]: { host, port: 5060 } }
    const endpoint = createSipEndpoint({ sentBy, product: 'pair', maxTransactions }, { ids: seededIds(seed) })
    const end: End = {
      host,
      endpoint,
      reports: [],
      sent: [],
      target: { kind: 'flow', flow: this.flow(host, peer) },
      user: () => undefined,
      tell: (input) => {
        endpoint.handle(input, this.now)
        this.#drain(end, peer)
      },
    }
    return end
  }

  #drain(end: End, peer: string): void {
    for (let output = end.endpoint.poll(); output !== undefined; output = end.endpoint.poll()) {
      if (output.kind === 'send') {
        end.sent.push({ ...output, at: this.now })
        const reliable = this.#transport !== 'udp'
        this.network.send({ from: end.host, to: peer, reliable, data: output.data }, this.now)
      } else {
        const report = { ...output, at: this.now }
        end.reports.push(report)
        end.user(report)
      }
    }
  }
}

/** A request of a user, outside any dialog unless `toTag` is given. */
export function requestOf(
  method: string,
  more: { toTag?: string; sequence?: number; callId?: string; headers?: readonly HeaderField[] } = {},
): SipRequest {
  const { toTag, sequence = 1, callId = 'call-1', headers = [] } = more
  return createRequest({
    method,
    uri: 'sip:bob@192.0.2.2',
    headers: [
      { name: 'From', value: '<sip:alice@example.test>;tag=alice' },
      { name: 'To', value: `<sip:bob@example.test>${toTag === undefined ? '' : `;tag=${toTag}`}` },
      { name: 'Call-ID', value: callId },
      { name: 'CSeq', value: `${sequence} ${method}` },
      { name: 'Contact', value: '<sip:alice@192.0.2.1>' },
      ...headers,
    ],
  })
}

/** b answers each request with these statuses, one after the other, at once. */
export function answering(b: End, ...statuses: readonly number[]): void {
  b.user = (report) => {
    if (report.kind !== 'request') return
    for (const status of statuses) respond(b, report, status)
  }
}

export function respond(b: End, { key, request }: Extract<Report, { kind: 'request' }>, status: number): void {
  const headers = [{ name: 'Contact', value: '<sip:bob@192.0.2.2>' }]
  b.tell({ kind: 'respond', key, response: replyTo(request, status, { toTag: 'bob', headers }) })
}

/** a acknowledges every 2xx to its INVITE. */
export function acknowledging(a: End): void {
  a.user = (report) => {
    if (report.kind !== 'response' || report.response.status >= 300 || report.response.status < 200) return
    const toTag = report.response.headers.toTag ?? ''
    a.tell({ kind: 'ack', key: report.key, ack: requestOf('ACK', { toTag }), target: a.target })
  }
}

export function kinds({ reports }: End): string[] {
  return reports.map((report) => {
    if (report.kind === 'response') return String(report.response.status)
    if (report.kind === 'request') return report.request.method
    return report.kind
  })
}

export function firstRequest({ reports }: End): Extract<Report, { kind: 'request' }> {
  const found = reports.find((report) => report.kind === 'request')
  assert.ok(found?.kind === 'request', 'no request was reported')
  return found
}

export function withVia(request: SipRequest, params: string, sentBy = '192.0.2.1:5060'): SipRequest {
  return createRequest({
    ...request,
    headers: [{ name: 'Via', value: `SIP/2.0/UDP ${sentBy};${params}` }, ...request.headers.fields()],
    body: undefined,
  })
}

/** b receives a message that no endpoint made. */
export function receive(pair: SipPair, message: SipMessage | string): void {
  const data = typeof message === 'string' ? message : writeMessage(message)
  pair.b.tell({ kind: 'received', flow: pair.flow(pair.b.host, pair.a.host), data })
}
