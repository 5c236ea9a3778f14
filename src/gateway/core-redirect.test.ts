import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CoreRig, header } from '../../test/support/core-rig.ts'
import { phoneSdp } from '../../test/support/sdp-texts.ts'

const SDP = { 'Content-Type': 'application/sdp' }

test('a phone forwards its calls by 302 to a number: the carrier is called as its user may', async () => {
  const rig = new CoreRig()
  const [alice, bob, carrier] = [rig.peer('198.51.100.6'), rig.peer('198.51.100.7'), rig.peer('203.0.113.5')]
  await bob.register('bob', 'builder')
  await alice.call('alice', 'wonderland', 'bob')
  const moved = { Contact: '<sip:+4930123456@example.test>' }
  await bob.send(bob.response(bob.take('INVITE'), '302 Moved Temporarily', moved))
  const forwarded = carrier.take('INVITE sip:+4930123456@203.0.113.5')
  await carrier.send(carrier.response(forwarded, '200 OK', SDP, phoneSdp()))
  await alice.send(alice.inDialog('ACK', alice.take('SIP/2.0 200')))
  const [call] = rig.core.calls()
  assert.equal(call?.state, 'talking')
})

test('a carrier that redirects to a foreign host: nobody is called there, the caller gets 480', async () => {
  const rig = new CoreRig()
  const [alice, carrier] = [rig.peer('198.51.100.6'), rig.peer('203.0.113.5')]
  const foreign = rig.peer('203.0.113.99')
  await alice.call('alice', 'wonderland', '+4930123456')
  const moved = { Contact: '<sip:+4930123456@203.0.113.99>' }
  await carrier.send(carrier.response(carrier.take('INVITE'), '302 Moved Temporarily', moved))
  assert.match(header(alice.take('SIP/2.0 480'), 'CSeq'), /INVITE/)
  assert.deepEqual(foreign.inbox, [])
  await rig.advance(200_000)
  assert.equal(rig.core.counts().calls, 0)
})
