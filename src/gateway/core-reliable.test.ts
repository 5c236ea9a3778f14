import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CoreRig, header, type RigPeer } from '../../test/support/core-rig.ts'
import { phoneSdp } from '../../test/support/sdp-texts.ts'

const SDP = { 'Content-Type': 'application/sdp' }
const reliably = (rseq: number) => ({ Require: '100rel', RSeq: String(rseq) })

async function calls(caller: RigPeer, to: string): Promise<void> {
  const headers = { ...SDP, Supported: '100rel', Allow: 'INVITE, ACK, CANCEL, BYE, PRACK, UPDATE' }
  const who = { user: 'alice', password: 'wonderland' }
  await caller.authenticated('INVITE', `sip:${to}@example.test`, who, headers, phoneSdp())
}

/** Acknowledges an 18x with RSeq and returns the answer to the PRACK. */
async function prack(caller: RigPeer, told: string): Promise<string> {
  const rack = `${header(told, 'RSeq')} ${header(told, 'CSeq')}`
  await caller.send(caller.inDialog('PRACK', told, { RAck: rack }))
  return caller.inbox.find((message) => header(message, 'CSeq').endsWith('PRACK')) ?? ''
}

/** The phone's answers with a tag of their own: one INVITE that forked behind the carrier. */
const tagged = (invite: string, tag: string): string => invite.replace(/^To: .*$/m, `$&;tag=${tag}`)

test('RFC 3262: reliable ringing from the callee to the caller, over the wire', async () => {
  const rig = new CoreRig()
  const [alice, carrier] = [rig.peer('198.51.100.6'), rig.peer('203.0.113.5')]
  await calls(alice, '+4930123456')
  const invite = carrier.take('INVITE')
  const early = carrier.response(invite, '183 Session Progress', { ...reliably(7), ...SDP }, phoneSdp())
  await carrier.send(early)
  assert.equal(header(carrier.take('PRACK'), 'RAck'), `7 ${header(invite, 'CSeq')}`)
  await carrier.send(early)
  assert.ok(!carrier.inbox.some((message) => message.startsWith('PRACK')), 'a repetition is not acknowledged anew')

  const told = alice.take('SIP/2.0 183')
  await rig.advance(600)
  assert.equal(alice.take('SIP/2.0 183'), told, 'repeated as it was')
  assert.match(await prack(alice, told), /^SIP\/2\.0 200 /)
  await carrier.send(carrier.response(invite, '200 OK'))
  const answer = alice.inbox.find((message) => /^SIP\/2\.0 200 [\s\S]*CSeq: \d+ INVITE/.test(message)) ?? ''
  assert.equal(header(answer, 'Content-Length'), '0')
  await alice.send(alice.inDialog('ACK', answer))
  const [call] = rig.core.calls()
  assert.equal(call?.state, 'talking')
})

test('a call that forks behind the carrier: two early dialogs with the caller, and the second one answers', async () => {
  const rig = new CoreRig()
  const [alice, carrier] = [rig.peer('198.51.100.6'), rig.peer('203.0.113.5')]
  await calls(alice, '+4930123456')
  const invite = carrier.take('INVITE')
  for (const [tag, port] of [
    ['one', 31_000],
    ['two', 32_000],
  ] as const) {
    const early = { ...reliably(1), ...SDP }
    const sdp = phoneSdp({ address: '203.0.113.5', port })
    await carrier.send(carrier.response(tagged(invite, tag), '183 Session Progress', early, sdp))
  }
  const [first, second] = [alice.take('SIP/2.0 183'), alice.take('SIP/2.0 183')]
  assert.notEqual(header(first, 'To'), header(second, 'To'))
  for (const told of [second, first]) {
    assert.match(await prack(alice, told), /^SIP\/2\.0 200 /)
    alice.inbox.length = 0
  }
  await carrier.send(carrier.response(tagged(invite, 'two'), '200 OK'))
  const answer = alice.take('SIP/2.0 200')
  assert.equal(header(answer, 'To'), header(second, 'To'))
  await alice.send(alice.inDialog('ACK', answer))
  await alice.send(alice.inDialog('BYE', answer))
  const bye = carrier.take('BYE')
  assert.match(header(bye, 'To'), /;tag=two$/)
  await carrier.send(carrier.response(bye, '200 OK'))
  await rig.advance(200_000)
  assert.deepEqual([rig.core.counts().calls, rig.core.counts().transactions], [0, 0])
})

test('a caller that never acknowledges: 504, the callee is cancelled, and nothing stays', async () => {
  const rig = new CoreRig()
  const [alice, carrier] = [rig.peer('198.51.100.6'), rig.peer('203.0.113.5')]
  await calls(alice, '+4930123456')
  const invite = carrier.take('INVITE')
  await carrier.send(carrier.response(invite, '180 Ringing'))
  await rig.advance(33_000)
  const refused = alice.take('SIP/2.0 504')
  await alice.send(alice.ackFailure(refused, 'sip:+4930123456@example.test'))
  carrier.take('CANCEL')
  await carrier.send(carrier.response(invite, '487 Request Terminated'))
  await rig.advance(200_000)
  assert.equal(rig.core.counts().calls, 0)
})
