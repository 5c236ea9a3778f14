import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type CoreRig, counting, header, type RigPeer } from '../../test/support/core-rig.ts'
import { phoneSdp } from '../../test/support/sdp-texts.ts'
import { answer, call, refuse, rigWith, SDP, services, T1, T2, T3, told } from '../../test/support/trunk-rig.ts'

describe('RFC 3263: the servers of a trunk that is a domain', () => {
  test('§4.3: the first is dead, the second full, the third gets the call; each is asked anew', async () => {
    const count = counting()
    const rig = rigWith(['sip:carrier.test'], { count })
    const [alice, dead, full, good] = [rig.peer('198.51.100.7'), rig.peer(T1), rig.peer(T2), rig.peer(T3)]
    await call(alice)
    const first = dead.take('INVITE sip:+15559@carrier.test')
    await rig.advance(5_999)
    assert.equal(full.inbox.length, 0)
    await rig.advance(1)
    const second = await refuse(full, '503 Service Unavailable')
    const third = good.take('INVITE')
    const branches = [first, second, third].map((invite) => /branch=([^;]+)/.exec(header(invite, 'Via'))?.[1])
    assert.equal(new Set(branches).size, 3)
    await answer(good, third)
    const ok = alice.take('SIP/2.0 200')
    await alice.send(alice.inDialog('ACK', ok))
    assert.equal(rig.core.calls()[0]?.state, 'talking')
    assert.equal(count.counts.get('target failed: silent'), 1)
    assert.equal(count.counts.get('target failed: 503'), 1)
    const notes = told(rig)
    assert.ok(
      notes.includes(`Servers of carrier.test: udp ${T1}:5060, udp ${T2}:5060, udp ${T3}:5060`),
      notes.join('\n'),
    )
    assert.ok(notes.includes('No sign of life') && notes.includes('Failed with 503'), notes.join('\n'))
    assert.deepEqual(
      rig.logged().map(({ fields }) => [fields.target, fields.cause, fields.seconds]),
      [
        [`udp ${T1}:5060`, 'silent', 60],
        [`udp ${T2}:5060`, '503', 60],
      ],
    )
  })

  test('a server that was only slow is cancelled as soon as it shows, and its late answer hung up', async () => {
    const rig = rigWith(['sip:carrier.test'])
    const [alice, slow, good] = [rig.peer('198.51.100.7'), rig.peer(T1), rig.peer(T2)]
    await call(alice)
    const late = slow.take('INVITE')
    await rig.advance(6_000)
    const invite = good.take('INVITE')
    await slow.send(slow.response(late, '180 Ringing'))
    slow.take('CANCEL')
    await answer(slow, late)
    slow.take('ACK')
    const bye = slow.take('BYE')
    await slow.send(slow.response(bye, '200 OK'))
    await answer(good, invite)
    const ok = alice.take('SIP/2.0 200')
    await alice.send(alice.inDialog('ACK', ok))
    assert.equal(rig.core.calls()[0]?.state, 'talking')
  })

  test('whatever such a server says at last, the call goes on without it', async () => {
    const rig = rigWith(['sip:carrier.test'])
    const [alice, slow, good] = [rig.peer('198.51.100.7'), rig.peer(T1), rig.peer(T2)]
    await call(alice)
    await rig.advance(6_000)
    const invite = good.take('INVITE')
    await refuse(slow, '603 Decline')
    await answer(good, invite)
    alice.take('SIP/2.0 200')
  })

  test('a server that says 100 has all the time it wants', async () => {
    const rig = rigWith(['sip:carrier.test'])
    const [alice, one, two] = [rig.peer('198.51.100.7'), rig.peer(T1), rig.peer(T2)]
    await call(alice)
    const invite = one.take('INVITE')
    await one.send(one.response(invite, '100 Trying'))
    await rig.advance(50_000)
    assert.deepEqual(two.inbox, [])
    await answer(one, invite)
    alice.take('SIP/2.0 200')
  })

  test('the last one may be silent for 64·T1 (RFC 3261 §17.1.1.2), then the caller is told', async () => {
    const rig = rigWith(['sip:one.test'])
    const alice = rig.peer('198.51.100.7')
    await call(alice)
    await rig.advance(31_999)
    assert.ok(!alice.inbox.some((message) => message.startsWith('SIP/2.0 408')))
    await rig.advance(1)
    alice.take('SIP/2.0 408')
  })

  test('who did not serve is tried last until its time is over', async () => {
    const rig = rigWith(['sip:carrier.test'])
    const [alice, one, two] = [rig.peer('198.51.100.7'), rig.peer(T1), rig.peer(T2)]
    await call(alice)
    await refuse(one, '503 Service Unavailable')
    await refuse(two, '486 Busy Here')
    alice.take('SIP/2.0 486')
    await rig.advance(59_000)
    await call(alice)
    assert.deepEqual(one.inbox, [])
    await refuse(two, '486 Busy Here')
    await rig.advance(1_000)
    await call(alice)
    await refuse(one, '486 Busy Here')
  })

  test('RFC 3261 §20.33: a 503 with Retry-After says how long', async () => {
    const rig = rigWith(['sip:carrier.test'])
    const [alice, one, two] = [rig.peer('198.51.100.7'), rig.peer(T1), rig.peer(T2)]
    await call(alice)
    await refuse(one, '503 Service Unavailable', { 'Retry-After': '300 (maintenance);duration=3600' })
    await refuse(two, '486 Busy Here')
    await rig.advance(299_000)
    await call(alice)
    await refuse(two, '486 Busy Here')
    await rig.advance(1_000)
    await call(alice)
    await refuse(one, '486 Busy Here')
  })

  test('if all are avoided, all are tried nevertheless', async () => {
    const rig = rigWith(['sip:carrier.test'])
    const [alice, ...servers] = [rig.peer('198.51.100.7'), rig.peer(T1), rig.peer(T2), rig.peer(T3)]
    for (let round = 0; round < 2; round++) {
      await call(alice)
      for (const server of servers) await refuse(server, '503 Service Unavailable')
      alice.take('SIP/2.0 503')
    }
  })

  test('domains and addresses mixed: all servers of the one before the next, what is avoided at the end', async () => {
    const rig = rigWith(['sip:pair.test', `sip:${T3}`])
    rig.zone.set('SRV _sip._udp.pair.test', services('1 one.test', '2 two.test'))
    const [alice, one, two, three] = [rig.peer('198.51.100.7'), rig.peer(T1), rig.peer(T2), rig.peer(T3)]
    await call(alice)
    await refuse(one, '503 Service Unavailable')
    await refuse(two, '500 Server Internal Error')
    await refuse(three, '486 Busy Here')
    await call(alice)
    await refuse(two, '500 Server Internal Error')
    await refuse(three, '503 Service Unavailable')
    await refuse(one, '486 Busy Here')
    await call(alice)
    await refuse(one, '500 Server Internal Error')
    await refuse(two, '500 Server Internal Error')
    await refuse(three, '486 Busy Here')
  })

  test('addresses that did not serve are avoided too', async () => {
    const rig = rigWith([`sip:${T1}`, `sip:${T2}`])
    const [alice, one, two] = [rig.peer('198.51.100.7'), rig.peer(T1), rig.peer(T2)]
    await call(alice)
    await refuse(one, '503 Service Unavailable')
    await refuse(two, '486 Busy Here')
    await call(alice)
    await refuse(two, '486 Busy Here')
    assert.deepEqual(one.inbox, [])
  })

  test('a domain that the DNS does not know leads to the next target; alone, to 503', async () => {
    const rig = rigWith(['sip:gone.test', `sip:${T3}`])
    const [alice, good] = [rig.peer('198.51.100.7'), rig.peer(T3)]
    await call(alice)
    const invite = good.take('INVITE')
    assert.ok(told(rig).includes('the DNS knows no server of gone.test'))
    await answer(good, invite)
    alice.take('SIP/2.0 200')
    const lost = rigWith(['sip:gone.test'])
    const bob = lost.peer('198.51.100.8')
    await call(bob)
    bob.take('SIP/2.0 503')
    assert.equal(lost.core.counts().calls, 0)
  })

  test('the DNS is asked once while its answers hold, and again when they do not', async () => {
    const rig = rigWith(['sip:carrier.test'])
    const [alice, one] = [rig.peer('198.51.100.7'), rig.peer(T1)]
    await call(alice)
    await refuse(one, '486 Busy Here')
    const asked = rig.asked.length
    assert.deepEqual(rig.asked.slice(0, 3), [
      'NAPTR carrier.test',
      'SRV _sip._udp.carrier.test',
      'SRV _sip._tcp.carrier.test',
    ])
    await rig.advance(59_000)
    await call(alice)
    await refuse(one, '486 Busy Here')
    assert.equal(rig.asked.length, asked)
    await rig.advance(1_001)
    await call(alice)
    assert.ok(rig.asked.slice(asked).includes('NAPTR carrier.test'))
    assert.ok(!rig.asked.slice(asked).includes('SRV _sip._udp.carrier.test'))
  })

  test('the caller gives up while the DNS is asked: nobody is called, nothing stays', async () => {
    const rig = rigWith(['sip:carrier.test'])
    rig.dnsIsSilent = true
    const [alice, one] = [rig.peer('198.51.100.7'), rig.peer(T1)]
    await call(alice)
    await rig.advance(200)
    const trying = alice.take('SIP/2.0 100')
    const cancel = alice.request('CANCEL', 'sip:+15559@example.test', {
      Via: header(trying, 'Via'),
      From: header(trying, 'From'),
      To: header(trying, 'To'),
      'Call-ID': header(trying, 'Call-ID'),
      CSeq: header(trying, 'CSeq').replace('INVITE', 'CANCEL'),
    })
    await alice.send(cancel)
    alice.take('SIP/2.0 487')
    assert.equal(rig.core.counts().calls, 0)
    const question = { name: 'carrier.test', type: 'NAPTR' } as const
    rig.input({ kind: 'dns-answer', question, answer: { kind: 'none', ttlSeconds: 60 } })
    await rig.settle()
    assert.deepEqual(one.inbox, [])
  })

  test('a silent DNS does not hold a call for ever', async () => {
    const rig = rigWith(['sip:carrier.test'])
    rig.dnsIsSilent = true
    const alice = rig.peer('198.51.100.7')
    await call(alice)
    await rig.advance(60_000)
    alice.take('SIP/2.0 408')
    assert.equal(rig.core.counts().calls, 0)
  })

  test('the transport that the DNS chose is the one we say in Via and Contact', async () => {
    const rig = rigWith(['sip:stream.test'])
    rig.zone.set('SRV _sip._tcp.stream.test', services('1 one.test'))
    const [alice, one] = [rig.peer('198.51.100.7'), rig.peer(T1, 'tcp')]
    await call(alice)
    const invite = one.take('INVITE')
    assert.match(header(invite, 'Via'), /^SIP\/2\.0\/TCP /)
    assert.match(header(invite, 'Contact'), /transport=tcp/)
  })
})

describe('inside a call with a trunk whose Contact is a name', () => {
  /** Alice talks with the carrier, which wants to be reached at `sip:pair.test`. */
  async function talking(rig: CoreRig, alice: RigPeer, one: RigPeer): Promise<string> {
    rig.zone.set('SRV _sip._udp.pair.test', services('1 two.test', '2 three.test'))
    await call(alice)
    const invite = one.take('INVITE')
    const headers = { ...SDP, Contact: '<sip:sbc@pair.test>' }
    await one.send(one.response(invite, '200 OK', headers, phoneSdp({ address: T1 })))
    const ok = alice.take('SIP/2.0 200')
    await alice.send(alice.inDialog('ACK', ok))
    return ok
  }

  test('ACK and BYE go to the first server; where that does not serve, the same BYE goes to the next one', async () => {
    const rig = rigWith([`sip:${T1}`])
    const [alice, one, two, three] = [rig.peer('198.51.100.7'), rig.peer(T1), rig.peer(T2), rig.peer(T3)]
    const ok = await talking(rig, alice, one)
    two.take('ACK sip:sbc@pair.test')
    await alice.send(alice.inDialog('BYE', ok))
    alice.take('SIP/2.0 200')
    const bye = two.take('BYE')
    await two.send(two.response(bye, '503 Service Unavailable'))
    const again = three.take('BYE')
    assert.equal(header(again, 'CSeq'), header(bye, 'CSeq'))
    assert.notEqual(header(again, 'Via'), header(bye, 'Via'))
    assert.ok(told(rig).includes('Sending BYE elsewhere: 503 Service Unavailable'))
    await three.send(three.response(again, '200 OK'))
    assert.equal(rig.core.counts().calls, 0)
  })

  test('silence leads there too, after 64·T1', async () => {
    const rig = rigWith([`sip:${T1}`])
    const [alice, one, , three] = [rig.peer('198.51.100.7'), rig.peer(T1), rig.peer(T2), rig.peer(T3)]
    const ok = await talking(rig, alice, one)
    await alice.send(alice.inDialog('BYE', ok))
    await rig.advance(32_000)
    const bye = three.take('BYE')
    await three.send(three.response(bye, '200 OK'))
    assert.equal(rig.core.counts().calls, 0)
  })

  test('a name that leads nowhere ends the request, and the call', async () => {
    const rig = rigWith([`sip:${T1}`])
    const [alice, one] = [rig.peer('198.51.100.7'), rig.peer(T1)]
    const ok = await talking(rig, alice, one)
    await rig.advance(600_000)
    rig.zone.delete('SRV _sip._udp.pair.test')
    await alice.send(alice.inDialog('BYE', ok))
    assert.equal(rig.core.counts().calls, 0)
  })
})
