import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { answering, kinds, receive, requestOf, SipPair, withVia } from '../../test/support/sip-pair.ts'
import { replyTo, withHeaders } from './message/create.ts'
import type { SipRequest, SipResponse } from './message/model.ts'
import { writeMessage } from './message/write.ts'

const ALL = 40_000

describe('requests that the endpoint answers itself', () => {
  test('§8.2.2.2: the same request along another way gets 482', () => {
    const pair = new SipPair()
    receive(pair, withVia(requestOf('INVITE'), 'branch=z9hG4bKone'))
    receive(pair, withVia(requestOf('INVITE'), 'branch=z9hG4bKtwo'))
    assert.deepEqual(SipPair.trace(pair.b), ['482'])
    assert.deepEqual(kinds(pair.b), ['INVITE'])
  })

  test('a full endpoint refuses new requests with 503 and Retry-After, and still takes those inside dialogs', () => {
    const pair = new SipPair({ maxTransactions: 10 })
    for (let i = 0; i < 12; i++) receive(pair, withVia(requestOf('OPTIONS', { callId: `c${i}` }), `branch=z9hG4bK${i}`))
    assert.deepEqual(SipPair.trace(pair.b), ['503', '503'])
    assert.match(pair.b.sent[0]?.data ?? '', /\r\nRetry-After: \d+\r\n/)
    receive(pair, withVia(requestOf('BYE', { toTag: 'bob' }), 'branch=z9hG4bKbye'))
    assert.equal(kinds(pair.b).at(-1), 'BYE')
    assert.deepEqual(pair.b.endpoint.counters().rejected, { SIP_TRANSACTIONS_EXHAUSTED: 2 })
    pair.run(ALL)
    receive(pair, withVia(requestOf('OPTIONS', { callId: 'later' }), 'branch=z9hG4bKlater'))
    assert.equal(kinds(pair.b).at(-1), 'OPTIONS')
  })

  test('the ACK of a refusal without transaction is known by its tag', () => {
    const pair = new SipPair({ maxTransactions: 0 })
    receive(pair, withVia(requestOf('INVITE'), 'branch=z9hG4bKone'))
    const toTag = pair.b.sent[0]?.message.headers.toTag ?? ''
    const before = pair.b.reports.length
    receive(pair, withVia(requestOf('ACK', { toTag }), 'branch=z9hG4bKone'))
    assert.equal(pair.b.reports.length, before)
  })

  test('a broken request is told what is wrong with it', () => {
    const pair = new SipPair()
    receive(pair, writeMessage(withVia(requestOf('INFO'), 'branch=z9hG4bK1')).replace('CSeq: 1 INFO', 'CSeq: 1 BYE'))
    assert.deepEqual(SipPair.trace(pair.b), ['400'])
    assert.match(pair.b.sent[0]?.data ?? '', /\r\nWarning: 399 trunkline "CSeq is of/)
    assert.deepEqual(kinds(pair.b), ['rejected'])
  })

  test('§18.3: where a stream broke off nothing is carried out, whatever the bytes say', () => {
    for (const [code, status] of [
      ['SIP_MALFORMED_MESSAGE', '400'],
      ['SIP_MESSAGE_TOO_LARGE', '513'],
    ] as const) {
      const pair = new SipPair()
      const data = writeMessage(withVia(requestOf('OPTIONS'), 'branch=z9hG4bK1'))
      const flow = pair.flow(pair.b.host, pair.a.host)
      pair.b.tell({ kind: 'received', flow, data, broken: { code, detail: 'no Content-Length' } })
      assert.deepEqual(SipPair.trace(pair.b), [status])
      assert.deepEqual(kinds(pair.b), ['rejected'])
    }
  })

  test('a Contact that cannot be read is refused before the user meets it', () => {
    const pair = new SipPair()
    receive(pair, withVia(withHeaders(requestOf('INVITE'), [{ name: 'Contact', value: '"x' }]), 'branch=z9hG4bK1'))
    assert.deepEqual(SipPair.trace(pair.b), ['400'])
    assert.deepEqual(kinds(pair.b), ['rejected'])
  })

  test('what nobody asked for is dropped and counted: responses, ACKs without tag, broken ACKs, responses for others', () => {
    const pair = new SipPair()
    const options = withVia(requestOf('OPTIONS'), 'branch=z9hG4bK1')
    receive(pair, replyTo(options, 200, { toTag: 'x' }))
    receive(pair, withVia(requestOf('ACK'), 'branch=z9hG4bK2'))
    receive(pair, writeMessage(withVia(requestOf('ACK'), 'branch=z9hG4bK3')).replace('CSeq: 1 ACK', 'CSeq: x'))
    assert.deepEqual(pair.b.sent, [])
    assert.deepEqual(pair.b.endpoint.counters().rejected, {
      SIP_STRAY_RESPONSE: 1,
      SIP_STRAY_ACK: 1,
      SIP_MALFORMED_MESSAGE: 1,
    })
  })

  test('§8.1.3.3: a response with a second Via is not for us, even if its branch is', () => {
    const pair = new SipPair()
    pair.a.tell({ kind: 'request', key: 'k', request: requestOf('OPTIONS'), target: pair.a.target })
    const sent = pair.a.sent[0]?.message as SipRequest
    const vias = [sent.headers.get('Via') ?? '', 'SIP/2.0/UDP other;branch=z9hG4bKx']
    const response: SipResponse = withHeaders(
      replyTo(sent, 200, { toTag: 'x' }),
      vias.map((value) => ({ name: 'Via', value })),
    )
    pair.a.tell({ kind: 'received', flow: pair.flow(pair.a.host, pair.b.host), data: writeMessage(response) })
    assert.deepEqual(pair.a.endpoint.counters().rejected, { SIP_STRAY_RESPONSE: 1 })
  })

  test('an ACK with a tag that no INVITE here knows goes to the user, who may know the dialog', () => {
    const pair = new SipPair()
    receive(pair, withVia(requestOf('ACK', { toTag: 'old' }), 'branch=z9hG4bK1'))
    assert.deepEqual(kinds(pair.b), ['ack'])
    assert.ok(!('key' in (pair.b.reports[0] ?? {})))
  })
})

describe('§26.3.2.4: answers after which nothing is kept', () => {
  for (const method of ['REGISTER', 'INVITE'] as const) {
    test(`a ${method} that is answered so is new to the user when it comes again, and its ACK is nobody's`, () => {
      const pair = new SipPair()
      const request = withVia(requestOf(method), 'branch=z9hG4bKstranger')
      pair.b.user = (report) => {
        if (report.kind !== 'request') return
        pair.b.tell({ kind: 'respond', key: report.key, response: replyTo(report.request, 401), forget: true })
      }
      receive(pair, request)
      receive(pair, request)
      assert.deepEqual(kinds(pair.b), [method, method])
      assert.deepEqual(SipPair.trace(pair.b), ['401', '401'])
      assert.equal(pair.b.endpoint.counters().serverTransactions, 0)
      const toTag = pair.b.sent[0]?.message.headers.toTag ?? ''
      receive(pair, withVia(requestOf('ACK', { toTag }), 'branch=z9hG4bKstranger'))
      pair.run(ALL)
      assert.deepEqual(kinds(pair.b), [method, method])
      assert.deepEqual(SipPair.trace(pair.b), ['401', '401'])
    })
  }
})

describe('keep-alives and other traffic on the port', () => {
  test('RFC 5626 §3.5.1: a double CRLF on a WebSocket gets a CRLF; on UDP nothing', () => {
    const stream = new SipPair({ transport: 'ws' })
    receive(stream, '\r\n\r\n')
    assert.deepEqual(
      stream.b.reports.map((report) => report.kind === 'pong' && report.data),
      ['\r\n'],
    )
    const udp = new SipPair()
    receive(udp, '\r\n\r\n')
    receive(udp, '\r\n')
    assert.deepEqual([udp.b.reports, udp.b.sent], [[], []])
  })

  test('RFC 5626 §4.4.2: a STUN Binding request on UDP is told where it came from; on a stream it is nothing', () => {
    const ask = `\x00\x01\x00\x00\x21\x12\xa4\x42${'t'.repeat(12)}`
    const pair = new SipPair()
    receive(pair, ask)
    const [pong] = pair.b.reports
    assert.ok(pong?.kind === 'pong' && pong.data.startsWith('\x01\x01\x00\x0c'))
    const stream = new SipPair({ transport: 'tcp' })
    receive(stream, ask)
    assert.deepEqual([stream.b.reports, stream.b.endpoint.counters().stunIgnored], [[], 1])
  })

  test('other STUN, zero bytes and empty datagrams are counted and ignored', () => {
    const pair = new SipPair()
    receive(pair, `\x01\x01\x00\x00\x21\x12\xa4\x42${'t'.repeat(12)}`)
    receive(pair, '\0\0\0\0')
    receive(pair, '')
    assert.deepEqual([pair.b.reports, pair.b.sent], [[], []])
    assert.equal(pair.b.endpoint.counters().stunIgnored, 3)
  })
})

describe('transport failures', () => {
  test('a sending that failed ends its transaction at once', () => {
    const pair = new SipPair()
    pair.a.tell({ kind: 'request', key: 'k', request: requestOf('OPTIONS'), target: pair.a.target })
    pair.a.tell({ kind: 'send-failed', sendId: pair.a.sent[0]?.sendId ?? 0, cause: 'ECONNREFUSED' })
    const [{ branch: _, ...report } = { branch: '' }] = pair.a.reports as readonly { readonly branch: string }[]
    assert.deepEqual(report, { kind: 'failed', key: 'k', cause: 'transport', detail: 'ECONNREFUSED', at: 0 })
    pair.run(ALL)
    assert.equal(SipPair.trace(pair.a).length, 1)
  })

  test('a closed connection ends what waits on it, and nothing else', () => {
    const pair = new SipPair({ transport: 'ws' })
    pair.a.tell({ kind: 'request', key: 'k1', request: requestOf('INVITE'), target: pair.a.target })
    pair.a.tell({ kind: 'request', key: 'k2', request: requestOf('OPTIONS'), target: pair.a.target })
    pair.a.tell({ kind: 'flow-closed', flowId: 'another' })
    assert.deepEqual(pair.a.reports, [])
    pair.a.tell({ kind: 'flow-closed', flowId: pair.flow(pair.a.host, pair.b.host).id })
    assert.deepEqual(kinds(pair.a), ['failed', 'failed'])
    assert.equal(pair.a.endpoint.counters().clientTransactions, 0)
  })

  test('a connection that was only an address is known from its first answer', () => {
    const pair = new SipPair({ transport: 'tcp' })
    answering(pair.b, 180)
    const target = { kind: 'address', transport: 'tcp', to: { host: pair.b.host, port: 5060 } } as const
    pair.a.tell({ kind: 'request', key: 'k', request: requestOf('INVITE'), target })
    pair.run(100)
    pair.a.tell({ kind: 'flow-closed', flowId: pair.flow(pair.a.host, pair.b.host).id })
    assert.deepEqual(kinds(pair.a), ['180', 'failed'])
  })
})

describe('§17.2.3: which transaction a request belongs to', () => {
  const twice: readonly (readonly [what: string, first: SipRequest, second: SipRequest, same: boolean])[] = [
    [
      'same branch, same sent-by',
      withVia(requestOf('BYE'), 'branch=z9hG4bK1'),
      withVia(requestOf('BYE'), 'branch=z9hG4bK1'),
      true,
    ],
    [
      'same branch, another sent-by',
      withVia(requestOf('BYE', { toTag: 't' }), 'branch=z9hG4bK1'),
      withVia(requestOf('BYE', { toTag: 't' }), 'branch=z9hG4bK1', '192.0.2.1:5070'),
      false,
    ],
    ['no branch, RFC 2543', withVia(requestOf('BYE'), 'x'), withVia(requestOf('BYE'), 'x'), true],
    ['no branch, another CSeq', withVia(requestOf('BYE'), 'x'), withVia(requestOf('BYE', { sequence: 2 }), 'x'), false],
    [
      'a branch that is the cookie alone',
      withVia(requestOf('BYE'), 'branch=z9hG4bK'),
      withVia(requestOf('BYE', { sequence: 2 }), 'branch=z9hG4bK'),
      false,
    ],
  ]
  for (const [what, first, second, same] of twice) {
    test(what, () => {
      const pair = new SipPair()
      receive(pair, first)
      receive(pair, second)
      assert.equal(pair.b.reports.length, same ? 1 : 2)
    })
  }
})
