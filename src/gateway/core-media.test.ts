import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CoreRig, counting, header } from '../../test/support/core-rig.ts'

/** Alice calls the echo; the session of her call. */
async function echoed(rig: CoreRig) {
  const alice = rig.peer('198.51.100.6')
  await alice.call('alice', 'wonderland', '*43')
  const answer = alice.take('SIP/2.0 200')
  await alice.send(alice.inDialog('ACK', answer))
  const [session] = rig.engine.sessions()
  assert.ok(session)
  return { alice, session: session.id }
}

test('a relay that was replaced is counted and disturbs no call', async () => {
  const count = counting()
  const rig = new CoreRig({ count })
  const { alice } = await echoed(rig)
  rig.input({ kind: 'media', event: { kind: 'recovered', sessions: 1, gapMs: 3.5 } })
  assert.equal(count.counts.get('recovered'), 1)
  assert.equal(rig.core.calls()[0]?.state, 'talking')
  assert.deepEqual(alice.inbox, [])
})

test('a session that the engine closed ends its call, and no other', async () => {
  const count = counting()
  const rig = new CoreRig({ count })
  const { alice, session } = await echoed(rig)
  rig.input({ kind: 'media', event: { kind: 'closed', session: 'of nobody', reason: 'nobody claimed it', sides: [] } })
  assert.deepEqual(alice.inbox, [])
  rig.input({ kind: 'media', event: { kind: 'closed', session, reason: 'nobody claimed it', sides: [] } })
  assert.match(header(alice.take('BYE'), 'Reason'), /nobody claimed it/)
  assert.equal(count.counts.get('closed by engine'), 2)
})
