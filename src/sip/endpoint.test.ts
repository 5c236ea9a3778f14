import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { BAD_NETWORK } from '../../test/support/network.ts'
import {
  acknowledging,
  answering,
  firstRequest,
  kinds,
  receive,
  requestOf,
  respond,
  SipPair,
  withVia,
} from '../../test/support/sip-pair.ts'
import { replyTo, withHeaders } from './message/create.ts'
import { writeMessage } from './message/write.ts'

const ALL = 40_000

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
    const [{ branch, ...report } = { branch: '' }] = pair.a.reports as readonly { readonly branch: string }[]
    assert.deepEqual(report, { kind: 'failed', key: 'k', cause: 'timeout', detail: 'No final response', at: 32_000 })
    assert.match(pair.a.sent[0]?.data ?? '', new RegExp(`branch=${branch};`))
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

  test('§26.3.2.4: a challenge is not repeated by itself, for whoever was asked may have sent nothing', () => {
    const pair = new SipPair()
    answering(pair.b, 407)
    let lost = 0
    pair.network.drop = ({ from }) => from === pair.b.host && lost++ === 0
    pair.a.tell({ kind: 'request', key: 'k', request: requestOf('INVITE'), target: pair.a.target })
    pair.run(499)
    assert.deepEqual(SipPair.trace(pair.b), ['407'])
    pair.run(ALL)
    assert.deepEqual(SipPair.trace(pair.b), ['407', '407*'], 'the INVITE came again')
    assert.deepEqual(kinds(pair.a), ['407'])
    assert.equal(pair.b.endpoint.counters().serverTransactions, 0)
  })

  test('§26.3.2.4: a challenge that nobody acknowledges goes out once', () => {
    const pair = new SipPair()
    answering(pair.b, 401)
    receive(pair, withVia(requestOf('INVITE'), 'branch=z9hG4bKspoofed'))
    pair.run(ALL)
    assert.deepEqual(SipPair.trace(pair.b), ['401'])
  })

  test('§13.2.2.4: the ACK of another dialog does not end the repetitions', () => {
    const pair = new SipPair()
    answering(pair.b, 200)
    invite(pair)
    pair.run(100)
    receive(pair, withVia(requestOf('ACK', { toTag: 'carol' }), 'branch=z9hG4bKother'))
    pair.run(700)
    assert.deepEqual(SipPair.trace(pair.b), ['200', '200*'])
    assert.ok(!('key' in (pair.b.reports.at(-1) ?? {})))
  })

  test('§17.1.3: a response of another method on the same branch is nobody’s', () => {
    const pair = new SipPair()
    invite(pair)
    const [sent] = pair.a.sent
    assert.ok(sent?.message.kind === 'request')
    const response = replyTo(sent.message, 200, { toTag: 'bob' })
    const data = writeMessage(withHeaders(response, [{ name: 'CSeq', value: '1 BYE' }]))
    pair.a.tell({ kind: 'received', flow: pair.flow(pair.a.host, pair.b.host), data })
    assert.deepEqual(kinds(pair.a), ['rejected'])
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

  test('a peer that answers one INVITE as ever new dialogs makes us work for so many only', () => {
    const pair = new SipPair()
    answering(pair.b, 200)
    pair.a.tell({ kind: 'request', key: 'k', request: requestOf('INVITE'), target: pair.a.target })
    pair.run(100)
    const answer = pair.b.sent[0]?.data ?? ''
    const flow = pair.flow(pair.a.host, pair.b.host)
    for (let i = 0; i < 1_000; i++) {
      pair.a.tell({ kind: 'received', flow, data: answer.replace('tag=bob', `tag=bob${i}`) })
    }
    assert.ok(kinds(pair.a).filter((kind) => kind === '200').length <= 20)
    assert.ok((pair.a.endpoint.counters().rejected.SIP_STRAY_RESPONSE ?? 0) > 900)
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

  test('§9.2, §22.1: it cannot be challenged, so it must come from where its INVITE came from', () => {
    const pair = new SipPair()
    ringing(pair)
    pair.run(1_000)
    pair.a.tell({ kind: 'cancel', key: 'k' })
    const data = pair.a.sent.at(-1)?.data ?? ''
    pair.b.tell({ kind: 'received', flow: pair.flow(pair.b.host, '192.0.2.66'), data })
    assert.deepEqual(SipPair.trace(pair.b), ['180', '481'])
    assert.deepEqual(kinds(pair.b), ['INVITE'])
    pair.run(1_100)
    assert.deepEqual(kinds(pair.b), ['INVITE', 'cancelled'])
  })

  test('§9.2: without its INVITE it gets 481', () => {
    const pair = new SipPair()
    const cancel = withVia(requestOf('CANCEL'), 'branch=z9hG4bKnone')
    receive(pair, cancel)
    assert.deepEqual(SipPair.trace(pair.b), ['481'])
    assert.deepEqual(pair.b.reports, [])
  })
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
