import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { header } from '../../test/support/core-rig.ts'
import { phoneSdp } from '../../test/support/sdp-texts.ts'
import { replaces, type Talk, TransferScene } from '../../test/support/transfer-scene.ts'
import type { Trunk } from '../tenancy/index.ts'

const SDP = { 'Content-Type': 'application/sdp' }

/** A carrier that may transfer. */
const TRUSTING: Trunk = {
  name: 'carrier',
  targets: ['sip:203.0.113.5:5060'],
  accept: ['203.0.113.5'],
  srtp: 'never',
  transfer: 'gateway',
}

/** To whom the sides of the only session talk. */
function links(scene: TransferScene): Record<string, unknown> {
  const [session] = scene.rig.engine.sessions()
  return Object.fromEntries((session?.sides ?? []).map(({ id, to }) => [id, to.kind === 'side' ? to.side : to.kind]))
}

describe('RFC 5589 §6: blind transfer', () => {
  test('the transferor is told each step, the transferee keeps its media, and the target talks with it', async () => {
    const scene = await new TransferScene().register()
    const { alice, bob, carol } = scene
    const { caller, callee } = await scene.aliceAndBob()
    const [before] = scene.rig.engine.sessions()
    await scene.refer(callee, '<sip:carol@example.test>')
    const accepted = bob.take('SIP/2.0 202')
    assert.match(header(accepted, 'Contact'), /^<sip:/)
    const notify = await scene.notified(bob, '100 Trying', /^active;expires=\d+$/)
    assert.match(header(notify, 'Event'), /^refer;id=\d+$/)
    const invite = carol.take('INVITE')
    assert.match(header(invite, 'From'), /<sip:alice@example\.test>/)
    await carol.send(carol.response(invite, '180 Ringing'))
    await scene.notified(bob, '180 Ringing', /^active/)
    await scene.answer(carol, invite)
    await scene.notified(bob, '200 OK', /^terminated;reason=noresource$/)
    await scene.agree(bob, 'BYE')
    assert.deepEqual(links(scene), { a: 'b2', b2: 'a' })
    const [after] = scene.rig.engine.sessions()
    assert.deepEqual(
      after?.sides.find(({ id }) => id === 'a')?.local,
      before?.sides.find(({ id }) => id === 'a')?.local,
    )
    assert.deepEqual(alice.inbox, [])
    await alice.send(alice.inDialog('BYE', caller.from))
    alice.take('SIP/2.0 200')
    await scene.agree(carol, 'BYE')
    await scene.over()
  })

  test('a caller may transfer as well, and hang up at once: the other one waits for the target', async () => {
    const scene = await new TransferScene().register()
    const { alice, bob, carol } = scene
    const { caller } = await scene.aliceAndBob()
    await scene.refer(caller, 'sip:carol@example.test')
    alice.take('SIP/2.0 202')
    await alice.send(alice.inDialog('BYE', caller.from))
    alice.take('SIP/2.0 200')
    assert.deepEqual(bob.inbox, [])
    const invite = carol.take('INVITE')
    assert.match(header(invite, 'From'), /<sip:bob@example\.test>/)
    await scene.answer(carol, invite)
    assert.deepEqual(links(scene), { b1: 'b2', b2: 'b1' })
    await carol.send(carol.inDialog('BYE', invite))
    carol.take('SIP/2.0 200')
    await scene.agree(bob, 'BYE')
    await scene.over()
  })

  test('when the target refuses, the two stay together; without the transferor the other one is told', async () => {
    for (const stays of [true, false]) {
      const scene = await new TransferScene().register()
      const { alice, bob, carol } = scene
      const { callee } = await scene.aliceAndBob()
      await scene.refer(callee, '<sip:carol@example.test>')
      await scene.notified(bob, '100 Trying', /^active/)
      if (!stays) await scene.rig.settle()
      if (!stays) await bob.send(bob.inDialog('BYE', callee.from))
      await carol.send(carol.response(carol.take('INVITE'), '486 Busy Here'))
      carol.take('ACK')
      await scene.notified(bob, '486 Busy Here', /^terminated/)
      if (stays) {
        assert.deepEqual(links(scene), { a: 'b1', b1: 'a' })
        await bob.send(bob.inDialog('BYE', callee.from))
      }
      assert.match(header(await scene.agree(alice, 'BYE'), 'Reason'), stays ? /^/ : /cause=486/)
      await scene.over()
    }
  })

  test('a transferee that hangs up ends everything, and the transferor is told', async () => {
    const scene = await new TransferScene().register()
    const { alice, bob, carol } = scene
    const { caller, callee } = await scene.aliceAndBob()
    await scene.refer(callee, '<sip:carol@example.test>')
    await scene.notified(bob, '100 Trying', /^active/)
    const invite = carol.take('INVITE')
    await carol.send(carol.response(invite, '180 Ringing'))
    await scene.notified(bob, '180 Ringing', /^active/)
    await alice.send(alice.inDialog('BYE', caller.from))
    await scene.notified(bob, '487', /^terminated/)
    await scene.agree(bob, 'BYE')
    await scene.agree(carol, 'CANCEL')
    await carol.send(carol.response(invite, '487 Request Terminated'))
    await scene.over()
  })

  test('a target that never answers: the transferor hears 408, and the call goes on', async () => {
    const scene = await new TransferScene().register()
    const { bob, carol, alice } = scene
    const { callee } = await scene.aliceAndBob()
    await scene.refer(callee, '<sip:carol@example.test>')
    await scene.notified(bob, '100 Trying', /^active/)
    const invite = carol.take('INVITE')
    await carol.send(carol.response(invite, '180 Ringing'))
    await scene.notified(bob, '180 Ringing', /^active/)
    await scene.rig.advance(60_000)
    await scene.agree(carol, 'CANCEL')
    await carol.send(carol.response(invite, '487 Request Terminated'))
    await scene.notified(bob, '408', /^terminated/)
    await bob.send(bob.inDialog('BYE', callee.from))
    await scene.agree(alice, 'BYE')
    await scene.over()
  })

  test('RFC 4488: with Refer-Sub: false there are no NOTIFYs', async () => {
    const scene = await new TransferScene().register()
    const { alice, bob, carol } = scene
    const { callee } = await scene.aliceAndBob()
    await scene.refer(callee, '<sip:carol@example.test>', { 'Refer-Sub': 'false' })
    assert.equal(header(bob.take('SIP/2.0 202'), 'Refer-Sub'), 'false')
    await scene.answer(carol, carol.take('INVITE'))
    await scene.agree(bob, 'BYE')
    assert.deepEqual(bob.inbox, [])
    assert.deepEqual(alice.inbox, [])
  })

  test('a transferee on hold is resumed by the target, with the codec both have', async () => {
    const scene = await new TransferScene().register()
    const { alice, bob, carol } = scene
    const { callee } = await scene.aliceAndBob()
    const hold = phoneSdp({ address: '198.51.100.8', version: 2, direction: 'sendonly' })
    await bob.send(bob.inDialog('INVITE', callee.from, SDP, hold))
    const held = alice.take('INVITE')
    assert.match(held, /a=sendonly/)
    await alice.send(alice.response(held, '200 OK', SDP, phoneSdp({ version: 2, direction: 'recvonly' })))
    alice.take('ACK')
    await bob.send(bob.inDialog('ACK', bob.take('SIP/2.0 200')))
    await scene.refer(callee, '<sip:carol@example.test>')
    const invite = carol.take('INVITE')
    assert.match(invite, /a=sendrecv/)
    await scene.answer(carol, invite, phoneSdp({ address: '198.51.100.9', payloads: [8, 101] }))
    const resumed = alice.take('INVITE')
    assert.match(resumed, /a=sendrecv/)
    assert.match(resumed, /m=audio \d+ RTP\/AVP 8 101/)
    await alice.send(alice.response(resumed, '200 OK', SDP, phoneSdp({ version: 3, payloads: [8, 101] })))
    alice.take('ACK')
    assert.deepEqual(links(scene), { a: 'b2', b2: 'a' })
  })
})

describe('who may transfer to whom', () => {
  const unreachable: readonly (readonly [to: string, status: number])[] = [
    ['sip:nobody@example.test', 404],
    ['sip:carol@elsewhere.test', 404],
    ['sip:*43@example.test', 488],
  ]
  for (const [to, status] of unreachable) {
    test(`a transfer to ${to} is taken and fails with ${status}`, async () => {
      const scene = await new TransferScene().register()
      const { callee } = await scene.aliceAndBob()
      await scene.refer(callee, `<${to}>`)
      scene.bob.take('SIP/2.0 202')
      await scene.notified(scene.bob, '100', /^active/)
      await scene.notified(scene.bob, String(status), /^terminated/)
      assert.deepEqual(links(scene), { a: 'b1', b1: 'a' })
    })
  }

  const broken: readonly (readonly [referTo: string, status: number])[] = [
    ['<sip:carol@example.test;method=BYE>', 603],
    ['<mailto:carol@example.test>', 416],
    ['<sip:carol@example.test', 400],
    ['<sip:carol@example.test?Replaces=nonsense>', 400],
  ]
  for (const [referTo, status] of broken) {
    test(`Refer-To: ${referTo} gets ${status}`, async () => {
      const scene = await new TransferScene().register()
      const { callee } = await scene.aliceAndBob()
      await scene.refer(callee, referTo)
      scene.bob.take(`SIP/2.0 ${status}`)
      assert.deepEqual(scene.bob.inbox, [])
    })
  }

  test('a user transfers to the telephone network by the routes it may call by', async () => {
    const scene = await new TransferScene().register()
    const { callee } = await scene.aliceAndBob()
    await scene.refer(callee, '<sip:+15551234@example.test>')
    assert.match(scene.carrier.take('INVITE'), /^INVITE sip:\+15551234@203\.0\.113\.5/)
  })

  /** The carrier called alice. */
  async function fromCarrier(scene: TransferScene): Promise<Talk> {
    const { carrier, alice } = scene
    const invite = carrier.request(
      'INVITE',
      'sip:+15550100@example.test',
      {
        From: '<sip:+15559999@carrier.test>;tag=c1',
        'Content-Type': 'application/sdp',
      },
      phoneSdp({ address: '203.0.113.5' }),
    )
    await carrier.send(invite)
    await scene.answer(alice, alice.take('INVITE'))
    const answer = carrier.take('SIP/2.0 200')
    await carrier.send(carrier.inDialog('ACK', answer))
    return { peer: carrier, from: answer }
  }

  test('a trunk may not transfer unless it is told so: 603', async () => {
    const scene = await new TransferScene().register()
    await scene.refer(await fromCarrier(scene), '<sip:+15551234@example.test>')
    scene.carrier.take('SIP/2.0 603')
    assert.deepEqual(scene.carrier.inbox, [])
  })

  test('a trunk that may transfer reaches numbers, and never the telephone network: no toll fraud', async () => {
    const scene = await new TransferScene({
      trunks: [TRUSTING],
      numbers: [
        { number: '+15550100', to: { kind: 'user', name: 'alice' } },
        { number: '+15550101', to: { kind: 'user', name: 'bob' } },
      ],
    }).register()
    const talk = await fromCarrier(scene)
    await scene.refer(talk, '<sip:+15551234@example.test>')
    await scene.notified(scene.carrier, '100', /^active/)
    await scene.notified(scene.carrier, '404', /^terminated/)
    await scene.refer(talk, '<sip:+15550101@example.test>')
    scene.bob.take('INVITE')
  })
})

describe('a transfer that is passed on', () => {
  test('the other side gets the REFER, and the transferor its NOTIFYs under its own number', async () => {
    const scene = await new TransferScene({ transfer: 'pass' }).register()
    const { alice, bob } = scene
    const { caller, callee } = await scene.aliceAndBob()
    await scene.refer(callee, '<sip:carol@example.test>', { CSeq: '4242 REFER' })
    const refer = alice.take('REFER')
    assert.equal(header(refer, 'Refer-To'), '<sip:carol@example.test>')
    await alice.send(alice.response(refer, '202 Accepted'))
    bob.take('SIP/2.0 202')
    const news = {
      Event: 'refer',
      'Subscription-State': 'terminated;reason=noresource',
      'Content-Type': 'message/sipfrag',
    }
    await alice.send(alice.inDialog('NOTIFY', caller.from, news, 'SIP/2.0 200 OK\r\n'))
    const notify = await scene.notified(bob, '200 OK', /^terminated/)
    assert.equal(header(notify, 'Event'), 'refer;id=4242')
    alice.take('SIP/2.0 200')
  })
})

describe('RFC 3891: an INVITE with Replaces', () => {
  test('takes the place of the one it names, who gets BYE; the other one keeps its media and hears nothing of it', async () => {
    const scene = await new TransferScene().register()
    const { alice, bob, carol } = scene
    const { callee } = await scene.aliceAndBob()
    const headers = { ...SDP, Replaces: replaces(callee), Require: 'replaces' }
    const who = { user: 'carol', password: 'password' }
    await carol.authenticated('INVITE', 'sip:alice@example.test', who, headers, phoneSdp({ address: '198.51.100.9' }))
    const answer = carol.take('SIP/2.0 200')
    await carol.send(carol.inDialog('ACK', answer))
    assert.match(header(await scene.agree(bob, 'BYE'), 'Reason'), /Replaced/)
    assert.deepEqual(alice.inbox, [])
    assert.deepEqual(links(scene), { a: 'b2', b2: 'a' })
    await carol.send(carol.inDialog('BYE', answer))
    carol.take('SIP/2.0 200')
    await scene.agree(alice, 'BYE')
    await scene.over()
  })

  const refused: readonly (readonly [what: string, value: (talk: Talk) => string, status: number])[] = [
    ['a dialog that is not there', () => 'nothing;to-tag=1;from-tag=2', 481],
    ['a wrong tag', (talk) => `${header(talk.from, 'Call-ID')};to-tag=1;from-tag=2`, 481],
    ['nonsense', () => 'nonsense', 481],
    ['an early dialog only, of a call that is up', (talk) => `${replaces(talk)};early-only`, 486],
  ]
  for (const [what, value, status] of refused) {
    test(`for ${what} gets ${status} and changes nothing`, async () => {
      const scene = await new TransferScene().register()
      const { carol } = scene
      const { callee } = await scene.aliceAndBob()
      const who = { user: 'carol', password: 'password' }
      await carol.authenticated(
        'INVITE',
        'sip:alice@example.test',
        who,
        { ...SDP, Replaces: value(callee) },
        phoneSdp(),
      )
      carol.take(`SIP/2.0 ${status}`)
      assert.deepEqual(links(scene), { a: 'b1', b1: 'a' })
    })
  }

  test('RFC 3911: an INVITE with Join is refused', async () => {
    const scene = await new TransferScene().register()
    const { callee } = await scene.aliceAndBob()
    const { carol } = scene
    await carol.send(carol.request('INVITE', 'sip:alice@example.test', { ...SDP, Join: replaces(callee) }, phoneSdp()))
    assert.equal(header(carol.take('SIP/2.0 420'), 'Unsupported'), 'join')
  })
})
