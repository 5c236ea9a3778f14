import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CoreRig, header } from '../../test/support/core-rig.ts'
import { phoneSdp } from '../../test/support/sdp-texts.ts'

const SDP = { 'Content-Type': 'application/sdp' }

test('RFC 3261 §13.2.2.4: another end of a fork that answers when the call is over is acknowledged and hung up', async () => {
  const rig = new CoreRig()
  const [alice, carrier] = [rig.peer('198.51.100.6'), rig.peer('203.0.113.5')]
  await alice.call('alice', 'wonderland', '+4930123456')
  const invite = carrier.take('INVITE')
  const answer = (tag: string): string =>
    carrier.response(invite.replace(/^To: .*$/m, `$&;tag=${tag}`), '200 OK', SDP, phoneSdp())
  await carrier.send(answer('first'))
  await alice.send(alice.inDialog('ACK', alice.take('SIP/2.0 200')))
  carrier.take('ACK')
  const [call] = rig.core.calls()
  assert.ok(call)
  rig.input({ kind: 'end-call', call: call.id, reason: 'test' })
  await rig.settle()
  await carrier.send(carrier.response(carrier.take('BYE'), '200 OK'))
  await alice.send(alice.response(alice.take('BYE'), '200 OK'))
  assert.equal(rig.core.isLive(call.id), false)
  carrier.inbox.length = 0

  await carrier.send(answer('second'))
  assert.match(header(carrier.take('ACK'), 'To'), /;tag=second$/)
  const bye = carrier.take('BYE')
  assert.match(header(bye, 'To'), /;tag=second$/)
  await carrier.send(answer('second'))
  carrier.take('ACK')
  assert.equal(
    carrier.inbox.some((message) => message.startsWith('BYE')),
    false,
    'one BYE for one dialog',
  )
  await carrier.send(carrier.response(bye, '200 OK'))
  await rig.advance(200_000)
  assert.equal(rig.core.counts().transactions, 0)
})
