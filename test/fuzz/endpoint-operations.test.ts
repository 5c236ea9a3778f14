import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { seededIds } from '../../src/base/index.ts'
import {
  createRequest,
  createSipEndpoint,
  type Flow,
  replyTo,
  type ServerKey,
  type SipEndpoint,
  type SipRequest,
  writeMessage,
} from '../../src/sip/index.ts'

/** More, and others, with `TRUNKLINE_FUZZ_RUNS` and `TRUNKLINE_FUZZ_SEED`. */
const RUNS = Number(process.env.TRUNKLINE_FUZZ_RUNS ?? 1_500)
const SEED = Number(process.env.TRUNKLINE_FUZZ_SEED ?? 1)

const MAX_TRANSACTIONS = 12
const LOCAL = { host: '192.0.2.1', port: 5060 }
const FLOWS: readonly Flow[] = [
  { id: 'udp', transport: 'udp', local: LOCAL, remote: { host: '192.0.2.9', port: 5060 } },
  { id: 'udp2', transport: 'udp', local: LOCAL, remote: { host: '192.0.2.10', port: 5060 } },
  { id: 'ws', transport: 'ws', local: LOCAL, remote: { host: '192.0.2.9', port: 40_000 } },
]
const METHODS = ['INVITE', 'ACK', 'BYE', 'CANCEL', 'OPTIONS', 'INFO']
const STATUSES = [100, 180, 183, 200, 202, 302, 401, 404, 408, 486, 487, 503, 603]

/** One thing that a peer, the user or the network does. Numbers choose among what there is. */
interface Operation {
  readonly kind: 'receive' | 'answer' | 'ask' | 'respond' | 'cancel' | 'ack' | 'fail' | 'close' | 'wait'
  readonly which: number
  readonly choice: number
  readonly tag: number
}

const operation: fc.Arbitrary<Operation> = fc.record({
  kind: fc.constantFrom(
    ...(['receive', 'receive', 'receive', 'answer', 'answer', 'ask', 'respond', 'respond'] as const),
    ...(['cancel', 'ack', 'fail', 'close', 'wait', 'wait'] as const),
  ),
  which: fc.nat(8),
  choice: fc.nat(40),
  tag: fc.nat(2),
})

/** An endpoint with a user who answers when the script says so, and peers who say anything that can be parsed. */
class Subject {
  now = 0
  readonly endpoint: SipEndpoint = createSipEndpoint(
    { sentBy: { udp: LOCAL, ws: LOCAL }, product: 'test', maxTransactions: MAX_TRANSACTIONS },
    { ids: seededIds(1) },
  )
  readonly unanswered = new Map<ServerKey, SipRequest>()
  readonly outcomes = new Map<string, 'waiting' | 'final'>()
  #sent: { readonly id: number; readonly request: SipRequest | undefined }[] = []
  #asked = 0

  perform(one: Operation): void {
    const { which, choice, tag } = one
    switch (one.kind) {
      case 'receive':
        return this.#receive(which, choice, tag)
      case 'answer':
        return this.#answer(which, choice, tag)
      case 'ask':
        return this.#ask(which, choice)
      case 'respond':
        return this.#respond(which, STATUSES[choice % STATUSES.length] ?? 200)
      case 'cancel':
        return this.#tell({ kind: 'cancel', key: `c${which % 4}` })
      case 'ack':
        return this.#acknowledge(which, tag)
      case 'fail':
        return this.#tell({ kind: 'send-failed', sendId: this.#sent[which]?.id ?? 0, cause: 'a test' })
      case 'close':
        return this.#tell({ kind: 'flow-closed', flowId: flowOf(which).id })
      case 'wait':
        return this.pass([1, 200, 500, 4_000, 32_000][choice % 5] ?? 1)
    }
  }

  /** Lets the time go by, from deadline to deadline. */
  pass(ms: number): void {
    const until = this.now + ms
    let wakes = 0
    for (let at = this.endpoint.deadline(); at !== undefined && at <= until; at = this.endpoint.deadline()) {
      assert.ok(++wakes < 2_000, 'it is woken again and again')
      this.now = Math.max(this.now, at)
      this.#tell({ kind: 'wake' })
    }
    this.now = until
  }

  /** The user answers what it owes and gives up what it waits for: an INVITE that rings has no timer (§17.1.1.2). */
  finish(): void {
    for (const key of [...this.unanswered.keys()]) this.#respondTo(key, 500)
    for (const key of this.outcomes.keys()) this.#tell({ kind: 'cancel', key })
  }

  /** A request on one of few branches, so that repetitions, ACKs and CANCELs often meet their INVITE. */
  #receive(which: number, choice: number, tag: number): void {
    const method = METHODS[choice % METHODS.length] ?? 'INVITE'
    const flow = flowOf(which)
    const request = createRequest({
      method,
      uri: 'sip:us@192.0.2.1',
      headers: [
        {
          name: 'Via',
          value: `SIP/2.0/${flow.transport.toUpperCase()} ${flow.remote.host};branch=z9hG4bK${which % 4}`,
        },
        { name: 'From', value: `<sip:a@b>;tag=from${which % 2}` },
        { name: 'To', value: tag === 0 ? '<sip:us@c>' : `<sip:us@c>;tag=ours${tag}` },
        { name: 'Call-ID', value: `call${which % 3}` },
        { name: 'CSeq', value: `${1 + (choice % 2)} ${method}` },
        { name: 'Contact', value: '<sip:a@192.0.2.9>' },
      ],
    })
    this.#tell({ kind: 'received', flow, data: writeMessage(request) })
  }

  /** A response to something that was sent, from one of three who may answer it. */
  #answer(which: number, choice: number, tag: number): void {
    const requests = this.#sent.flatMap(({ request }) => (request === undefined ? [] : [request]))
    const request = requests.at(-1 - (which % Math.max(1, requests.length)))
    if (request === undefined) return
    const response = replyTo(request, STATUSES[choice % STATUSES.length] ?? 200, {
      toTag: `theirs${tag}`,
      headers: [{ name: 'Contact', value: '<sip:them@192.0.2.9>' }],
    })
    this.#tell({ kind: 'received', flow: flowOf(choice), data: writeMessage(response) })
  }

  #ask(which: number, choice: number): void {
    const key = `c${this.#asked++}`
    const method = ['INVITE', 'INVITE', 'BYE', 'OPTIONS'][choice % 4] ?? 'INVITE'
    const request = createRequest({
      method,
      uri: 'sip:them@192.0.2.9',
      headers: [
        { name: 'From', value: '<sip:us@c>;tag=ours' },
        { name: 'To', value: '<sip:them@b>' },
        { name: 'Call-ID', value: `asked${which % 3}` },
        { name: 'CSeq', value: `${1 + choice} ${method}` },
      ],
    })
    this.outcomes.set(key, 'waiting')
    this.#tell({ kind: 'request', key, request, target: { kind: 'flow', flow: flowOf(which) } })
  }

  #respond(which: number, status: number): void {
    const keys = [...this.unanswered.keys()]
    const key = keys[which % Math.max(1, keys.length)]
    if (key !== undefined) this.#respondTo(key, status)
  }

  #respondTo(key: ServerKey, status: number): void {
    const request = this.unanswered.get(key)
    if (request === undefined) return
    if (status >= 200) this.unanswered.delete(key)
    this.#tell({ kind: 'respond', key, response: replyTo(request, status, { toTag: 'ours1' }) })
  }

  #acknowledge(which: number, tag: number): void {
    const ack = createRequest({
      method: 'ACK',
      uri: 'sip:them@192.0.2.9',
      headers: [
        { name: 'From', value: '<sip:us@c>;tag=ours' },
        { name: 'To', value: `<sip:them@b>;tag=theirs${tag}` },
        { name: 'Call-ID', value: `asked${which % 3}` },
        { name: 'CSeq', value: `${1 + which} ACK` },
      ],
    })
    this.#tell({ kind: 'ack', key: `c${which % 4}`, ack, target: { kind: 'flow', flow: flowOf(which) } })
  }

  #tell(input: Parameters<SipEndpoint['handle']>[0]): void {
    this.endpoint.handle(input, this.now)
    for (let output = this.endpoint.poll(); output !== undefined; output = this.endpoint.poll()) {
      if (output.kind === 'request') this.unanswered.set(output.key, output.request)
      if (output.kind === 'rejected') assert.notEqual(output.code, 'INTERNAL', output.detail)
      if (output.kind === 'response' && output.response.status >= 200) this.outcomes.set(output.key, 'final')
      if (output.kind === 'failed') this.outcomes.set(output.key, 'final')
      if (output.kind !== 'send') continue
      const request = output.message.kind === 'request' && output.message.method !== 'ACK' ? output.message : undefined
      this.#sent = [...this.#sent.slice(-8), { id: output.sendId, request }]
    }
    const { serverTransactions } = this.endpoint.counters()
    assert.ok(serverTransactions <= MAX_TRANSACTIONS * 1.2 + 1, `${serverTransactions} server transactions`)
  }
}

function flowOf(n: number): Flow {
  return FLOWS[n % FLOWS.length] ?? assert.fail()
}

test('law: whatever peers, user and network do, transactions are bounded, answered and forgotten', () => {
  fc.assert(
    fc.property(fc.array(operation, { minLength: 1, maxLength: 60 }), (operations) => {
      const subject = new Subject()
      for (const one of operations) subject.perform(one)
      subject.finish()
      subject.pass(200_000)
      const { clientTransactions, serverTransactions } = subject.endpoint.counters()
      assert.deepEqual({ clientTransactions, serverTransactions }, { clientTransactions: 0, serverTransactions: 0 })
      assert.equal(subject.endpoint.deadline(), undefined)
      assert.deepEqual(
        [...subject.outcomes].filter(([, outcome]) => outcome === 'waiting'),
        [],
        'a request of ours never ended',
      )
    }),
    { numRuns: RUNS, seed: SEED },
  )
})
