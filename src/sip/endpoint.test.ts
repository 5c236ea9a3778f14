import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { BAD_NETWORK } from '../../test/support/network.ts'
import { type End, type Report, requestOf, SipPair } from '../../test/support/sip-pair.ts'
import { createRequest, replyTo, withHeaders } from './message/create.ts'
import type { SipMessage, SipRequest, SipResponse } from './message/model.ts'
import { writeMessage } from './message/write.ts'

const ALL = 40_000

/** b answers each request with these statuses, one after the other, at once. */
function answering(b: End, ...statuses: readonly number[]): void {
  b.user = (report) => {
    if (report.kind !== 'request') return
    for (const status of statuses) respond(b, report, status)
  }
}

function respond(b: End, { key, request }: Extract<Report, { kind: 'request' }>, status: number): void {
  const headers = [{ name: 'Contact', value: '<sip:bob@192.0.2.2>' }]
  b.tell({ kind: 'respond', key, response: replyTo(request, status, { toTag: 'bob', headers }) })
}

/** a acknowledges every 2xx to its INVITE. */
function acknowledging(a: End): void {
  a.user = (report) => {
    if (report.kind !== 'response' || report.response.status >= 300 || report.response.status < 200) return
    const toTag = report.response.headers.toTag ?? ''
    a.tell({ kind: 'ack', key: report.key, ack: requestOf('ACK', { toTag }), target: a.target })
  }
}

function kinds({ reports }: End): string[] {
  return reports.map((report) => {
    if (report.kind === 'response') return String(report.response.status)
    if (report.kind === 'request') return report.request.method
    return report.kind
  })
}

function firstRequest({ reports }: End): Extract<Report, { kind: 'request' }> {
  const found = reports.find((report) => report.kind === 'request')
  assert.ok(found?.kind === 'request', 'no request was reported')
  return found
}

describe('requests without INVITE', () => {
  test('RFC 3261 §17.1.2: one request, one answer, and both sides forget', () => {
    const pair = new SipPair()
    answering(pair.b, 200)
    pair.a.tell({ kind: 'request', key: 'k', request: requestOf('OPTIONS'), target: pair.a.target })
    pair.run(100)
    assert.deepEqual(kinds(pair.a), ['200'])
    assert.equal(pair.b.endpoint.counters().serverTransactions, 1)
    pair.run(ALL)
    assert.deepEqual(SipPair.trace(pair.a), ['OPTIONS'])
    assert.equal(pair.a.endpoint.counters().clientTransactions, 0)
    assert.equal(pair.b.endpoint.counters().serverTransactions, 0)
    assert.equal(pair.a.endpoint.deadline(), undefined)
  })

  test('the endpoint adds Via, Max-Forwards, User-Agent and Content-Length, and Server to the answer', () => {
    const pair = new SipPair()
    answering(pair.b, 200)
    pair.a.tell({ kind: 'request', key: 'k', request: requestOf('OPTIONS'), target: pair.a.target })
    pair.run(100)
    const sent = pair.a.sent[0]?.data ?? ''
    assert.match(
      sent,
      /^OPTIONS sip:bob@192\.0\.2\.2 SIP\/2\.0\r\nVia: SIP\/2\.0\/UDP 192\.0\.2\.1:5060;branch=z9hG4bK\w{10,};rport\r\n/,
    )
    assert.match(sent, /\r\nMax-Forwards: 70\r\n/)
    assert.match(sent, /\r\nUser-Agent: pair\r\n/)
    assert.match(sent, /\r\nContent-Length: 0\r\n\r\n$/)
    assert.match(pair.b.sent[0]?.data ?? '', /\r\nServer: pair\r\n/)
  })

  test('§17.1.2.2: lost requests are repeated after T1, doubling up to T2; none is answered in 32 s', () => {
    const pair = new SipPair()
    pair.network.drop = () => true
    pair.a.tell({ kind: 'request', key: 'k', request: requestOf('OPTIONS'), target: pair.a.target })
    pair.run(ALL)
    const times = pair.a.sent.map(({ at }) => at)
    assert.deepEqual(times, [0, 500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500])
    assert.deepEqual(pair.a.reports, [
      { kind: 'failed', key: 'k', cause: 'timeout', detail: 'No final response', at: 32_000 },
    ])
  })

  test('§17.2.2: a repeated request is answered again and not given to the user again', () => {
    const pair = new SipPair()
    answering(pair.b, 200)
    let lost = 0
    pair.network.drop = ({ from }) => from === pair.b.host && lost++ === 0
    pair.a.tell({ kind: 'request', key: 'k', request: requestOf('OPTIONS'), target: pair.a.target })
    pair.run(ALL)
    assert.deepEqual(kinds(pair.b), ['OPTIONS'])
    assert.deepEqual(SipPair.trace(pair.b), ['200', '200*'])
    assert.deepEqual(kinds(pair.a), ['200'])
    assert.equal(pair.b.endpoint.counters().retransmissionsReceived, 1)
  })

  test('§17: over a stream nothing is repeated and nothing lingers', () => {
    const pair = new SipPair({ transport: 'tcp' })
    answering(pair.b, 200)
    pair.a.tell({ kind: 'request', key: 'k', request: requestOf('OPTIONS'), target: pair.a.target })
    pair.run(100)
    assert.equal(pair.a.endpoint.counters().clientTransactions, 0)
    assert.equal(pair.b.endpoint.counters().serverTransactions, 0)
  })

  test('RFC 4320 §3: a request that its user never answers is forgotten when its client has given up', () => {
    const pair = new SipPair({ transport: 'tcp' })
    pair.a.tell({ kind: 'request', key: 'k', request: requestOf('MESSAGE'), target: pair.a.target })
    pair.run(ALL)
    assert.deepEqual(kinds(pair.a), ['failed'])
    assert.equal(pair.b.endpoint.counters().serverTransactions, 0)
  })
})

describe('INVITE', () => {
  function invite(pair: SipPair): void {
    pair.a.tell({ kind: 'request', key: 'k', request: requestOf('INVITE'), target: pair.a.target })
  }

  test('set-up: 180, 200, ACK reach their users once each', () => {
    const pair = new SipPair()
    acknowledging(pair.a)
    answering(pair.b, 180, 200)
    invite(pair)
    pair.run(ALL)
    assert.deepEqual(kinds(pair.a), ['180', '200'])
    assert.deepEqual(kinds(pair.b), ['INVITE', 'ack'])
    const ack = pair.b.reports.find((report) => report.kind === 'ack')
    assert.equal(ack?.kind === 'ack' && ack.key, firstRequest(pair.b).key)
    assert.deepEqual(SipPair.trace(pair.a), ['INVITE', 'ACK'])
    assert.equal(pair.b.endpoint.counters().serverTransactions, 0)
  })

  test('§17.2.1: a user that is silent for 200 ms is spoken for with 100', () => {
    const pair = new SipPair()
    invite(pair)
    pair.run(204)
    assert.deepEqual(SipPair.trace(pair.b), [])
    pair.run(206)
    assert.deepEqual(SipPair.trace(pair.b), ['100'])
    pair.run(1_000)
    assert.deepEqual(kinds(pair.a), ['100'])
    assert.deepEqual(SipPair.trace(pair.a), ['INVITE'])
  })

  test('§13.3.1.4: a 2xx is repeated until its ACK; the ACK is repeated for each', () => {
    const pair = new SipPair()
    acknowledging(pair.a)
    answering(pair.b, 200)
    let acks = 0
    pair.network.drop = ({ data }) => data.startsWith('ACK') && acks++ < 2
    invite(pair)
    pair.run(ALL)
    assert.deepEqual(SipPair.trace(pair.b), ['200', '200*', '200*'])
    assert.deepEqual(SipPair.trace(pair.a), ['INVITE', 'ACK', 'ACK*', 'ACK*'])
    assert.deepEqual(kinds(pair.a), ['200'])
    assert.deepEqual(kinds(pair.b), ['INVITE', 'ack'])
  })

  test('§13.3.1.4: over a stream too; without ACK for 64·T1 the user is told', () => {
    const pair = new SipPair({ transport: 'ws' })
    answering(pair.b, 200)
    invite(pair)
    pair.run(ALL)
    assert.equal(SipPair.trace(pair.b).filter((line) => line === '200*').length, 10)
    assert.deepEqual(kinds(pair.b), ['INVITE', 'ack-missing'])
  })

  test('§17.1.1.3: a failure is acknowledged by the transaction, hop by hop, on the branch of the INVITE', () => {
    const pair = new SipPair()
    answering(pair.b, 486)
    invite(pair)
    pair.run(ALL)
    assert.deepEqual(kinds(pair.a), ['486'])
    assert.deepEqual(kinds(pair.b), ['INVITE'])
    const [sentInvite, ack] = pair.a.sent.map(({ message }) => message)
    assert.equal(ack?.headers.topVia.params.get('branch'), sentInvite?.headers.topVia.params.get('branch'))
    assert.equal(ack?.headers.toTag, 'bob')
    assert.deepEqual(ack?.headers.cseq, { sequence: 1, method: 'ACK' })
  })

  test('§17.1.1.2: each repetition of a failure gets the same ACK again', () => {
    const pair = new SipPair()
    answering(pair.b, 603)
    let acks = 0
    pair.network.drop = ({ data }) => data.startsWith('ACK') && acks++ < 2
    invite(pair)
    pair.run(ALL)
    assert.deepEqual(SipPair.trace(pair.b), ['603', '603*', '603*'])
    assert.deepEqual(SipPair.trace(pair.a), ['INVITE', 'ACK', 'ACK*', 'ACK*'])
    assert.deepEqual(kinds(pair.a), ['603'])
  })

  test('RFC 6026 §7.1: an INVITE that comes again after its 2xx was acknowledged is absorbed', () => {
    const pair = new SipPair()
    acknowledging(pair.a)
    answering(pair.b, 200)
    invite(pair)
    pair.run(1_000)
    const again = pair.a.sent[0]?.data ?? ''
    pair.b.tell({ kind: 'received', flow: pair.flow(pair.b.host, pair.a.host), data: again })
    pair.run(2_000)
    assert.deepEqual(kinds(pair.b), ['INVITE', 'ack'])
    assert.deepEqual(SipPair.trace(pair.b), ['200'])
  })

  test('§13.2.2.4: a 2xx of another branch is a dialog of its own', () => {
    const pair = new SipPair()
    acknowledging(pair.a)
    answering(pair.b, 200)
    invite(pair)
    pair.run(1_000)
    const forked = (pair.b.sent[0]?.data ?? '').replace('tag=bob', 'tag=carol')
    const flow = pair.flow(pair.a.host, pair.b.host)
    for (let i = 0; i < 2; i++) pair.a.tell({ kind: 'received', flow, data: forked })
    assert.deepEqual(kinds(pair.a), ['200', '200'])
    assert.deepEqual(
      pair.a.sent.map(({ message }) => message.headers.toTag),
      [undefined, 'bob', 'carol', 'carol'],
    )
  })
})

describe('CANCEL, RFC 3261 §9', () => {
  function ringing(pair: SipPair): void {
    answering(pair.b, 180)
    pair.a.tell({ kind: 'request', key: 'k', request: requestOf('INVITE'), target: pair.a.target })
  }

  test('after a provisional response it goes out at once; the user answers 487', () => {
    const pair = new SipPair()
    ringing(pair)
    pair.run(1_000)
    const reason = { name: 'Reason', value: 'SIP;cause=200' }
    pair.a.tell({ kind: 'cancel', key: 'k', headers: [reason] })
    pair.run(1_100)
    const cancelled = pair.b.reports.at(-1)
    assert.ok(cancelled?.kind === 'cancelled')
    assert.equal(cancelled.key, firstRequest(pair.b).key)
    assert.equal(cancelled.request.headers.get('Reason'), reason.value)
    respond(pair.b, firstRequest(pair.b), 487)
    pair.run(ALL)
    assert.deepEqual(SipPair.trace(pair.a), ['INVITE', 'CANCEL', 'ACK'])
    assert.deepEqual(SipPair.trace(pair.b), ['180', '200', '487'])
    assert.deepEqual(kinds(pair.a), ['180', '487'])
    assert.equal(pair.a.endpoint.counters().clientTransactions, 0)
  })

  test('§9.1: before any response it waits for one', () => {
    const pair = new SipPair()
    pair.a.tell({ kind: 'request', key: 'k', request: requestOf('INVITE'), target: pair.a.target })
    pair.a.tell({ kind: 'cancel', key: 'k' })
    pair.run(100)
    assert.deepEqual(SipPair.trace(pair.a), ['INVITE'])
    pair.run(300)
    assert.deepEqual(SipPair.trace(pair.a), ['INVITE', 'CANCEL'])
  })

  test('§9.1: an INVITE that nobody ends after CANCEL is given up after 64·T1', () => {
    const pair = new SipPair()
    ringing(pair)
    pair.run(1_000)
    pair.a.tell({ kind: 'cancel', key: 'k' })
    pair.run(2_000 + ALL)
    assert.deepEqual(kinds(pair.a), ['180', 'failed'])
    assert.equal(pair.a.reports.at(-1)?.at, 33_000)
  })

  test('a CANCEL that crosses the 200 changes nothing and is answered 200', () => {
    const pair = new SipPair()
    acknowledging(pair.a)
    ringing(pair)
    pair.run(1_000)
    respond(pair.b, firstRequest(pair.b), 200)
    pair.a.tell({ kind: 'cancel', key: 'k' })
    pair.run(ALL)
    assert.deepEqual(kinds(pair.b), ['INVITE', 'ack'])
    assert.deepEqual(kinds(pair.a), ['180', '200'])
    assert.deepEqual(SipPair.trace(pair.b), ['180', '200', '200'])
  })

  test('a repeated CANCEL is answered again and told once; after the end it is harmless to ask for one', () => {
    const pair = new SipPair()
    ringing(pair)
    pair.run(1_000)
    pair.a.tell({ kind: 'cancel', key: 'k' })
    pair.a.tell({ kind: 'cancel', key: 'k' })
    pair.run(1_100)
    const data = pair.a.sent.at(-1)?.data ?? ''
    pair.b.tell({ kind: 'received', flow: pair.flow(pair.b.host, pair.a.host), data })
    assert.deepEqual(SipPair.trace(pair.b), ['180', '200', '200'])
    assert.deepEqual(kinds(pair.b), ['INVITE', 'cancelled'])
    respond(pair.b, firstRequest(pair.b), 487)
    pair.run(ALL)
    pair.a.tell({ kind: 'cancel', key: 'k' })
    assert.deepEqual(SipPair.trace(pair.a), ['INVITE', 'CANCEL', 'ACK'])
  })

  test('§9.2: without its INVITE it gets 481', () => {
    const pair = new SipPair()
    const cancel = withVia(requestOf('CANCEL'), 'branch=z9hG4bKnone')
    pair.b.tell({ kind: 'received', flow: pair.flow(pair.b.host, pair.a.host), data: writeMessage(cancel) })
    assert.deepEqual(SipPair.trace(pair.b), ['481'])
    assert.deepEqual(pair.b.reports, [])
  })
})

function withVia(request: SipRequest, params: string, sentBy = '192.0.2.1:5060'): SipRequest {
  return createRequest({
    ...request,
    headers: [{ name: 'Via', value: `SIP/2.0/UDP ${sentBy};${params}` }, ...request.headers.fields()],
    body: undefined,
  })
}

/** b receives a message that no endpoint made. */
function receive(pair: SipPair, message: SipMessage | string): void {
  const data = typeof message === 'string' ? message : writeMessage(message)
  pair.b.tell({ kind: 'received', flow: pair.flow(pair.b.host, pair.a.host), data })
}

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

  test('STUN, zero bytes and empty datagrams are counted and ignored', () => {
    const pair = new SipPair()
    receive(pair, `\x00\x01\x00\x00\x21\x12\xa4\x42${'t'.repeat(12)}`)
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
    assert.deepEqual(pair.a.reports, [{ kind: 'failed', key: 'k', cause: 'transport', detail: 'ECONNREFUSED', at: 0 }])
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

test('law: over any network both ends of a call agree or time out, and nobody keeps anything', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const pair = new SipPair({ seed })
    pair.network.conditions = { ...BAD_NETWORK, loss: (seed % 10) / 10 }
    acknowledging(pair.a)
    answering(pair.b, ...([[200], [180, 200], [486], [180, 603]][seed % 4] ?? []))
    pair.a.tell({ kind: 'request', key: 'k', request: requestOf('INVITE'), target: pair.a.target })
    pair.run(200_000)
    const last = kinds(pair.a).findLast((kind) => kind !== 'rejected') // A late answer to what was given up.
    assert.ok(last !== undefined && /^(200|486|603|failed)$/.test(last), `seed ${seed}: ${last}`)
    if (last === '200') assert.match(kinds(pair.b)[1] ?? '', /^ack(-missing)?$/, `seed ${seed}`)
    const counters = [pair.a, pair.b].map(({ endpoint }) => endpoint.counters())
    assert.deepEqual(
      counters.map((one) => one.clientTransactions + one.serverTransactions),
      [0, 0],
      `seed ${seed}`,
    )
  }
})
