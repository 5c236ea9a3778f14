import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { CoreRig, header, type RigPeer } from '../../test/support/core-rig.ts'
import { phoneSdp } from '../../test/support/sdp-texts.ts'

const SDP = { 'Content-Type': 'application/sdp' }

/** What a hostile peer may do to a line of a message. */
const HOSTILE = [
  '',
  ' ',
  'x',
  ';'.repeat(500),
  '<sip:@>;tag',
  'sip:a@[::1',
  '"',
  '99999999999999999999',
  '-1',
  '*',
  'SIP/2.0/UDP ;branch=',
  '\u00ff\u0000',
  'm=audio 99999 RTP/AVP 300',
  'c=IN IP4 999.1.2.3',
  'a=rtpmap:0 /0/0',
  'application/sdp; boundary="',
]

const mutation = fc.record({
  line: fc.nat(40),
  how: fc.constantFrom('replace', 'drop', 'repeat', 'cut'),
  text: fc.constantFrom(...HOSTILE),
})
type Mutation = typeof mutation extends fc.Arbitrary<infer T> ? T : never

function mutated(message: string, { line, how, text }: Mutation): string {
  const lines = message.split('\r\n')
  const at = line % lines.length
  const old = lines[at] ?? ''
  if (how === 'drop') lines.splice(at, 1)
  else if (how === 'repeat') lines.splice(at, 0, old)
  else if (how === 'cut') return message.slice(0, Math.floor((message.length * line) / 40))
  else lines[at] = old.includes(':') ? `${old.slice(0, old.indexOf(':') + 1)} ${text}` : text
  return lines.join('\r\n')
}

async function talking(alice: RigPeer, bob: RigPeer) {
  await bob.register('bob', 'builder')
  await alice.call('alice', 'wonderland', 'bob')
  const invite = bob.take('INVITE')
  await bob.send(bob.response(invite, '200 OK', SDP, phoneSdp({ address: bob.flow.remote.host })))
  const answer = alice.take('SIP/2.0 200')
  await alice.send(alice.inDialog('ACK', answer))
  return { invite, answer }
}

test('law: whatever is done to a message, it is no fault of ours, and the call can still end', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 12 }), fc.nat(5), async (mutations, which) => {
      const rig = new CoreRig()
      const [alice, bob, mallory] = [rig.peer('198.51.100.6'), rig.peer('198.51.100.7'), rig.peer('203.0.113.66')]
      const { invite, answer } = await talking(alice, bob)
      const messages = [
        alice.inDialog('INVITE', answer, SDP, phoneSdp({ address: '198.51.100.6', version: 2 })),
        alice.inDialog('UPDATE', answer),
        alice.inDialog('INFO', answer, { 'Content-Type': 'application/dtmf-relay' }),
        bob.response(invite, '200 OK', SDP, phoneSdp({ port: 30_002 })),
        alice.request('REGISTER', 'sip:example.test', { Contact: '*', Expires: '0' }),
        alice.request('INVITE', 'sip:bob@example.test', SDP, phoneSdp()),
      ]
      const message = messages[which] ?? ''
      for (const each of mutations) {
        const data = mutated(message, each)
        await alice.send(data)
        await mallory.send(data)
      }
      await rig.advance(200_000)
      assert.deepEqual(
        rig.logged().filter(({ level }) => level === 'error'),
        [],
      )
      for (const { id } of rig.core.calls()) assert.ok(JSON.stringify(rig.core.call(id)), 'its timeline can be read')
      for (const { id } of rig.core.calls()) rig.input({ kind: 'end-call', call: id, reason: 'over' })
      await rig.advance(200_000)
      assert.deepEqual(rig.core.counts(), { calls: 0, registrations: 1, transactions: 0 })
      assert.equal(rig.engine.sessions().length, 0)
    }),
    { numRuns: 60 },
  )
})

test('a flood leaves nothing behind once it has passed', async () => {
  const rig = new CoreRig()
  const flood = rig.peer('203.0.113.66')
  for (let i = 0; i < 3_000; i++) {
    const method = ['REGISTER', 'INVITE', 'OPTIONS', 'BYE', 'SUBSCRIBE'][i % 5] ?? ''
    flood.raw(
      flood.request(method, 'sip:example.test', {
        To: `<sip:u${i}@example.test>`,
        From: `<sip:u${i}@example.test>;tag=${i}`,
      }),
    )
  }
  assert.equal(rig.core.counts().calls, 0)
  await rig.advance(100_000)
  assert.deepEqual(rig.core.counts(), { calls: 0, registrations: 0, transactions: 0 })
  assert.match(header(flood.take('SIP/2.0 401'), 'WWW-Authenticate'), /^Digest /)
})
