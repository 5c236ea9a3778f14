import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type Millis, seededIds } from '../../src/base/index.ts'
import {
  createRequest,
  createSipEndpoint,
  type Flow,
  type HeaderField,
  replyTo,
  type SendTarget,
  type SipEndpoint,
  type SipOutput,
} from '../../src/sip/index.ts'
import { rounded } from '../report/index.ts'
import { sdp } from './sip-text.ts'

export interface TransactionSpeed {
  /** INVITE, 180, 200, ACK, BYE, 200 through a client's and a server's endpoint, both counted. */
  readonly callsPerSecond: number
  readonly cpuUsPerCall: number
  /** Heap that one call leaves behind in both endpoints for the 32 s in which its messages might be repeated. */
  readonly lingeringBytesPerCall: number
}

const CALLS_PER_ROUND = 4_000
const ROUNDS = 5
/** Between calls, of the virtual clock: 500 calls per second. */
const STEP_MS = 2

/** Two endpoints that hand each other their bytes, without sockets and without a call machine between them. */
export function measureTransactions(): TransactionSpeed {
  const pair = new Pair()
  let fastest = Number.POSITIVE_INFINITY
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage()
    for (let i = 0; i < CALLS_PER_ROUND; i++) pair.call()
    const { user, system } = process.cpuUsage(before)
    fastest = Math.min(fastest, (user + system) / CALLS_PER_ROUND)
  }
  const lingeringBytesPerCall = rounded(lingering(), 0)
  return { callsPerSecond: rounded(1_000_000 / fastest, 0), cpuUsPerCall: rounded(fastest, 1), lingeringBytesPerCall }
}

function lingering(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const pair = new Pair()
  for (let i = 0; i < 1_000; i++) pair.call()
  collect()
  const before = process.memoryUsage().heapUsed
  for (let i = 0; i < 10_000; i++) pair.call()
  collect()
  const bytes = (process.memoryUsage().heapUsed - before) / 10_000
  if (pair.lingering === 0) throw new Error('nothing lingers')
  return Math.max(0, bytes)
}

const A = { host: '192.0.2.1', port: 5060 }
const B = { host: '192.0.2.2', port: 5060 }
const CONTACT = { name: 'Contact', value: '<sip:caller@192.0.2.1:5060>' }
const BODY = { type: 'application/sdp', content: sdp('192.0.2.1', 49_170) }

class Pair {
  readonly #a = endpoint(A, 1)
  readonly #b = endpoint(B, 2)
  readonly #toB: Flow = { id: 'a', transport: 'udp', local: A, remote: B }
  readonly #toA: Flow = { id: 'b', transport: 'udp', local: B, remote: A }
  readonly #target: SendTarget = { kind: 'flow', flow: this.#toB }
  #calls = 0
  #now: Millis = 0

  get lingering(): number {
    return this.#a.counters().clientTransactions + this.#b.counters().serverTransactions
  }

  call(): void {
    this.#calls++
    this.#now += STEP_MS
    this.#request('INVITE', 1, `i${this.#calls}`)
    this.#carry()
    this.#request('BYE', 2, `b${this.#calls}`)
    this.#carry()
    for (const end of [this.#a, this.#b]) {
      if ((end.deadline() ?? this.#now + 1) <= this.#now) end.handle({ kind: 'wake' }, this.#now)
    }
    this.#carry()
  }

  #fields(method: string, sequence: number): HeaderField[] {
    const toTag = method === 'INVITE' ? '' : ';tag=callee'
    return [
      { name: 'From', value: `"Caller" <sip:caller@example.test>;tag=caller${this.#calls}` },
      { name: 'To', value: `<sip:+15550199@example.test>${toTag}` },
      { name: 'Call-ID', value: `call-${this.#calls}@192.0.2.1` },
      { name: 'CSeq', value: `${sequence} ${method}` },
      CONTACT,
    ]
  }

  #request(method: string, sequence: number, key: string): void {
    const body = method === 'INVITE' ? BODY : undefined
    const request = createRequest({
      method,
      uri: 'sip:+15550199@192.0.2.2',
      headers: this.#fields(method, sequence),
      body,
    })
    this.#a.handle({ kind: 'request', key, request, target: this.#target }, this.#now)
  }

  /** Carries bytes to and fro until both are silent. */
  #carry(): void {
    for (;;) {
      const fromA = this.#a.poll()
      if (fromA !== undefined) this.#onCaller(fromA)
      const fromB = this.#b.poll()
      if (fromB !== undefined) this.#onCallee(fromB)
      if (fromA === undefined && fromB === undefined) return
    }
  }

  #onCaller(output: SipOutput): void {
    if (output.kind === 'send')
      return this.#b.handle({ kind: 'received', flow: this.#toA, data: wire(output.data) }, this.#now)
    if (output.kind === 'failed' || output.kind === 'rejected') throw new Error(output.detail)
    if (output.kind !== 'response' || output.response.status !== 200) return
    if (output.response.headers.cseq.method !== 'INVITE') return
    const ack = createRequest({ method: 'ACK', uri: 'sip:+15550199@192.0.2.2', headers: this.#fields('ACK', 1) })
    this.#a.handle({ kind: 'ack', key: output.key, ack, target: this.#target }, this.#now)
  }

  #onCallee(output: SipOutput): void {
    if (output.kind === 'send')
      return this.#a.handle({ kind: 'received', flow: this.#toB, data: wire(output.data) }, this.#now)
    if (output.kind !== 'request') return
    const { key, request } = output
    const parts = { toTag: 'callee', headers: [CONTACT] }
    if (request.method === 'INVITE') {
      this.#b.handle({ kind: 'respond', key, response: replyTo(request, 180, parts) }, this.#now)
      this.#b.handle({ kind: 'respond', key, response: replyTo(request, 200, { ...parts, body: BODY }) }, this.#now)
    } else this.#b.handle({ kind: 'respond', key, response: replyTo(request, 200) }, this.#now)
  }
}

/** What a socket does to a text: bytes out, bytes in. */
function wire(data: string): string {
  return Buffer.from(data, 'latin1').toString('latin1')
}

function endpoint(at: typeof A, seed: number): SipEndpoint {
  return createSipEndpoint({ sentBy: { udp: at }, product: 'bench' }, { ids: seededIds(seed) })
}
